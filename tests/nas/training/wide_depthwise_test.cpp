#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/random.h"
#include "nas/training/torch/wide_depthwise_convolution.h"

namespace cosearch::nas {
namespace {

torch::Tensor random_tensor(at::IntArrayRef shape, std::uint64_t seed) {
  Random random(seed);
  torch::Tensor tensor = torch::empty(shape);
  auto* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i)
    values[i] = static_cast<float>(2 * random.uniform() - 1);
  return tensor;
}

double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(WideDepthwiseConvolution, HasTheValuesAndGradientsOfTheOrdinaryConvolution) {
  for (const std::int64_t stride : {1, 2}) {
    for (const std::int64_t extent : {7, 8, 14}) {
      SCOPED_TRACE(testing::Message() << "stride " << stride << ", extent " << extent);
      torch::Tensor input = random_tensor({3, 18, extent, extent}, 1).contiguous(kFormat);
      torch::Tensor weight = random_tensor({18, 1, 5, 5}, 2);
      input.requires_grad_();
      weight.requires_grad_();
      const torch::Tensor expected = torch::conv2d(input, weight, {}, stride, 2, 1, 18);
      const torch::Tensor actual = WideDepthwiseConvolution::apply(input, weight, stride);
      const torch::Tensor slope = random_tensor(expected.sizes(), 3).contiguous(kFormat);
      const auto wanted = torch::autograd::grad({expected}, {input, weight}, {slope});
      const auto found = torch::autograd::grad({actual}, {input, weight}, {slope});
      EXPECT_LT(largest_difference(expected, actual), 1e-5);
      EXPECT_LT(largest_difference(wanted[0], found[0]), 1e-5);
      // Sums of up to 3 * 14 * 14 products, in another order.
      EXPECT_LT(largest_difference(wanted[1], found[1]), 1e-4);
    }
  }
}

}  // namespace
}  // namespace cosearch::nas
