// Spaces of transformers: decoders of the GPT kind and vision transformers, with patches or
// convolutions at their entry. All blocks of a network are alike.
#pragma once

#include <memory>
#include <vector>

#include "nas/space.h"

namespace cosearch::nas {

/// Genotypes read "layers;width;heads;depth;shared;ratio": blocks, width, attention heads and the
/// depth of each (their product need not be the width), queries that share one head of keys and
/// values, and hidden width over width. 12;768;12;64;1;4 is GPT-2 small. The networks read whole
/// numbers, one per token, and are causal; the last step has a row for each token.
/// Source: A. Radford et al., "Language models are unsupervised multitask learners", 2019;
/// J. Ainslie et al., "GQA", EMNLP 2023. The values are ours.
[[nodiscard]] std::vector<SpaceOption> gpt_options();
/// `options` complete, as make_space hands them on.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_gpt(const SpaceOptions& options);

/// Genotypes read "stem;layers;width;depth;ratio": 0 for patches, 1 for 3x3 convolutions of stride
/// 2, as many as make patches of the same extent (four of 16x16), and a 1x1; blocks, width, depth
/// of a head, hidden width over width. 0;12;768;64;4 is ViT-B/16. Source: A. Dosovitskiy et al.,
/// "An image is worth 16x16 words", ICLR 2021; T. Xiao et al., "Early convolutions help
/// transformers see better", NeurIPS 2021 (the convolutions). The values are ours.
[[nodiscard]] std::vector<SpaceOption> vit_options();
/// `options` complete, as make_space hands them on. Throws UserError when the image is not a
/// multiple of the patch, or the patch no power of two.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_vit(const SpaceOptions& options);

}  // namespace cosearch::nas
