#include "nas/blueprint.h"

#include <algorithm>

namespace cosearch::nas {
namespace {

/// What all of `inputs` hand on: every node once, in order of first appearance.
std::vector<std::size_t> sources_of(const std::vector<std::size_t>& inputs,
                                    const std::vector<std::vector<std::size_t>>& sources_of_step) {
  std::vector<std::size_t> sources;
  for (const std::size_t input : inputs)
    for (const std::size_t source : sources_of_step[input])
      if (std::find(sources.begin(), sources.end(), source) == sources.end())
        sources.push_back(source);
  return sources;
}

}  // namespace

std::int64_t parameters_of(Affine affine, std::int64_t channels) {
  switch (affine) {
    case Affine::none:
      return 0;
    case Affine::bias:
      return channels;
    case Affine::batch_norm:
    case Affine::layer_norm:
      return 2 * channels;
  }
  return 0;
}

bool reads_tokens(const Blueprint& blueprint) {
  return std::ranges::find(blueprint.steps, Operation::embed_tokens, &Step::operation) !=
         blueprint.steps.end();
}

Network lower(const Blueprint& blueprint) {
  Network network(blueprint.name);
  std::vector<std::vector<std::size_t>> sources_of_step;
  sources_of_step.reserve(blueprint.steps.size());
  for (const Step& step : blueprint.steps) {
    std::vector<std::size_t> sources = sources_of(step.inputs, sources_of_step);
    if (step.layer)
      sources = {network.add({.name = step.name,
                              .layer = *step.layer,
                              .affine_parameters = parameters_of(step.affine, step.shape.channels) +
                                                   step.further_parameters,
                              .inputs = std::move(sources)})};
    sources_of_step.push_back(std::move(sources));
  }
  return network;
}

}  // namespace cosearch::nas
