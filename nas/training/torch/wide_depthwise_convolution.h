// A depthwise convolution with a 5x5 window that trains as fast as one with 3x3.
#pragma once

#include <torch/torch.h>

#include <array>
#include <cstdint>
#include <tuple>

namespace cosearch::nas {

/// Channels innermost: depthwise convolutions and batch norms run several times as fast.
inline constexpr auto kFormat = at::MemoryFormat::ChannelsLast;

/// `input` N x C x H x W, `weight` C x 1 x 5 x 5; two rows and columns of zeros on each side.
/// oneDNN has no fast gradient of depthwise weights more than 3 wide and takes about five times as
/// long as it need: so that gradient is found from two 5x3 windows that share their middle column.
class WideDepthwiseConvolution : public torch::autograd::Function<WideDepthwiseConvolution> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& input, const torch::Tensor& weight,
                               std::int64_t stride) {
    context->save_for_backward({input, weight});
    context->saved_data["stride"] = stride;
    return torch::conv2d(input, weight, {}, stride, /*padding=*/2, /*dilation=*/1,
                         /*groups=*/weight.size(0));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const std::int64_t stride = context->saved_data["stride"].toInt();
    const torch::Tensor& input = saved[0];
    const torch::Tensor& weight = saved[1];
    const torch::Tensor padded = torch::constant_pad_nd(input, {2, 2, 0, 0});
    const auto columns = [&](std::int64_t first) {
      const torch::Tensor window = padded.narrow(3, first, padded.size(3) - 2);
      return std::get<1>(gradients_of(gradients[0], window.contiguous(kFormat),
                                      weight.narrow(3, first, 3), stride, {2, 0},
                                      {false, true, false}));
    };
    const torch::Tensor weight_gradient =
        torch::cat({columns(0), columns(2).narrow(3, 1, 2)}, /*dim=*/3);
    const torch::Tensor input_gradient = std::get<0>(
        gradients_of(gradients[0], input, weight, stride, {2, 2}, {true, false, false}));
    return {input_gradient, weight_gradient, torch::Tensor()};
  }

 private:
  static std::tuple<torch::Tensor, torch::Tensor, torch::Tensor> gradients_of(
      const torch::Tensor& output_gradient, const torch::Tensor& input, const torch::Tensor& weight,
      std::int64_t stride, at::IntArrayRef padding, std::array<bool, 3> wanted) {
    return at::convolution_backward(output_gradient, input, weight, c10::nullopt, {stride, stride},
                                    padding, /*dilation=*/{1, 1}, /*transposed=*/false,
                                    /*output_padding=*/{0, 0}, /*groups=*/weight.size(0), wanted);
  }
};

}  // namespace cosearch::nas
