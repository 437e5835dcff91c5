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

/// What a position asks of whatever fills it.
struct MacroPosition {
  int in_channels, out_channels;
  int stride;
};

/// Genotypes of one digit per position: 0 identity, 1 MBConv3 k3, 2 MBConv6 k5. MBConv blocks that
/// keep the shape add their input to their output.
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
