#include "nas/supernet/torch/subnet_evaluation.h"

#include "nas/training/torch/learning.h"

namespace cosearch::nas {

void recalibrate(BlueprintNetwork& network, const ScaledImages& images, std::int64_t batch) {
  const torch::NoGradGuard no_gradient;
  for (torch::nn::BatchNorm2d& normalisation : network.normalisations()) {
    normalisation->reset_running_stats();
    // Without a momentum the running statistics are the mean over all batches.
    normalisation->options.momentum(c10::nullopt);
  }
  network.train();
  for (std::int64_t first = 0; first + batch <= images.count(); first += batch)
    (void)outputs_of(network, images.pixels.slice(0, first, first + batch));
}

}  // namespace cosearch::nas
