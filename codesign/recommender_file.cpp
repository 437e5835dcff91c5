#include "codesign/recommender_file.h"

#include <optional>
#include <utility>

#include "core/user_error.h"
#include "datasets/array_file.h"

namespace cosearch::codesign {
namespace {

constexpr const char* kKind = "recommender";
constexpr std::uint32_t kVersion = 1;

TrainedRecommender restored(datasets::ArrayFile file, const std::filesystem::path& module_folder) {
  const std::optional<Metric> objective = metric_named(file.text("objective"));
  if (!objective) throw UserError("its objective is damaged");
  TrainedRecommender trained{
      .model = file.text("model"),
      .objective = *objective,
      .choices = file.text_list("choices"),
      .recommender = predictors::make_recommender(file.text("model"), module_folder)};
  std::vector<predictors::FeatureColumn> columns;
  for (const std::string& name : file.text_list("columns"))
    columns.push_back({name, predictors::FeatureKind::continuous});
  trained.recommender->restore({std::move(file.numbers), std::move(file.bytes)},
                               std::move(columns));
  if (trained.recommender->choices() != trained.choices.size())
    throw UserError("its choices are damaged");
  return trained;
}

}  // namespace

void write_recommender(const std::filesystem::path& path, const TrainedRecommender& trained) {
  predictors::ModelState state = trained.recommender->state();
  datasets::ArrayFile file{.kind = kKind, .version = kVersion};
  file.texts = {{"model", trained.model},
                {"objective", std::string(info_of(trained.objective).name)}};
  file.text_lists["choices"] = trained.choices;
  for (const predictors::FeatureColumn& column : trained.recommender->columns())
    file.text_lists["columns"].push_back(column.name);
  file.numbers = std::move(state.numbers);
  file.bytes = std::move(state.bytes);
  datasets::write_array_file(path, file);
}

TrainedRecommender read_recommender(const std::filesystem::path& path,
                                    const std::filesystem::path& module_folder) {
  datasets::ArrayFile file = datasets::read_array_file(path, kKind, kVersion);
  try {
    return restored(std::move(file), module_folder);
  } catch (const FileError&) {
    throw;
  } catch (const UserError& error) {
    throw UserError({path.string()}, error.what());
  }
}

}  // namespace cosearch::codesign
