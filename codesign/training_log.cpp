#include "codesign/training_log.h"

#include <limits>

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

}  // namespace

TrainingLog::TrainingLog(const std::filesystem::path& path, const json& measurement)
    : lines_(path, measurement) {
  for (std::size_t row = 0; row < lines_.rows().size(); ++row) {
    try {
      networks_.push_back(network_of(lines_.rows()[row]));
    } catch (const json::exception&) {
      lines_.fail(row);
    }
  }
}

void TrainingLog::append(const TrainedNetwork& network) { lines_.append(row_of(network)); }

}  // namespace cosearch::codesign
