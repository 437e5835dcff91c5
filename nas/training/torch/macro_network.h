// A network of the `fashion-macro` space as a LibTorch module.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>

#include "nas/fashion_macro.h"
#include "nas/training/torch/wide_depthwise_convolution.h"

namespace cosearch::nas {

inline constexpr std::int64_t kImageChannels = 1;

/// Convolution, batch norm and, where asked, ReLU6.
class ConvolutionBlock : public torch::nn::Module {
 public:
  struct Shape {
    std::int64_t in_channels, out_channels;
    std::int64_t kernel = 1, stride = 1, groups = 1;
  };

  ConvolutionBlock(const Shape& shape, bool activated)
      : convolution_(torch::nn::Conv2dOptions(shape.in_channels, shape.out_channels, shape.kernel)
                         .stride(shape.stride)
                         .padding(shape.kernel / 2)
                         .groups(shape.groups)
                         .bias(false)),
        normalisation_(shape.out_channels),
        activated_(activated) {
    register_module("convolution", convolution_);
    register_module("normalisation", normalisation_);
  }

  torch::Tensor forward(const torch::Tensor& input) {
    torch::Tensor output = normalisation_->forward(convolve(input).contiguous(kFormat));
    return activated_ ? torch::hardtanh_(output, 0, 6) : output;
  }

 private:
  torch::Tensor convolve(const torch::Tensor& input) {
    const auto& options = convolution_->options;
    if (options.groups() == 1 || options.kernel_size()->front() != 5) {
      return convolution_->forward(input);
    }
    return WideDepthwiseConvolution::apply(input, convolution_->weight, options.stride()->front());
  }

  torch::nn::Conv2d convolution_;
  torch::nn::BatchNorm2d normalisation_;
  bool activated_;
};

/// M. Sandler et al., "MobileNetV2", CVPR 2018, table 1: expand, filter each channel, project, and
/// add the input where the shapes agree.
class InvertedResidual : public torch::nn::Module {
 public:
  explicit InvertedResidual(const MacroBlock& block) : residual_(block.keeps_shape()) {
    const std::int64_t hidden = block.in_channels * block.expansion;
    layers_->push_back(ConvolutionBlock({block.in_channels, hidden}, true));
    layers_->push_back(
        ConvolutionBlock({hidden, hidden, block.kernel, block.stride, hidden}, true));
    layers_->push_back(ConvolutionBlock({hidden, block.out_channels}, false));
    register_module("layers", layers_);
  }

  torch::Tensor forward(const torch::Tensor& input) {
    torch::Tensor output = layers_->forward(input);
    return residual_ ? output.add_(input) : output;
  }

 private:
  bool residual_;
  torch::nn::Sequential layers_;
};

/// Stem, blocks, head and classifier, as nas/fashion_macro.h describes them.
class MacroNetwork : public torch::nn::Module {
 public:
  explicit MacroNetwork(const std::string& genotype) {
    const std::vector<MacroBlock> blocks = fashion_macro_blocks(genotype);
    std::int64_t channels = blocks.front().in_channels;
    features_->push_back(
        ConvolutionBlock({kImageChannels, channels, kFashionStemKernel, kFashionStemStride}, true));
    for (const MacroBlock& block : blocks) {
      channels = block.out_channels;
      if (block.expansion > 0) {
        features_->push_back(InvertedResidual(block));
      } else if (!block.keeps_shape()) {
        features_->push_back(
            ConvolutionBlock({block.in_channels, block.out_channels, 1, block.stride}, false));
      }
    }
    features_->push_back(ConvolutionBlock({channels, kFashionHeadChannels}, true));
    register_module("features", features_);
    register_module("classifier", classifier_);
    torch::nn::init::zeros_(classifier_->bias);
  }

  torch::Tensor forward(const torch::Tensor& images) {
    return classifier_->forward(features_->forward(images).mean({2, 3}));
  }

 private:
  torch::nn::Sequential features_;
  torch::nn::Linear classifier_{kFashionHeadChannels, kFashionClasses};
};

}  // namespace cosearch::nas
