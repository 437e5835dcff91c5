#include "codesign/predictor_file.h"

#include <charconv>
#include <utility>

#include "core/user_error.h"
#include "datasets/array_file.h"
#include "predictors/registry.h"

namespace cosearch::codesign {
namespace {

constexpr const char* kKind = "predictor";
constexpr std::uint32_t kVersion = 2;

std::vector<predictors::FeatureColumn> columns_of(const datasets::ArrayFile& file,
                                                  const predictors::ModelState& state) {
  const std::vector<std::string>& names = file.text_list("columns");
  const std::vector<double>& kinds = state.numbers_of("column_kinds", names.size());
  std::vector<predictors::FeatureColumn> columns;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!(kinds[i] >= 0 && kinds[i] <= 2)) throw UserError("column '" + names[i] + "' is damaged");
    columns.push_back({names[i], static_cast<predictors::FeatureKind>(kinds[i])});
  }
  return columns;
}

FeatureSource source_of(const datasets::ArrayFile& file) {
  FeatureSource source{
      .space = file.text("space"),
      .space_text = file.texts.contains("space_file") ? file.texts.at("space_file") : "",
      .options = {},
      .features = file.text_list("features"),
      .scores = file.text_list("scores")};
  const std::vector<std::string>& names = file.text_list("space_options");
  const auto values = file.numbers.find("space_option_values");
  if (values == file.numbers.end() || values->second.size() != names.size())
    throw UserError("its options of the space are damaged");
  for (std::size_t i = 0; i < names.size(); ++i)
    source.options[names[i]] = static_cast<std::int64_t>(values->second[i]);
  return source;
}

// As text: a double would round a large seed.
std::uint64_t seed_of(const datasets::ArrayFile& file) {
  const std::string& text = file.text("seed");
  std::uint64_t seed = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, seed);
  if (error != std::errc() || rest != end) throw UserError("its 'seed' is damaged");
  return seed;
}

std::uint64_t examples_of(const predictors::ModelState& state) {
  const double count = state.number("examples");
  if (!(count >= 0 && count < 0x1p53)) throw UserError("its 'examples' are damaged");
  return static_cast<std::uint64_t>(count);
}

TrainedPredictor restored(const datasets::ArrayFile& file,
                          const std::filesystem::path& module_folder) {
  const predictors::ModelState state{file.numbers, file.bytes};
  TrainedPredictor trained{
      .model = file.text("model"),
      .source = source_of(file),
      .target = file.text("target"),
      .kind = file.text("target_kind"),
      .scale = predictors::TargetScale(state),
      .predictor = predictors::make_predictor(file.text("model"), module_folder),
      .examples = examples_of(state),
      .seed = seed_of(file)};
  trained.predictor->restore(state, columns_of(file, state));
  return trained;
}

}  // namespace

void write_predictor(const std::filesystem::path& path, const TrainedPredictor& trained) {
  predictors::ModelState state = trained.predictor->state();
  trained.scale.write(state);
  datasets::ArrayFile file{.kind = kKind, .version = kVersion};
  file.texts = {{"model", trained.model},
                {"space", trained.source.space},
                {"target", trained.target},
                {"target_kind", trained.kind},
                {"seed", std::to_string(trained.seed)}};
  if (!trained.source.space_text.empty()) file.texts["space_file"] = trained.source.space_text;
  file.text_lists = {{"features", trained.source.features}, {"scores", trained.source.scores}};
  for (const auto& [name, value] : trained.source.options) {
    file.text_lists["space_options"].push_back(name);
    state.numbers["space_option_values"].push_back(static_cast<double>(value));
  }
  file.text_lists["space_options"];
  state.numbers["space_option_values"];
  file.text_lists["columns"];
  state.numbers["column_kinds"];
  for (const predictors::FeatureColumn& column : trained.predictor->columns()) {
    file.text_lists["columns"].push_back(column.name);
    state.numbers["column_kinds"].push_back(static_cast<double>(column.kind));
  }
  state.numbers["examples"] = {static_cast<double>(trained.examples)};
  file.numbers = std::move(state.numbers);
  file.bytes = std::move(state.bytes);
  datasets::write_array_file(path, file);
}

TrainedPredictor read_predictor(const std::filesystem::path& path,
                                const std::filesystem::path& module_folder) {
  const datasets::ArrayFile file = datasets::read_array_file(path, kKind, kVersion);
  try {
    return restored(file, module_folder);
  } catch (const FileError&) {
    throw;
  } catch (const UserError& error) {
    throw UserError({path.string()}, error.what());
  }
}

}  // namespace cosearch::codesign
