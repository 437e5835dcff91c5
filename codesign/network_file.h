// Networks by name, by genotype or from a file: what `--network` accepts.
#pragma once

#include <filesystem>
#include <string>

#include "core/network.h"
#include "datasets/document.h"

namespace cosearch::codesign {

extern const std::string_view kNetworkSchema;

/// Reads a network from YAML (schema: codesign/schema/network.schema.json). Throws FileError when
/// the file cannot be read, UserError at the line and column of what is wrong with it.
[[nodiscard]] Network read_network(const std::filesystem::path& path);
[[nodiscard]] Network read_network(const datasets::Document& document);

/// The text of a file that is read as the same network. Left out are the inputs of a layer whose
/// Flow is not even (U-Net crops them): the reader would refuse them, and no cost depends on them.
/// Throws UserError naming the layer that no file can say, such as a convolution padded unevenly.
[[nodiscard]] std::string write_network(const Network& network);

/// Elements that a layer reads, and that its inputs deliver: added, concatenated or, for attention,
/// multiplied.
struct Flow {
  std::int64_t read = 0, delivered = 0;
  [[nodiscard]] bool is_even() const { return read == delivered; }
};
[[nodiscard]] Flow flow_into(const Network& network, const NetworkNode& node);

/// A named network ("resnet50"), a genotype of a space or of a space's file
/// ("fashion-macro:0212", "mine.yaml:3;5") or a YAML file.
/// Throws UserError when it is none of these.
[[nodiscard]] Network find_network(const std::string& what);

}  // namespace cosearch::codesign
