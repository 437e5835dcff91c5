#include "codesign/supernet_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "codesign/accuracy_measurement.h"
#include "codesign/record.h"
#include "core/user_error.h"
#include "datasets/file_bytes.h"
#include "datasets/fingerprint.h"
#include "datasets/partial_file.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr const char* kSpaceText = "space_text";

// "cosearch supernet 1 CHECKSUM\n", then the record on a line, then the bytes. The checksum is of
// all that follows it.
std::string start_of(const std::string& kind, int version) {
  return fmt::format("cosearch {} {} ", kind, version);
}

std::string checksum_of(std::string_view bytes) {
  const datasets::Fingerprint halves = datasets::fingerprint_of(bytes);
  return fmt::format("{:016x}{:016x}\n", halves[0], halves[1]);
}

constexpr std::size_t kChecksumLength = 33;

// Whose fingerprint stays: for people, and for what is written often.
json without_text(json record) {
  record.erase(kSpaceText);
  return record;
}

}  // namespace

json record_of(const SupernetMeasurement& measurement, std::uint64_t seed,
               const datasets::ImageData& images) {
  const SpaceSource& space = measurement.space;
  json record = record_of(AccuracyMeasurement{.space = space.name,
                                              .space_text = space.text,
                                              .space_options = measurement.space_options,
                                              .recipe = measurement.recipe.training},
                          images);
  record["sampling"] = nas::name_of(measurement.recipe.sampling);
  record["random_paths"] = measurement.recipe.random_paths;
  // Left out where it is what earlier programs did, whose supernets stay readable.
  if (measurement.recipe.sharing != nas::WeightSharing::shapes)
    record["sharing"] = nas::name_of(measurement.recipe.sharing);
  record["seed"] = seed;
  if (space.is_file()) record[kSpaceText] = space.text;
  return record;
}

RecordedState::Content RecordedState::read(const std::filesystem::path& path,
                                           const std::string& kind) {
  const std::string content = datasets::read_file(path);
  const std::string any_version = fmt::format("cosearch {} ", kind);
  if (!content.starts_with(any_version))
    throw UserError({path.string()}, fmt::format("is no {} of cosearch", kind));
  const std::string start = start_of(kind, kVersion);
  if (!content.starts_with(start))
    throw UserError(
        {path.string()},
        fmt::format("is a {} of version {}; this program reads version {}", kind,
                    content.substr(any_version.size(),
                                   content.find(' ', any_version.size()) - any_version.size()),
                    kVersion));
  const std::size_t begin = std::min(start.size() + kChecksumLength, content.size());
  const std::string_view body = std::string_view(content).substr(begin);
  if (content.substr(start.size(), kChecksumLength) != checksum_of(body))
    throw UserError({path.string()}, "is damaged: its checksum is not that of its content");
  const std::size_t end = body.find('\n');
  return {json::parse(body.substr(0, end)), std::string(body.substr(end + 1))};
}

std::optional<std::string> RecordedState::load() {
  if (!std::filesystem::exists(path_)) return std::nullopt;
  Content content = read(path_, kind_);
  if (const std::string text = differences(without_text(content.record), without_text(record_));
      !text.empty())
    throw UserError({path_.string()},
                    fmt::format("was begun otherwise: {}; remove the file to start anew, or name "
                                "another output",
                                text));
  return std::move(content.bytes);
}

void RecordedState::save(std::string_view bytes) {
  std::string body = record_.dump() + "\n";
  body += bytes;
  datasets::write_file(path_, start_of(kind_, kVersion) + checksum_of(body) + body);
}

void RecordedState::remove() const {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

OpenSupernet open_supernet(const std::filesystem::path& path,
                           const std::filesystem::path& module_folder,
                           const datasets::ImageData& images, nas::EvaluationOptions options) {
  const auto [record, state] = RecordedState::read(path, kSupernetKind);
  OpenSupernet open;
  nas::SupernetRecipe recipe;
  SupernetMeasurement measurement;
  try {
    measurement.space = {record.at("space"), record.value(kSpaceText, "")};
    measurement.space_options = record.at("space_options");
    recipe.training = recipe_in(record);
    recipe.sampling = nas::path_sampling_named(record.at("sampling").get<std::string>());
    recipe.random_paths = record.at("random_paths");
    if (record.contains("sharing"))
      recipe.sharing = nas::weight_sharing_named(record["sharing"].get<std::string>());
    measurement.recipe = recipe;
    const json expected = record_of(measurement, record.at("seed"), images);
    open.record = without_text(record);
    if (const std::string text = differences(open.record, without_text(expected)); !text.empty())
      throw UserError({path.string()}, "was trained on other images: " + text);
  } catch (const json::exception& error) {
    throw UserError({path.string()},
                    std::string("has a record that cannot be read: ") + error.what());
  }
  open.source = measurement.space;
  open.space_options = measurement.space_options;
  open.space = make_space(open.source, open.space_options);
  const nas::EvaluationOptions usual;
  const std::int64_t trained = recipe.training.training_images;
  if (options.recalibration_images == 0)
    options.recalibration_images = std::min(usual.recalibration_images, trained);
  if (options.validation_images == 0)
    options.validation_images = std::min(usual.validation_images, images.training.count - trained);
  open.supernet =
      nas::load_supernet_trainer(module_folder)
          ->load(state, *open.space, recipe, options, view_of(images.training, images.classes));
  return open;
}

}  // namespace cosearch::codesign
