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

/// The text of a file that is read as the same network. Throws UserError naming the layer that no
/// file can say, such as a convolution padded unevenly.
[[nodiscard]] std::string write_network(const Network& network);

/// A named network ("resnet50"), a genotype of a space ("fashion-macro:0212") or a YAML file.
/// Throws UserError when it is none of these.
[[nodiscard]] Network find_network(const std::string& what);

}  // namespace cosearch::codesign
