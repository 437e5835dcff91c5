#include "datasets/timeloop_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <utility>

#include "datasets/document.h"
#include "datasets/file_bytes.h"

namespace cosearch::datasets {
namespace {

using nlohmann::json;

// Products of a few of these stay within 64 bits.
constexpr std::int64_t kLargestNumber = 1'000'000'000;
constexpr std::int64_t kMostInstances = 1'000'000'000;

/// A value of a file with its place.
class Node {
 public:
  Node(const Document& document, std::string pointer, const json& value)
      : document_(&document), pointer_(std::move(pointer)), value_(&value) {}

  [[nodiscard]] SourceLocation where() const { return document_->location_of(pointer_); }
  [[noreturn]] void fail(const std::string& problem) const { throw UserError(where(), problem); }
  [[noreturn]] void fail_at_key(const std::string& problem) const {
    throw UserError(document_->location_of_key(pointer_), problem);
  }

  [[nodiscard]] bool is_map() const { return value_->is_object(); }
  [[nodiscard]] bool is_list() const { return value_->is_array(); }
  [[nodiscard]] bool is_text() const { return value_->is_string(); }

  [[nodiscard]] std::string tag() const {
    const auto found = document_->tags.find(pointer_);
    return found == document_->tags.end() ? "" : found->second;
  }

  /// The last part of its key path, for messages.
  [[nodiscard]] std::string name() const {
    return pointer_.empty() ? "the file" : key_path(pointer_);
  }

  [[nodiscard]] std::optional<Node> find(const std::string& key) const {
    if (!is_map()) fail(fmt::format("{} must be a map", name()));
    const auto found = value_->find(key);
    if (found == value_->end()) return std::nullopt;
    return Node(*document_, child_pointer(pointer_, key), *found);
  }
  /// The first of several spellings of one key.
  [[nodiscard]] std::optional<Node> find_any(const std::vector<std::string>& keys) const {
    for (const std::string& key : keys)
      if (auto found = find(key)) return found;
    return std::nullopt;
  }
  [[nodiscard]] Node at(const std::string& key) const {
    if (auto found = find(key)) return *found;
    fail(fmt::format("{} has no '{}'", name(), key));
  }

  [[nodiscard]] std::vector<Node> elements() const {
    if (!is_list()) fail(fmt::format("{} must be a list", name()));
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < value_->size(); ++i)
      nodes.emplace_back(*document_, child_pointer(pointer_, std::to_string(i)), (*value_)[i]);
    return nodes;
  }
  [[nodiscard]] std::vector<std::pair<std::string, Node>> items() const {
    if (!is_map()) fail(fmt::format("{} must be a map", name()));
    std::vector<std::pair<std::string, Node>> nodes;
    for (const auto& [key, value] : value_->items())
      nodes.emplace_back(key, Node(*document_, child_pointer(pointer_, key), value));
    return nodes;
  }

  [[nodiscard]] std::string text() const {
    if (!value_->is_string()) fail(fmt::format("{} must be text", name()));
    return value_->get<std::string>();
  }

  [[nodiscard]] std::int64_t integer(std::int64_t least = 0) const {
    const bool fits = value_->is_number_integer() && *value_ >= least && *value_ <= kLargestNumber;
    if (!fits)
      fail(
          fmt::format("{} is {}; expected a whole number from {} to {} (expressions must be "
                      "written out)",
                      name(), value_->dump(-1, ' ', false, json::error_handler_t::replace), least,
                      kLargestNumber));
    return value_->get<std::int64_t>();
  }

  [[nodiscard]] double positive_number() const {
    if (!value_->is_number() || value_->get<double>() <= 0)
      fail(fmt::format("{} must be a number above 0 (expressions must be written out)", name()));
    return value_->get<double>();
  }

  [[nodiscard]] bool truth() const {
    if (value_->is_boolean()) return value_->get<bool>();
    if (value_->is_string() && (*value_ == "True" || *value_ == "False")) return *value_ == "True";
    fail(fmt::format("{} must be true or false", name()));
  }

  /// Throws at a key that is not among `known`.
  void allow_only(const std::vector<std::string>& known) const {
    for (const auto& [key, value] : items())
      if (std::ranges::find(known, key) == known.end())
        value.fail_at_key(fmt::format("no key '{}' here{}", key, did_you_mean(key, known)));
  }

 private:
  const Document* document_;
  std::string pointer_;
  const json* value_;
};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::int64_t bounded_product(const Node& node, std::int64_t a, std::int64_t b) {
  if (a > kMostInstances / b) node.fail(fmt::format("more than {} instances", kMostInstances));
  return a * b;
}

// ---------------------------------------------------------------------------------- architecture

/// "PE[0..15]" is 16 of PE.
struct Range {
  std::string name;
  std::int64_t count = 1;
};

Range read_range(const Node& node) {
  const std::string text = node.text();
  const std::size_t open = text.find('[');
  if (open == std::string::npos) return {text, 1};
  std::int64_t first = 0, last = 0;
  const char* end = text.data() + text.size();
  const auto head = std::from_chars(text.data() + open + 1, end, first);
  const bool dots =
      head.ec == std::errc{} && end - head.ptr > 2 && head.ptr[0] == '.' && head.ptr[1] == '.';
  const auto tail = dots ? std::from_chars(head.ptr + 2, end, last) : head;
  const bool closed = dots && tail.ec == std::errc{} && tail.ptr + 1 == end && *tail.ptr == ']';
  if (!closed || first < 0 || last < first || last - first >= kMostInstances)
    node.fail(fmt::format("'{}' is not a name with a range; expected one as PE[0..15]", text));
  return {text.substr(0, open), last - first + 1};
}

enum class ComponentKind { storage, compute, neither };

ComponentKind kind_of_class(const std::string& class_name) {
  const std::string name = lower(class_name);
  const auto has = [&](std::string_view part) { return name.find(part) != std::string::npos; };
  if (has("mac") || has("compute")) return ComponentKind::compute;
  if (has("noc") || has("network") || has("multicast")) return ComponentKind::neither;
  return ComponentKind::storage;
}

/// Attributes of a component and of all containers around it; the innermost that has one counts.
class Attributes {
 public:
  explicit Attributes(std::vector<Node> scopes) : scopes_(std::move(scopes)) {}

  [[nodiscard]] std::optional<Node> find(const std::vector<std::string>& spellings) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
      if (auto found = scope->find_any(spellings)) return found;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::int64_t> integer(const std::vector<std::string>& spellings,
                                                    std::int64_t least = 1) const {
    const auto found = find(spellings);
    if (!found) return std::nullopt;
    return found->integer(least);
  }
  [[nodiscard]] std::optional<double> number(const std::vector<std::string>& spellings) const {
    const auto found = find(spellings);
    if (!found) return std::nullopt;
    return found->positive_number();
  }

 private:
  std::vector<Node> scopes_;
};

/// Width, block and cluster: two of them give the third, the width alone a block.
void read_block(const Node& component, const Attributes& attributes, TimeloopStorage& storage) {
  storage.word_bits =
      attributes.integer({"word-bits", "word_bits", "word_width", "datawidth", "data_width"})
          .value_or(16);
  const auto cluster = attributes.integer({"cluster-size", "cluster_size"});
  const auto block = attributes.integer({"block-size", "block_size", "n_words"});
  storage.cluster_size = cluster.value_or(1);
  storage.block_size = block.value_or(1);
  const auto width = attributes.integer({"width", "memory_width", "data_storage_width"});
  if (!width) return;
  const std::int64_t words = *width / storage.word_bits;
  if (block && !cluster)
    storage.cluster_size = std::max<std::int64_t>(words / *block, 1);
  else if (!block)
    storage.block_size = std::max<std::int64_t>(words / storage.cluster_size, 1);
  if (storage.block_size > words || storage.cluster_size > words ||
      storage.block_size * storage.cluster_size * storage.word_bits != *width)
    component.fail(fmt::format(
        "{} is {} bits wide, which is not word-bits ({}) x block-size ({}) x cluster-size ({})",
        storage.name, *width, storage.word_bits, storage.block_size, storage.cluster_size));
}

void read_size(const Node& component, const Attributes& attributes, const std::string& class_name,
               TimeloopStorage& storage) {
  const auto depth = attributes.integer({"depth", "memory_depth", "data_storage_depth"}, 0);
  const auto entries = attributes.integer({"entries"}, 0);
  const auto kilobytes = attributes.integer({"sizeKB"}, 0);
  if ((depth ? 1 : 0) + (entries ? 1 : 0) + (kilobytes ? 1 : 0) > 1)
    component.fail(
        fmt::format("{} has its size twice: give depth, entries or sizeKB", storage.name));
  // Without limit, whatever its depth.
  if (class_name.find("DRAM") != std::string::npos) return;
  if (depth) storage.entries = *depth * storage.block_size;
  if (entries) storage.entries = *entries;
  if (kilobytes) storage.entries = *kilobytes * 1024 * 8 / storage.word_bits;
}

TimeloopStorage read_storage(const Node& component, const Attributes& attributes,
                             const std::string& class_name, std::string name) {
  TimeloopStorage storage;
  storage.name = std::move(name);
  storage.where = component.where();
  read_block(component, attributes, storage);
  read_size(component, attributes, class_name, storage);
  storage.multiple_buffering =
      attributes.integer({"multiple-buffering", "multiple_buffering"}).value_or(1);
  storage.read_bandwidth = attributes.number({"read_bandwidth", "read-bandwidth"});
  storage.write_bandwidth = attributes.number({"write_bandwidth", "write-bandwidth"});
  storage.shared_bandwidth = attributes.number({"shared_bandwidth", "shared-bandwidth"});
  if (const auto both = attributes.number({"bandwidth"})) {
    // Timeloop's older word: half of it each way.
    if (!storage.read_bandwidth) storage.read_bandwidth = *both / 2;
    if (!storage.write_bandwidth) storage.write_bandwidth = *both / 2;
  }
  return storage;
}

void read_directives(const Node& list, std::vector<TimeloopDirective>& directives);
TimeloopDirective read_directive(const Node& node, const std::string& target,
                                 const std::string& type);

class ArchitectureReader {
 public:
  ArchitectureReader(TimeloopArchitecture& architecture, std::vector<TimeloopDirective>& inlined)
      : architecture_(architecture), inlined_(inlined) {}

  void read(const Node& node) {
    architecture_.where = node.where();
    if (const auto nodes = node.find("nodes"))
      read_nodes(*nodes);
    else
      read_subtree(node.at("subtree"), 1);
    if (architecture_.levels.empty()) node.fail("the architecture has no storage");
    if (!has_compute_)
      node.fail("the architecture has no compute (a class with 'mac' in its name)");
  }

 private:
  /// Version 0.3: a tree whose nodes list their parts, outermost first, under `local`.
  void read_subtree(const Node& list, std::int64_t instances) {
    const std::vector<Node> nodes = list.elements();
    if (nodes.size() != 1)
      list.fail(fmt::format("{} trees side by side; only one is understood", nodes.size()));
    const Node& node = nodes.front();
    node.allow_only({"name", "attributes", "local", "subtree"});
    const std::int64_t count = bounded_product(node, instances, read_range(node.at("name")).count);
    const std::size_t outer_scopes = push_scope(node);
    if (const auto local = node.find("local"))
      for (const Node& part : local->elements()) read_local(part, count);
    if (const auto subtree = node.find("subtree")) read_subtree(*subtree, count);
    scopes_.erase(scopes_.begin() + static_cast<std::ptrdiff_t>(outer_scopes), scopes_.end());
  }

  void read_local(const Node& part, std::int64_t instances) {
    part.allow_only({"name", "class", "attributes"});
    const Range range = read_range(part.at("name"));
    const std::int64_t count = bounded_product(part, instances, range.count);
    const std::size_t outer_scopes = push_scope(part);
    auto mesh_x = Attributes(scopes_).integer({"meshX", "mesh_x"});
    if (const auto mesh_y = Attributes(scopes_).integer({"meshY", "mesh_y"}); mesh_y && !mesh_x)
      mesh_x = std::max<std::int64_t>(count / *mesh_y, 1);
    if (mesh_x && count % *mesh_x != 0)
      part.fail(fmt::format("meshX {} does not divide the {} instances of {}", *mesh_x, count,
                            range.name));
    add(part, range.name, count, mesh_x.value_or(count));
    scopes_.erase(scopes_.begin() + static_cast<std::ptrdiff_t>(outer_scopes), scopes_.end());
  }

  /// Version 0.4: a list in which each container multiplies all that follows.
  void read_nodes(const Node& list) {
    for (const Node& node : list.elements()) {
      const std::string tag = node.tag();
      if (tag == "!Container") {
        node.allow_only({"name", "attributes", "spatial", "constraints"});
        read_spatial(node);
        push_scope(node);
        read_inlined(node);
      } else if (tag == "!Component") {
        read_component(node);
      } else if (tag == "!Hierarchical") {
        read_nodes(node.at("nodes"));
      } else {
        node.fail(fmt::format("{}; expected !Container, !Component or !Hierarchical",
                              tag.empty() ? "no tag" : "the tag " + tag));
      }
    }
  }

  void read_component(const Node& node) {
    node.allow_only({"name", "class", "subclass", "attributes", "spatial", "constraints",
                     "required_actions", "enabled"});
    read_spatial(node);
    const std::size_t outer_scopes = push_scope(node);
    add(node, node.at("name").text(), instances_, mesh_x_);
    scopes_.erase(scopes_.begin() + static_cast<std::ptrdiff_t>(outer_scopes), scopes_.end());
    read_inlined(node);
  }

  void read_spatial(const Node& node) {
    const auto spatial = node.find("spatial");
    if (!spatial) return;
    spatial->allow_only({"meshX", "meshY"});
    const auto mesh = [&](const char* key) {
      const auto found = spatial->find(key);
      return found ? found->integer(1) : 1;
    };
    mesh_x_ = bounded_product(node, mesh_x_, mesh("meshX"));
    instances_ = bounded_product(node, instances_, mesh("meshX"));
    instances_ = bounded_product(node, instances_, mesh("meshY"));
  }

  /// Version 0.4 lets constraints stand with the component that they bind.
  void read_inlined(const Node& node) {
    const auto constraints = node.find("constraints");
    if (!constraints) return;
    constraints->allow_only({"temporal", "spatial", "dataspace", "data_space"});
    for (const auto& [type, part] : constraints->items())
      inlined_.push_back(read_directive(part, node.at("name").text(), type));
  }

  std::size_t push_scope(const Node& node) {
    const std::size_t before = scopes_.size();
    if (const auto attributes = node.find("attributes"))
      if (attributes->is_map()) scopes_.push_back(*attributes);
    return before;
  }

  void add(const Node& node, const std::string& name, std::int64_t instances, std::int64_t mesh_x) {
    const std::string class_name = node.at("class").text();
    const ComponentKind kind = kind_of_class(class_name);
    if (kind == ComponentKind::neither) return;
    if (has_compute_)
      node.fail(fmt::format("{} stands inside of the compute {}", name, architecture_.compute));
    if (kind == ComponentKind::compute) {
      has_compute_ = true;
      architecture_.compute = name;
      architecture_.compute_instances = instances;
      architecture_.compute_mesh_x = mesh_x;
      return;
    }
    TimeloopStorage storage = read_storage(node, Attributes(scopes_), class_name, name);
    storage.instances = instances;
    storage.mesh_x = mesh_x;
    architecture_.levels.push_back(std::move(storage));
  }

  TimeloopArchitecture& architecture_;
  std::vector<TimeloopDirective>& inlined_;
  std::vector<Node> scopes_;
  std::int64_t instances_ = 1, mesh_x_ = 1;
  bool has_compute_ = false;
};

// --------------------------------------------------------------------------------------- problem

/// The shape that Timeloop calls cnn-layer (its problem-shapes/cnn-layer.yaml).
TimeloopProblem cnn_layer(const SourceLocation& where) {
  using Rank = std::vector<TimeloopProblem::Term>;
  const auto one = [](const char* dimension) { return Rank{{dimension, ""}}; };
  TimeloopProblem problem;
  problem.where = where;
  problem.shape = "cnn-layer";
  problem.dimensions = {"C", "K", "R", "S", "N", "P", "Q"};
  problem.data_spaces = {{"Weights", where, false, {one("C"), one("K"), one("R"), one("S")}},
                         {"Inputs",
                          where,
                          false,
                          {one("N"), one("C"), Rank{{"R", "Wdilation"}, {"P", "Wstride"}},
                           Rank{{"S", "Hdilation"}, {"Q", "Hstride"}}}},
                         {"Outputs", where, true, {one("N"), one("K"), one("Q"), one("P")}}};
  for (const char* coefficient : {"Wstride", "Hstride", "Wdilation", "Hdilation"})
    problem.values[coefficient] = 1;
  return problem;
}

TimeloopProblem::Term read_term(const Node& node) {
  // [D] or [D, coefficient]; a lone name may stand without its brackets.
  if (node.is_text()) return {node.text(), ""};
  const std::vector<Node> parts = node.elements();
  if (parts.empty() || parts.size() > 2)
    node.fail("expected [DIMENSION] or [DIMENSION, COEFFICIENT]");
  return {parts[0].text(), parts.size() == 2 ? parts[1].text() : ""};
}

TimeloopProblem::DataSpace read_data_space(const Node& node) {
  node.allow_only({"name", "projection", "read-write", "read_write"});
  TimeloopProblem::DataSpace space;
  space.name = node.at("name").text();
  space.where = node.where();
  if (const auto read_write = node.find_any({"read-write", "read_write"}))
    space.read_write = read_write->truth();
  for (const Node& rank : node.at("projection").elements()) {
    std::vector<TimeloopProblem::Term>& terms = space.projection.emplace_back();
    for (const Node& term : rank.elements()) terms.push_back(read_term(term));
  }
  return space;
}

TimeloopProblem read_shape(const Node& node) {
  node.allow_only({"name", "dimensions", "coefficients", "data-spaces", "data_spaces", "version"});
  TimeloopProblem problem;
  problem.where = node.where();
  const auto name = node.find("name");
  problem.shape = name ? name->text() : "shape";
  for (const Node& dimension : node.at("dimensions").elements())
    problem.dimensions.push_back(dimension.text());
  if (const auto coefficients = node.find("coefficients"))
    for (const Node& coefficient : coefficients->elements()) {
      const auto value = coefficient.find("default");
      problem.values[coefficient.at("name").text()] = value ? value->integer(1) : 1;
    }
  const auto spaces = node.find_any({"data-spaces", "data_spaces"});
  if (!spaces) node.fail("the shape has no data-spaces");
  for (const Node& space : spaces->elements())
    problem.data_spaces.push_back(read_data_space(space));
  return problem;
}

/// Extents and coefficients; throws where a projection names what has no value.
void read_values(const Node& node, const std::vector<std::string>& read_elsewhere,
                 TimeloopProblem& problem) {
  std::vector<std::string> known = problem.dimensions;
  for (const auto& [coefficient, value] : problem.values) known.push_back(coefficient);
  for (const auto& [key, value] : node.items()) {
    if (std::ranges::find(read_elsewhere, key) != read_elsewhere.end()) continue;
    if (std::ranges::find(known, key) == known.end())
      value.fail_at_key(
          fmt::format("no dimension or coefficient '{}'{}", key, did_you_mean(key, known)));
    problem.values[key] = value.integer(1);
  }
  for (const std::string& dimension : problem.dimensions)
    if (!problem.values.contains(dimension))
      node.fail(fmt::format("the problem gives no extent of {}", dimension));
  for (const TimeloopProblem::DataSpace& space : problem.data_spaces)
    for (const auto& rank : space.projection)
      for (const TimeloopProblem::Term& term : rank)
        if (std::ranges::find(problem.dimensions, term.dimension) == problem.dimensions.end() ||
            (!term.coefficient.empty() && !problem.values.contains(term.coefficient)))
          throw UserError(
              space.where,
              fmt::format("data space {} is projected on '{} {}', which is no dimension "
                          "or coefficient of the shape",
                          space.name, term.dimension, term.coefficient));
}

TimeloopProblem read_problem(const Node& node) {
  const auto shape = node.find("shape");
  TimeloopProblem problem;
  if (!shape || shape->is_text()) {
    const std::string name = shape ? shape->text() : "cnn-layer";
    if (name != "cnn-layer" && name != "cnn_layer")
      shape->fail(
          fmt::format("the shape '{}' is not known here; only cnn-layer is: write the shape "
                      "out (dimensions, data-spaces)",
                      name));
    problem = cnn_layer(node.where());
  } else {
    problem = read_shape(*shape);
  }
  // Older files list the extents beside the shape.
  if (const auto instance = node.find("instance")) {
    node.allow_only({"version", "shape", "instance"});
    read_values(*instance, {}, problem);
  } else {
    read_values(node, {"version", "shape"}, problem);
  }
  return problem;
}

// ---------------------------------------------------------------------- mappings and constraints

/// Reads "R=3", "R3", "P=16,4" or "C<=32" from the front of `text`.
TimeloopFactor read_factor(const Node& node, std::string_view& text) {
  const std::string_view whole = text;
  const auto fail = [&] {
    node.fail(fmt::format("'{}' is not a factor; expected ones as R=3, P=16,4 or C<=32", whole));
  };
  const auto number = [&] {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || value < 0 || value > kLargestNumber) fail();
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
  };
  const auto skip_spaces = [&] {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  };
  TimeloopFactor factor;
  while (!text.empty() &&
         (std::isalpha(static_cast<unsigned char>(text.front())) != 0 || text.front() == '_')) {
    factor.dimension += text.front();
    text.remove_prefix(1);
  }
  if (factor.dimension.empty()) fail();
  skip_spaces();
  if (text.starts_with("<=")) factor.relation = TimeloopFactor::Relation::at_most;
  if (text.starts_with(">=")) factor.relation = TimeloopFactor::Relation::at_least;
  text.remove_prefix(factor.relation != TimeloopFactor::Relation::equal ? 2
                     : text.starts_with('=')                            ? 1
                                                                        : 0);
  skip_spaces();
  factor.bound = number();
  if (text.size() > 1 && text[0] == ',' && std::isdigit(static_cast<unsigned char>(text[1])) != 0) {
    text.remove_prefix(1);
    factor.last_bound = number();
  }
  return factor;
}

std::vector<TimeloopFactor> read_factors(const Node& node) {
  std::vector<TimeloopFactor> factors;
  const auto read_all = [&](const Node& place) {
    const std::string owner = place.text();
    std::string_view text = owner;
    while (true) {
      const std::size_t start = text.find_first_not_of(" ,");
      if (start == std::string_view::npos) break;
      text.remove_prefix(start);
      factors.push_back(read_factor(place, text));
    }
  };
  if (node.is_list())
    for (const Node& part : node.elements()) read_all(part);
  else
    read_all(node);
  for (std::size_t i = 0; i < factors.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (factors[i].dimension == factors[j].dimension)
        node.fail(fmt::format("two factors of {}", factors[i].dimension));
  return factors;
}

/// A list of names, or text: names apart, or one letter each run together.
std::vector<std::string> read_names(const Node& node) {
  std::vector<std::string> names;
  if (node.is_list()) {
    for (const Node& name : node.elements()) names.push_back(name.text());
    return names;
  }
  const std::string text = node.text();
  if (text.find_first_of(" ,") == std::string::npos) {
    for (const char letter : text) names.emplace_back(1, letter);
    return names;
  }
  for (std::size_t start = 0; (start = text.find_first_not_of(" ,", start)) != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(" ,", start), text.size());
    names.push_back(text.substr(start, end - start));
    start = end;
  }
  return names;
}

TimeloopDirective::Kind kind_of_type(const Node& node, const std::string& type) {
  using Kind = TimeloopDirective::Kind;
  static const std::map<std::string, Kind> known{
      {"temporal", Kind::temporal},     {"spatial", Kind::spatial},
      {"bypass", Kind::data_space},     {"bypassing", Kind::data_space},
      {"datatype", Kind::data_space},   {"dataspace", Kind::data_space},
      {"data_space", Kind::data_space},
  };
  const auto found = known.find(type);
  if (found == known.end())
    node.fail(fmt::format("type '{}'; expected temporal, spatial, dataspace or bypass", type));
  return found->second;
}

TimeloopDirective read_directive(const Node& node, const std::string& target,
                                 const std::string& type) {
  node.allow_only({"target", "type", "factors", "permutation", "split", "keep", "bypass"});
  TimeloopDirective directive;
  directive.where = node.where();
  directive.target = target;
  directive.kind = kind_of_type(node, type);
  if (const auto factors = node.find("factors")) directive.factors = read_factors(*factors);
  if (const auto order = node.find("permutation")) directive.permutation = read_names(*order);
  if (const auto split = node.find("split")) directive.split = split->integer();
  const auto names = [&](const char* key) {
    std::vector<std::string> listed;
    if (const auto found = node.find(key))
      for (const Node& name : found->elements()) listed.push_back(name.text());
    return listed;
  };
  directive.keep = names("keep");
  directive.bypass = names("bypass");
  return directive;
}

void read_directives(const Node& list, std::vector<TimeloopDirective>& directives) {
  for (const Node& node : list.elements())
    directives.push_back(read_directive(node, node.at("target").text(), node.at("type").text()));
}

/// A list, or a map with the list under `targets`.
void read_constraints(const Node& node, std::vector<TimeloopDirective>& constraints) {
  if (node.is_list()) return read_directives(node, constraints);
  node.allow_only({"version", "targets"});
  if (const auto targets = node.find("targets")) read_directives(*targets, constraints);
}

// ------------------------------------------------------------------------------------ whole files

const std::vector<std::string> kIgnoredParts{
    "mapper",  "variables", "components", "compound_components",
    "globals", "ERT",       "ART",        "sparse_optimizations"};

void add_document(const Document& document, TimeloopFiles& files) {
  const Node root(document, "", document.value);
  for (const auto& [key, node] : root.items()) {
    const auto once = [&, &at = node](bool given) {
      if (given) at.fail_at_key("a second part of that name");
    };
    if (key == "architecture") {
      once(files.architecture.has_value());
      ArchitectureReader(files.architecture.emplace(), files.constraints).read(node);
    } else if (key == "problem") {
      once(files.problem.has_value());
      files.problem = read_problem(node);
    } else if (key == "mapping") {
      once(!files.mapping.empty());
      read_directives(node, files.mapping);
    } else if (key == "constraints" || key == "architecture_constraints" ||
               key == "mapspace_constraints" || key == "mapspace") {
      read_constraints(node, files.constraints);
    } else if (std::ranges::find(kIgnoredParts, key) != kIgnoredParts.end()) {
      files.ignored.push_back(key);
    } else {
      node.fail_at_key(fmt::format(
          "no part '{}' of Timeloop's files; expected architecture, problem, mapping, constraints",
          key));
    }
  }
}

/// Throws at the first Jinja2 template.
void reject_templates(std::string_view text, const std::string& name) {
  const std::size_t at = std::min(text.find("{{"), text.find("{%"));
  if (at == std::string_view::npos) return;
  const std::string_view before = text.substr(0, at);
  const std::size_t newline = before.rfind('\n');
  const auto line = static_cast<int>(std::ranges::count(before, '\n')) + 1;
  const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  // A flow map may hold a flow map, { a: {b: 1}}, but {{ opens a template in all of Timeloop's
  // files.
  throw UserError({name, line, static_cast<int>(at - start) + 1},
                  "this is a Jinja2 template; expand it first, as with\n  python3 -c 'import "
                  "jinja2, sys; print(jinja2.Environment(loader=jinja2.FileSystemLoader(\".\"))"
                  ".get_template(sys.argv[1]).render())' FILE > EXPANDED.yaml");
}

void add_text(std::string_view text, const std::string& name, TimeloopFiles& files) {
  reject_templates(text, name);
  add_document(parse_yaml(text, name, YamlTags::recorded), files);
}

// ----------------------------------------------------------------------------------------- writing

/// A name as YAML text, in quotes where some reader would take it for something else.
std::string name_text(const std::string& name) {
  static const std::vector<std::string> kWords{"true", "false", "null", "yes", "no",
                                               "on",   "off",   "nan",  "inf"};
  const bool plain =
      !name.empty() && std::isalpha(static_cast<unsigned char>(name.front())) != 0 &&
      std::ranges::all_of(
          name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; }) &&
      std::ranges::find(kWords, lower(name)) == kWords.end();
  return plain ? name : json(name).dump();
}

std::string names_text(std::vector<std::string> names) {
  std::ranges::transform(names, names.begin(), name_text);
  return fmt::format("[ {} ]", fmt::join(names, ", "));
}

/// "PE[0..15]" for 16; the brackets are no trouble in block style.
std::string ranged_name(const std::string& name, std::int64_t count) {
  if (count == 1) return name_text(name);
  const std::string whole = fmt::format("{}[0..{}]", name, count - 1);
  return name_text(name) == name ? whole : json(whole).dump();
}

std::string bandwidth_text(const char* key, const std::optional<double>& words) {
  return words ? fmt::format(", {}: {}", key, *words) : "";
}

std::string attributes_text(const TimeloopStorage& storage) {
  std::string text =
      fmt::format("word-bits: {}, block-size: {}, cluster-size: {}, meshX: {}", storage.word_bits,
                  storage.block_size, storage.cluster_size, storage.mesh_x);
  if (storage.entries) text += fmt::format(", entries: {}", *storage.entries);
  if (storage.multiple_buffering != 1)
    text += fmt::format(", multiple-buffering: {}", storage.multiple_buffering);
  return text + bandwidth_text("read_bandwidth", storage.read_bandwidth) +
         bandwidth_text("write_bandwidth", storage.write_bandwidth) +
         bandwidth_text("shared_bandwidth", storage.shared_bandwidth);
}

std::string to_text(const TimeloopArchitecture& architecture) {
  std::string text =
      "architecture:\n  version: 0.3\n  subtree:\n    - name: system\n      local:\n";
  for (const TimeloopStorage& storage : architecture.levels)
    text += fmt::format("        - name: {}\n          class: {}\n          attributes: {{ {} }}\n",
                        ranged_name(storage.name, storage.instances),
                        storage.entries ? "SRAM" : "DRAM", attributes_text(storage));
  return text + fmt::format(
                    "        - name: {}\n          class: intmac\n"
                    "          attributes: {{ meshX: {} }}\n",
                    ranged_name(architecture.compute, architecture.compute_instances),
                    architecture.compute_mesh_x);
}

std::string projection_text(const TimeloopProblem::DataSpace& space) {
  std::string text;
  for (const auto& rank : space.projection) {
    std::string terms;
    for (const TimeloopProblem::Term& term : rank)
      terms += fmt::format("{}[{}{}{}]", terms.empty() ? "" : ", ", name_text(term.dimension),
                           term.coefficient.empty() ? "" : ", ",
                           term.coefficient.empty() ? "" : name_text(term.coefficient));
    text += fmt::format("{}[{}]", text.empty() ? "" : ", ", terms);
  }
  return text;
}

std::string to_text(const TimeloopProblem& problem) {
  std::string text =
      fmt::format("problem:\n  version: 0.3\n  shape:\n    name: {}\n", name_text(problem.shape));
  text += fmt::format("    dimensions: {}\n", names_text(problem.dimensions));
  std::string coefficients;
  for (const auto& [name, value] : problem.values)
    if (std::ranges::find(problem.dimensions, name) == problem.dimensions.end())
      coefficients += fmt::format("      - {{ name: {}, default: 1 }}\n", name_text(name));
  if (!coefficients.empty()) text += "    coefficients:\n" + coefficients;
  text += "    data-spaces:\n";
  for (const TimeloopProblem::DataSpace& space : problem.data_spaces)
    text +=
        fmt::format("      - name: {}\n        projection: [ {} ]\n{}", name_text(space.name),
                    projection_text(space), space.read_write ? "        read-write: true\n" : "");
  text += "  instance:\n";
  for (const auto& [name, value] : problem.values)
    text += fmt::format("    {}: {}\n", name_text(name), value);
  return text;
}

std::string factors_text(const std::vector<TimeloopFactor>& factors) {
  std::vector<std::string> texts;
  for (const TimeloopFactor& factor : factors) {
    static constexpr std::array<const char*, 3> kSigns{"=", "<=", ">="};
    texts.push_back(fmt::format("{}{}{}", factor.dimension,
                                kSigns.at(static_cast<std::size_t>(factor.relation)),
                                factor.bound));
    if (factor.last_bound) texts.back() += fmt::format(",{}", *factor.last_bound);
  }
  return fmt::format("{}", fmt::join(texts, " "));
}

/// Letters run together, which every version reads, where there are but letters.
std::string order_text(const std::vector<std::string>& order) {
  std::string letters;
  for (const std::string& name : order) letters += name;
  const bool only_letters = letters.size() == order.size() && letters.size() > 1 &&
                            std::ranges::none_of(order, &std::string::empty) &&
                            name_text(letters) == letters;
  return only_letters ? letters : names_text(order);
}

std::string to_text(const TimeloopDirective& directive) {
  static constexpr std::array<const char*, 3> kTypes{"temporal", "spatial", "datatype"};
  std::string text = fmt::format("  - target: {}\n    type: {}\n", name_text(directive.target),
                                 kTypes.at(static_cast<std::size_t>(directive.kind)));
  if (!directive.factors.empty())
    text += fmt::format("    factors: \"{}\"\n", factors_text(directive.factors));
  if (!directive.permutation.empty())
    text += fmt::format("    permutation: {}\n", order_text(directive.permutation));
  if (directive.split) text += fmt::format("    split: {}\n", *directive.split);
  if (!directive.keep.empty()) text += fmt::format("    keep: {}\n", names_text(directive.keep));
  if (!directive.bypass.empty())
    text += fmt::format("    bypass: {}\n", names_text(directive.bypass));
  return text;
}

std::string to_text(const char* key, const std::vector<TimeloopDirective>& directives) {
  if (directives.empty()) return "";
  std::string text = fmt::format("{}:\n", key);
  for (const TimeloopDirective& directive : directives) text += to_text(directive);
  return text;
}

}  // namespace

TimeloopFiles read_timeloop(const std::vector<std::filesystem::path>& paths) {
  TimeloopFiles files;
  for (const std::filesystem::path& path : paths) add_text(read_file(path), path.string(), files);
  return files;
}

TimeloopFiles parse_timeloop(std::string_view text, const std::string& name) {
  TimeloopFiles files;
  add_text(text, name, files);
  return files;
}

std::string to_text(const TimeloopFiles& files) {
  return (files.architecture ? to_text(*files.architecture) : "") +
         (files.problem ? to_text(*files.problem) : "") + to_text("mapping", files.mapping) +
         to_text("constraints", files.constraints);
}

}  // namespace cosearch::datasets
