#include "nas/encoding.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "core/user_error.h"
#include "nas/cell_encodings.h"
#include "nas/cell_graph.h"
#include "nas/choice_space.h"
#include "nas/described_space.h"
#include "nas/nas_bench_201.h"

namespace cosearch::nas {
namespace {

constexpr const char* kCellSpace = "nas-bench-201";
constexpr std::size_t kCellNodes = 4;

// Operations that a cell's graph may hold, by number; none and skip_connect are gone from it.
constexpr std::array<std::uint32_t, 3> kCellOperations{2, 3, 4};
constexpr std::uint32_t kConvolution1x1 = 2, kConvolution3x3 = 3, kPool = 4;
constexpr std::size_t kLongestPath = 3;

using Columns = std::vector<EncodingColumn>;
using Encode = std::function<std::vector<double>(const std::string&)>;

/// A file may describe a space of the same name.
bool has_cells(const NetworkSpace& space) {
  return space.name() == kCellSpace && dynamic_cast<const DescribedSpace*>(&space) == nullptr;
}

const ChoiceSpace& as_choices(const NetworkSpace& space) {
  const auto* choices = dynamic_cast<const ChoiceSpace*>(&space);
  if (choices == nullptr)
    throw UserError("space '" + space.name() + "' has no encodings: it is no space of choices");
  return *choices;
}

CellGraph cell_of(const NetworkSpace& space, const std::string& genotype) {
  return {kCellNodes, nas_bench_201_edges(as_choices(space).choices(genotype))};
}

class Encoder final : public NetworkEncoder {
 public:
  Encoder(std::shared_ptr<const NetworkSpace> space, Columns columns, Encode encode)
      : space_(std::move(space)), columns_(std::move(columns)), encode_(std::move(encode)) {}
  [[nodiscard]] const Columns& columns() const override { return columns_; }
  [[nodiscard]] std::vector<double> encode(const std::string& genotype) const override {
    return encode_(genotype);
  }

 private:
  std::shared_ptr<const NetworkSpace> space_;  // what encode_ refers to
  Columns columns_;
  Encode encode_;
};

using Maker = std::unique_ptr<NetworkEncoder> (*)(std::shared_ptr<const NetworkSpace>);

std::unique_ptr<NetworkEncoder> one_hot(std::shared_ptr<const NetworkSpace> space) {
  const ChoiceSpace& choices = as_choices(*space);
  Columns columns;
  for (std::size_t i = 0; i < choices.choice_counts().size(); ++i)
    for (std::uint32_t a = 0; a < choices.choice_counts()[i]; ++a)
      columns.push_back(
          {"choice" + std::to_string(i) + "=" + std::to_string(a), EncodingKind::indicator});
  return std::make_unique<Encoder>(space, std::move(columns), [&choices](const std::string& text) {
    std::vector<double> values;
    const Choices chosen = choices.choices(text);
    for (std::size_t i = 0; i < chosen.size(); ++i)
      for (std::uint32_t a = 0; a < choices.choice_counts()[i]; ++a)
        values.push_back(chosen[i] == a ? 1 : 0);
    return values;
  });
}

std::unique_ptr<NetworkEncoder> unit(std::shared_ptr<const NetworkSpace> space) {
  const ChoiceSpace& choices = as_choices(*space);
  Columns columns;
  for (std::size_t i = 0; i < choices.choice_counts().size(); ++i)
    columns.push_back({"choice" + std::to_string(i), EncodingKind::continuous});
  return std::make_unique<Encoder>(space, std::move(columns), [&choices](const std::string& text) {
    std::vector<double> values;
    const Choices chosen = choices.choices(text);
    for (std::size_t i = 0; i < chosen.size(); ++i)
      values.push_back(choices.choice_counts()[i] == 1 || chosen[i] == kIdle
                           ? 0.0
                           : static_cast<double>(chosen[i]) / (choices.choice_counts()[i] - 1));
    return values;
  });
}

// The operations on each way from a cell's input to its output, a way for each repetition.
using Path = std::vector<std::uint32_t>;

std::vector<Path> paths_of(const CellGraph& cell) {
  std::vector<std::vector<Path>> ending_at(cell.output() + 1);
  ending_at[0] = {{}};
  for (CellGraph::VertexId v = 1; v <= cell.output(); ++v)
    for (const CellGraph::VertexId operand : cell.operands(v))
      for (Path path : ending_at[operand]) {
        if (v != cell.output()) path.push_back(cell.graph()[v].operation);
        ending_at[v].push_back(std::move(path));
      }
  return ending_at.back();
}

// Every path there can be, the shortest first.
std::vector<Path> possible_paths() {
  std::vector<Path> paths{{}};
  for (std::size_t first = 0, length = 1; length <= kLongestPath; ++length) {
    const std::size_t end = paths.size();
    for (; first < end; ++first)
      for (const std::uint32_t operation : kCellOperations) {
        Path longer = paths[first];
        longer.push_back(operation);
        paths.push_back(std::move(longer));
      }
  }
  return paths;
}

std::string name_of(const Path& path) {
  std::string name = "path";
  for (const std::uint32_t operation : path) name += "/" + nas_bench_201_operations()[operation];
  return name;
}

std::unique_ptr<NetworkEncoder> path(std::shared_ptr<const NetworkSpace> space) {
  Columns columns;
  std::map<Path, std::size_t> places;
  for (const Path& possible : possible_paths()) {
    places.emplace(possible, columns.size());
    columns.push_back({name_of(possible), EncodingKind::count});
  }
  return std::make_unique<Encoder>(space, std::move(columns),
                                   [&space = *space, places](const std::string& text) {
                                     std::vector<double> counts(places.size());
                                     for (const Path& path : paths_of(cell_of(space, text)))
                                       ++counts[places.at(path)];
                                     return counts;
                                   });
}

double count_of(const Path& path, std::uint32_t operation) {
  return static_cast<double>(std::ranges::count(path, operation));
}

double convolutions_on(const Path& path) {
  return count_of(path, kConvolution1x1) + count_of(path, kConvolution3x3);
}

double pools_on(const Path& path) { return count_of(path, kPool); }
double wide_convolutions_on(const Path& path) { return count_of(path, kConvolution3x3); }
double length_of(const Path& path) { return static_cast<double>(path.size()); }

// Least and most of `measure` over the paths; zero where there are none.
void append_range(std::vector<double>& values, const std::vector<Path>& paths,
                  double (*measure)(const Path&)) {
  double least = paths.empty() ? 0 : measure(paths.front()), most = least;
  for (const Path& path : paths) {
    least = std::min(least, measure(path));
    most = std::max(most, measure(path));
  }
  values.insert(values.end(), {least, most});
}

std::vector<double> running_operations(const CellGraph& cell) {
  std::vector<double> counts;
  for (const std::uint32_t operation : kCellOperations) {
    counts.push_back(0);
    for (CellGraph::VertexId v = 1; v < cell.output(); ++v)
      if (cell.graph()[v].operation == operation) ++counts.back();
  }
  return counts;
}

Columns running_columns() {
  Columns columns;
  for (const std::uint32_t operation : kCellOperations)
    columns.push_back({nas_bench_201_operations()[operation], EncodingKind::continuous});
  return columns;
}

std::unique_ptr<NetworkEncoder> cell(std::shared_ptr<const NetworkSpace> space) {
  Columns columns = running_columns();
  for (const char* name : {"edges", "paths", "straight paths", "least length", "most length",
                           "least convolutions", "most convolutions", "least 3x3 convolutions",
                           "most 3x3 convolutions", "least pools", "most pools"})
    columns.push_back({name, EncodingKind::continuous});
  return std::make_unique<Encoder>(
      space, std::move(columns), [&space = *space](const std::string& text) {
        const CellGraph cell = cell_of(space, text);
        const std::vector<Path> paths = paths_of(cell);
        std::vector<double> values = running_operations(cell);
        values.push_back(static_cast<double>(boost::num_edges(cell.graph())));
        values.push_back(static_cast<double>(paths.size()));
        values.push_back(static_cast<double>(
            std::ranges::count_if(paths, [](const Path& path) { return path.empty(); })));
        append_range(values, paths, length_of);
        append_range(values, paths, convolutions_on);
        append_range(values, paths, wide_convolutions_on);
        append_range(values, paths, pools_on);
        return values;
      });
}

std::unique_ptr<NetworkEncoder> running(std::shared_ptr<const NetworkSpace> space) {
  return std::make_unique<Encoder>(space, running_columns(),
                                   [&space = *space](const std::string& text) {
                                     return running_operations(cell_of(space, text));
                                   });
}

std::unique_ptr<NetworkEncoder> spelled(std::shared_ptr<const NetworkSpace> space) {
  Columns columns;
  for (const std::string& operation : nas_bench_201_operations())
    columns.push_back({operation, EncodingKind::continuous});
  return std::make_unique<Encoder>(
      space, std::move(columns), [&space = *space](const std::string& text) {
        std::vector<double> counts(nas_bench_201_operations().size());
        for (const std::uint32_t choice : as_choices(space).choices(text)) ++counts[choice];
        return counts;
      });
}

/// Of the spelling that all spellings of a network share.
template <CellEncoding (*make)()>
std::unique_ptr<NetworkEncoder> of_canonical(std::shared_ptr<const NetworkSpace> space) {
  CellEncoding encoding = make();
  const ChoiceSpace& choices = as_choices(*space);
  return std::make_unique<Encoder>(
      space, std::move(encoding.columns),
      [&choices, encode = std::move(encoding.encode)](const std::string& text) {
        return encode(choices.choices(choices.canonical(text)));
      });
}

const std::map<std::string, Maker>& makers_of(const NetworkSpace& space) {
  using Makers = std::map<std::string, Maker>;
  static const Makers kOfChoices{{"one-hot", one_hot}, {"unit", unit}};
  static const std::map<std::string, Makers> kOfCells{
      {kCellSpace,
       {{"adjacency", of_canonical<nas_bench_201_adjacency>},
        {"cell", cell},
        {"one-hot", one_hot},
        {"path", path},
        {"running", running},
        {"spelled", spelled},
        {"unit", unit}}},
      {"nas-bench-101",
       {{"adjacency", of_canonical<nas_bench_101_adjacency>},
        {"one-hot", one_hot},
        {"path", of_canonical<nas_bench_101_paths>},
        {"unit", unit}}},
      {"darts",
       {{"adjacency", of_canonical<darts_adjacency>},
        {"one-hot", one_hot},
        {"path", of_canonical<darts_paths>},
        {"unit", unit}}}};
  // A file may describe a space that is called like one of these.
  const auto found = dynamic_cast<const DescribedSpace*>(&space) == nullptr
                         ? kOfCells.find(space.name())
                         : kOfCells.end();
  return found == kOfCells.end() ? kOfChoices : found->second;
}

}  // namespace

std::vector<std::string> encoding_names(const NetworkSpace& space) {
  std::vector<std::string> names;
  for (const auto& [name, maker] : makers_of(space)) names.push_back(name);
  return names;
}

std::unique_ptr<NetworkEncoder> make_encoder(std::shared_ptr<const NetworkSpace> space,
                                             const std::string& encoding) {
  const auto& makers = makers_of(*space);
  const auto maker = makers.find(encoding);
  if (maker == makers.end())
    throw UserError("space '" + space->name() + "' has no encoding '" + encoding + "'" +
                    did_you_mean(encoding, encoding_names(*space)));
  return maker->second(std::move(space));
}

std::uint32_t graph_operations(const NetworkSpace& space) {
  return has_cells(space) ? static_cast<std::uint32_t>(kCellOperations.size()) + 2 : 0;
}

EncodedGraph encode_graph(const NetworkSpace& space, const std::string& genotype) {
  const CellGraph cell = cell_of(space, genotype);
  EncodedGraph encoded;
  for (CellGraph::VertexId v = 0; v <= cell.output(); ++v) {
    const bool is_input = v == 0, is_output = v == cell.output();
    const auto operation = static_cast<std::uint32_t>(
        std::ranges::find(kCellOperations, cell.graph()[v].operation) - kCellOperations.begin());
    encoded.operations.push_back(is_input ? 0 : is_output ? 1 : 2 + operation);
    for (const CellGraph::VertexId operand : cell.operands(v))
      encoded.edges.emplace_back(static_cast<std::uint32_t>(operand),
                                 static_cast<std::uint32_t>(v));
  }
  return encoded;
}

}  // namespace cosearch::nas
