#include "datasets/image_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/user_error.h"
#include "datasets/idx.h"
#include "datasets/image_file.h"
#include "datasets/npy.h"

namespace cosearch::datasets {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& message) {
  throw UserError({path.string()}, message);
}

void require_as_many(std::int64_t labels, std::int64_t images, const fs::path& label_file) {
  if (labels != images)
    fail(label_file, fmt::format("holds {} labels for {} images", labels, images));
}

// --- IDX ---

fs::path idx_file(const fs::path& folder, const std::string& name) {
  const fs::path plain = folder / name;
  return fs::exists(plain) ? plain : folder / (name + ".gz");
}

ImageSet read_idx(const fs::path& folder, const std::string& part) {
  IdxImages images = read_idx_images(idx_file(folder, part + "-images-idx3-ubyte"));
  const fs::path label_file = idx_file(folder, part + "-labels-idx1-ubyte");
  const std::vector<std::uint8_t> labels = read_idx_labels(label_file);
  ImageSet set{.count = static_cast<std::int64_t>(images.count),
               .channels = 1,
               .height = static_cast<std::int64_t>(images.height),
               .width = static_cast<std::int64_t>(images.width),
               .pixels = std::move(images.pixels),
               .labels = {labels.begin(), labels.end()}};
  require_as_many(std::ssize(labels), set.count, label_file);
  return set;
}

// --- NPY ---

std::string text_of(const std::vector<std::size_t>& shape) {
  return fmt::format("{}", fmt::join(shape, " x "));
}

// N x H x W x C to N x C x H x W.
template <class Value>
std::vector<Value> channels_first(const std::vector<Value>& values, const ImageSet& set) {
  std::vector<Value> moved(values.size());
  const std::int64_t pixels = set.height * set.width;
  for (std::int64_t image = 0; image < set.count; ++image)
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
      for (std::int64_t channel = 0; channel < set.channels; ++channel)
        moved[static_cast<std::size_t>((image * set.channels + channel) * pixels + pixel)] =
            values[static_cast<std::size_t>((image * pixels + pixel) * set.channels + channel)];
  return moved;
}

// The extents of images with an array of this shape.
ImageSet extents_of(const std::vector<std::size_t>& shape, ArrayLayout layout,
                    const fs::path& path) {
  std::vector<std::int64_t> extents(shape.begin(), shape.end());
  if (extents.size() == 3) return {extents[0], 1, extents[1], extents[2], {}, {}};
  if (extents.size() != 4)
    fail(path, fmt::format("is {}-dimensional ({}); expected images x height x width, or four "
                           "dimensions with channels",
                           extents.size(), text_of(shape)));
  if (layout == ArrayLayout::unstated)
    fail(path,
         fmt::format("has four dimensions ({}), and nothing says which are the channels: "
                     "state the layout, nchw or nhwc (--array-layout; array_layout in a study)",
                     text_of(shape)));
  if (layout == ArrayLayout::channels_first)
    return {extents[0], extents[1], extents[2], extents[3], {}, {}};
  return {extents[0], extents[3], extents[1], extents[2], {}, {}};
}

std::vector<std::int32_t> npy_labels(const fs::path& path) {
  const NpyArray array = read_npy(path);
  if (array.shape.size() != 1)
    fail(path, fmt::format("is {}-dimensional; expected one label per image", array.shape.size()));
  return std::visit(
      [&](const auto& values) -> std::vector<std::int32_t> {
        using Value = typename std::decay_t<decltype(values)>::value_type;
        if constexpr (std::is_floating_point_v<Value>) {
          fail(path, "holds float32 labels; expected whole numbers (array.astype('uint8'))");
        } else {
          std::vector<std::int32_t> labels;
          for (const Value value : values) {
            if (!std::in_range<std::int32_t>(value) || value < 0)
              fail(path, fmt::format("label {} of image {}: expected a class number from 0", value,
                                     labels.size()));
            labels.push_back(static_cast<std::int32_t>(value));
          }
          return labels;
        }
      },
      array.values);
}

ImageSet read_npy_set(const fs::path& folder, const std::string& part, ArrayLayout layout) {
  const fs::path image_file = folder / (part + "_images.npy"),
                 label_file = folder / (part + "_labels.npy");
  NpyArray array = read_npy(image_file);
  ImageSet set = extents_of(array.shape, layout, image_file);
  const bool is_last = array.shape.size() == 4 && layout == ArrayLayout::channels_last;
  const auto take = [&](auto& values) {
    set.pixels = is_last ? channels_first(values, set) : std::move(values);
  };
  if (auto* bytes = std::get_if<std::vector<std::uint8_t>>(&array.values)) {
    take(*bytes);
  } else if (auto* reals = std::get_if<std::vector<float>>(&array.values)) {
    if (!std::ranges::all_of(*reals, [](float value) { return std::isfinite(value); }))
      fail(image_file, "holds numbers that are not finite");
    take(*reals);
  } else {
    fail(image_file, "holds whole numbers of 32 or 64 bits; expected images of uint8 or float32");
  }
  set.labels = npy_labels(label_file);
  require_as_many(std::ssize(set.labels), set.count, label_file);
  return set;
}

// --- Folders of pictures ---

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (!entry.path().filename().string().starts_with('.')) entries.push_back(entry.path());
  if (error) throw FileError({folder.string()}, "cannot be read: " + error.message());
  std::ranges::sort(entries);
  return entries;
}

std::vector<std::string> classes_of(const fs::path& part) {
  std::vector<std::string> classes;
  for (const fs::path& entry : entries_of(part)) {
    if (!fs::is_directory(entry))
      fail(entry, "stands among the classes; expected one folder a class");
    classes.push_back(entry.filename().string());
  }
  if (classes.empty()) fail(part, "has no folders of classes");
  return classes;
}

std::string shape_text(std::int64_t channels, std::int64_t height, std::int64_t width) {
  return fmt::format("{}x{}x{} (channels x height x width)", channels, height, width);
}

void append(ImageSet& set, const Picture& picture, const fs::path& file) {
  const auto channels = static_cast<std::int64_t>(picture.channels),
             height = static_cast<std::int64_t>(picture.height),
             width = static_cast<std::int64_t>(picture.width);
  if (set.count == 0) {
    set.channels = channels, set.height = height, set.width = width;
  } else if (set.channels != channels || set.height != height || set.width != width) {
    fail(file, fmt::format("is {}, the images before it are {}; bring all to one size and kind",
                           shape_text(channels, height, width),
                           shape_text(set.channels, set.height, set.width)));
  }
  auto& pixels = std::get<std::vector<std::uint8_t>>(set.pixels);
  for (std::size_t channel = 0; channel < picture.channels; ++channel)
    for (std::size_t pixel = channel; pixel < picture.pixels.size(); pixel += picture.channels)
      pixels.push_back(picture.pixels[pixel]);
  ++set.count;
}

ImageSet read_pictures(const fs::path& part, const std::vector<std::string>& classes) {
  ImageSet set;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const fs::path folder = part / classes[label];
    const std::vector<fs::path> files = entries_of(folder);
    if (files.empty()) fail(folder, "has no images: every class needs some");
    for (const fs::path& file : files) {
      if (!is_named_like_a_picture(file)) fail(file, "expected only .png, .jpg and .jpeg files");
      append(set, read_picture(file), file);
      set.labels.push_back(static_cast<std::int32_t>(label));
    }
  }
  return set;
}

ImageData read_picture_folders(const fs::path& folder) {
  const std::vector<std::string> classes = classes_of(folder / "train");
  for (const std::string& found : classes_of(folder / "test"))
    if (!std::ranges::binary_search(classes, found))
      fail(folder / "test" / found, "is a class without training images");
  return {.training = read_pictures(folder / "train", classes),
          .test = read_pictures(folder / "test", classes),
          .classes = static_cast<std::int32_t>(classes.size())};
}

// --- All ---

void check(ImageData& data, const fs::path& folder) {
  const ImageSet &training = data.training, &test = data.test;
  if (training.count == 0 || test.count == 0)
    fail(folder, fmt::format("holds no {} images", training.count == 0 ? "training" : "test"));
  if (training.channels != test.channels || training.height != test.height ||
      training.width != test.width)
    fail(folder, fmt::format("training images are {}, test images {}",
                             shape_text(training.channels, training.height, training.width),
                             shape_text(test.channels, test.height, test.width)));
  data.classes = std::ranges::max(training.labels) + 1;
  if (const auto stray = std::ranges::find_if(
          test.labels, [&](std::int32_t label) { return label >= data.classes; });
      stray != test.labels.end())
    fail(folder, fmt::format("test image {} has label {}; the training labels end at {}",
                             stray - test.labels.begin(), *stray, data.classes - 1));
}

}  // namespace

ArrayLayout array_layout_named(const std::string& name) {
  if (name == "nchw") return ArrayLayout::channels_first;
  if (name == "nhwc") return ArrayLayout::channels_last;
  throw UserError("no layout of arrays is called '" + name + "': expected nchw or nhwc");
}

ImageData read_image_data(const fs::path& folder, ArrayLayout layout) {
  ImageData data;
  if (fs::is_directory(folder / "train")) {
    data = read_picture_folders(folder);
  } else if (fs::exists(folder / "train_images.npy")) {
    data = {.training = read_npy_set(folder, "train", layout),
            .test = read_npy_set(folder, "test", layout)};
  } else if (fs::exists(idx_file(folder, "train-images-idx3-ubyte"))) {
    data = {.training = read_idx(folder, "train"), .test = read_idx(folder, "t10k")};
  } else {
    throw FileError({folder.string()},
                    "holds no training images: expected train-images-idx3-ubyte.gz (IDX), "
                    "train_images.npy or a folder train of one folder a class. Fashion-MNIST comes "
                    "with the Debian package dataset-fashion-mnist (apt install "
                    "dataset-fashion-mnist)");
  }
  check(data, folder);
  return data;
}

}  // namespace cosearch::datasets
