// Macro spaces: a chain of positions of fixed shape, each an identity or an inverted residual
// block. Source: X. Su et al., "Prioritized Architecture Sampling with Monto-Carlo Tree Search",
// CVPR 2021 (NAS-Bench-Macro).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nas/blocks.h"
#include "nas/choice_space.h"

namespace cosearch::nas {

/// One position of a macro network.
struct MacroBlock {
  int in_channels, out_channels;
  int stride;
  /// Width of the depthwise convolution over in_channels; 0: no MBConv but the identity, which is
  /// nothing where the shape stays, and a 1x1 convolution (with this stride) and batch norm where
  /// it changes.
  int expansion;
  int kernel;

  friend bool operator==(const MacroBlock&, const MacroBlock&) = default;

  [[nodiscard]] bool keeps_shape() const { return stride == 1 && in_channels == out_channels; }
};

/// What a position asks of whatever fills it.
struct MacroPosition {
  int in_channels, out_channels;
  int stride;
};

/// `operation`: 0 identity, 1 MBConv3 k3, 2 MBConv6 k5.
[[nodiscard]] MacroBlock macro_block(const MacroPosition& position, std::uint32_t operation);

/// Appends the layers of `block`, none for an identity that keeps the shape; MBConv blocks that
/// keep the shape add their input to their output. `activation` follows the expansion and the
/// depthwise convolution.
Feature append_macro_block(NetworkBuilder& builder, const std::string& name, const Feature& from,
                           const MacroBlock& block, Activation activation);

/// One digit of 0, 1, 2 for each of `positions` positions. Throws UserError naming `space`.
[[nodiscard]] Choices parse_macro(const std::string& space, const std::string& genotype,
                                  std::size_t positions);

/// Genotypes of one digit per position.
class MacroSpace : public ChoiceSpace {
 public:
  /// Identities that keep the shape are nothing, so that in a run of positions of one shape only
  /// the order of the other operations matters: the identities come first.
  [[nodiscard]] std::string canonical(const std::string& genotype) const override;

  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override;
  [[nodiscard]] std::optional<MixedBlueprint> mixed_blueprint() const override;

 protected:
  /// What all networks of a space have around and in their positions.
  struct Frame {
    std::int64_t image_channels, image;  ///< of the input; height and width are `image`
    ConvolutionOptions stem, head;       ///< followed by global pooling and the classifier
    std::int64_t classes;
    Activation activation;  ///< in the blocks
  };

  MacroSpace(std::string name, std::vector<MacroPosition> positions, const Frame& frame);

  [[nodiscard]] std::string spell(const Choices& choices) const override;
  [[nodiscard]] Choices parse(const std::string& genotype) const override;

 private:
  /// `append_position(builder, from, number)` appends whatever fills a position.
  template <class AppendPosition>
  [[nodiscard]] Blueprint framed(const std::string& name, AppendPosition append_position) const;

  std::vector<MacroPosition> positions_;
  Frame frame_;
};

}  // namespace cosearch::nas
