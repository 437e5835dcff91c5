#include "codesign/training_log.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "codesign/record.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

json row_of(const TrainedNetwork& network) {
  const nas::TrainingResult& result = network.result;
  return {{"genotype", network.job.genotype},
          {"seed", network.job.seed},
          {"accuracy_percent", result.test_accuracy_percent},
          {"epoch_accuracy_percent", result.epoch_accuracy_percent},
          {"epoch_validation_percent", result.epoch_validation_percent},
          {"epoch_loss", result.epoch_loss},
          {"parameters", result.parameters},
          {"seconds", result.seconds},
          {"failure", result.failure}};
}

TrainedNetwork network_of(const json& row) {
  TrainedNetwork network;
  network.job = {row.at("genotype"), row.at("seed")};
  nas::TrainingResult& result = network.result;
  // JSON has no word for what is not a number.
  const json& accuracy = row.at("accuracy_percent");
  result.test_accuracy_percent =
      accuracy.is_null() ? std::numeric_limits<double>::quiet_NaN() : accuracy.get<double>();
  result.epoch_accuracy_percent = row.at("epoch_accuracy_percent").get<std::vector<double>>();
  result.epoch_validation_percent = row.at("epoch_validation_percent").get<std::vector<double>>();
  result.epoch_loss = row.at("epoch_loss").get<std::vector<double>>();
  result.parameters = row.at("parameters");
  result.seconds = row.at("seconds");
  result.failure = row.at("failure");
  return network;
}

void require_same(const json& found, const json& expected, const std::filesystem::path& path) {
  if (const std::string text = differences(found, expected); !text.empty())
    throw UserError({path.string(), 1},
                    fmt::format("was begun for another measurement: {}; remove the file to start "
                                "anew, or name another table",
                                text));
}

std::string content_of(const datasets::Descriptor& file) {
  std::string text(file.size(), '\0');
  text.resize(file.read_at(0, text));
  return text;
}

}  // namespace

TrainingLog::TrainingLog(const std::filesystem::path& path, const json& measurement)
    : lock_(path), file_(lock_.store(), O_CREAT | O_RDWR) {
  read(measurement);
}

void TrainingLog::read(const json& measurement) {
  const std::string text = content_of(file_);
  std::size_t end = 0;
  int line = 0;
  for (std::size_t stop; (stop = text.find('\n', end)) != std::string::npos; end = stop + 1) {
    ++line;
    const json row = json::parse(std::string_view(text).substr(end, stop - end), nullptr,
                                 /*allow_exceptions=*/false);
    if (line == 1 && row.is_object()) {
      require_same(row, measurement, file_.name());
      continue;
    }
    try {
      networks_.push_back(network_of(row));
    } catch (const json::exception&) {
      throw UserError({file_.name().string(), line},
                      "is damaged: expected a trained network as a JSON object; remove this line "
                      "to train it again");
    }
  }
  // A line without an end was not acknowledged.
  file_.truncate(end);
  end_ = end;
  if (line > 0) return;
  append(measurement);
  datasets::synchronise_folder_of(file_.name());
}

void TrainingLog::append(const TrainedNetwork& network) { append(row_of(network)); }

void TrainingLog::append(const json& row) {
  const std::string line = row.dump() + "\n";
  file_.write_at(end_, line);
  file_.synchronise();
  end_ += line.size();  // not before: after an error the next line takes this one's place
}

void TrainingLog::remove() { std::filesystem::remove(file_.name()); }

}  // namespace cosearch::codesign
