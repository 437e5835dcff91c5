// Labelled images to train and test networks on, from any of three layouts of a folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace cosearch::datasets {

/// Images of one size, each of one class.
struct ImageSet {
  std::int64_t count = 0, channels = 1, height = 0, width = 0;
  /// count x channels x height x width, row-major.
  std::variant<std::vector<std::uint8_t>, std::vector<float>> pixels;
  std::vector<std::int32_t> labels;  ///< in [0, classes)
};

struct ImageData {
  ImageSet training, test;
  std::int32_t classes = 0;
};

/// Where an array of four dimensions keeps its channels.
enum class ArrayLayout : std::uint8_t {
  unstated,
  channels_first,  ///< images x channels x height x width
  channels_last,   ///< images x height x width x channels
};

/// "nchw" or "nhwc". Throws UserError for another name.
[[nodiscard]] ArrayLayout array_layout_named(const std::string& name);

/// Reads whichever of these `folder` holds:
///  * IDX, as MNIST and Fashion-MNIST are published: {train,t10k}-images-idx3-ubyte and
///    {train,t10k}-labels-idx1-ubyte, each with or without .gz;
///  * NPY: {train,test}_images.npy of uint8 or float32 with three dimensions (grey) or four, whose
///    order `layout` must then say, and {train,test}_labels.npy of whole numbers from 0;
///  * folders of PNG and JPEG files: train/CLASS/ and test/CLASS/; classes in the order of their
///    names, files likewise, names that begin with a dot passed over.
/// Throws FileError when a file is missing or cannot be read; UserError, naming the file, for
/// damaged ones, numbers of images and labels that differ, images of different shapes, labels that
/// are negative or not among the training labels, classes without images, and for a folder that
/// holds none of the three.
[[nodiscard]] ImageData read_image_data(const std::filesystem::path& folder,
                                        ArrayLayout layout = ArrayLayout::unstated);

}  // namespace cosearch::datasets
