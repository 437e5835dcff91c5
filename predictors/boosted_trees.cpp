#include "predictors/boosted_trees.h"

#include <xgboost/c_api.h>

#include <cmath>
#include <limits>
#include <utility>

#include "core/random.h"
#include "core/user_error.h"

namespace cosearch::predictors {
namespace {

void check(int status, const char* action) {
  if (status != 0)
    throw UserError(std::string("XGBoost cannot ") + action + ": " + XGBGetLastError());
}

/// Owns a handle of the C interface.
template <int (*kFree)(void*)>
class Owned {
 public:
  explicit Owned(void* handle) : handle_(handle) {}
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() {
    if (handle_ != nullptr) kFree(handle_);
  }
  [[nodiscard]] void* get() const { return handle_; }

 private:
  void* handle_;
};
using DataMatrix = Owned<XGDMatrixFree>;
using Booster = Owned<XGBoosterFree>;

DataMatrix data_of(const Examples& examples) {
  const std::vector<float> values(examples.features.begin(), examples.features.end());
  DMatrixHandle handle = nullptr;
  check(XGDMatrixCreateFromMat(values.data(), examples.rows(), examples.columns.size(),
                               std::numeric_limits<float>::quiet_NaN(), &handle),
        "take the features");
  return DataMatrix(handle);
}

void set(const Booster& booster, const char* name, const std::string& value) {
  check(XGBoosterSetParam(booster.get(), name, value.c_str()), "be configured");
}

// Threads are the caller's: a worker each.
void use_one_thread(const Booster& booster) {
  set(booster, "nthread", "1");
  set(booster, "verbosity", "0");
}

class Trees final : public FoldEnsemble::Member {
 public:
  explicit Trees(Booster booster) : booster_(std::move(booster)) {}

  [[nodiscard]] std::vector<double> predict(const Examples& examples) const override {
    const DataMatrix data = data_of(examples);
    const char* config = R"({"type": 0, "training": false, "iteration_begin": 0,
                             "iteration_end": 0, "strict_shape": false})";
    const bst_ulong* shape = nullptr;
    bst_ulong dimensions = 0;
    const float* values = nullptr;
    check(XGBoosterPredictFromDMatrix(booster_.get(), data.get(), config, &shape, &dimensions,
                                      &values),
          "predict");
    return {values, values + examples.rows()};
  }

  [[nodiscard]] std::vector<std::uint8_t> bytes() const override {
    bst_ulong size = 0;
    const char* data = nullptr;
    check(XGBoosterSaveModelToBuffer(booster_.get(), R"({"format": "ubj"})", &size, &data),
          "write its model");
    return {data, data + size};
  }

 private:
  Booster booster_;
};

}  // namespace

std::unique_ptr<FoldEnsemble::Member> BoostedTrees::train(const Examples& examples,
                                                          std::span<const double> targets,
                                                          std::uint64_t seed,
                                                          std::size_t number) const {
  const DataMatrix data = data_of(examples);
  const std::vector<float> labels(targets.begin(), targets.end());
  check(XGDMatrixSetFloatInfo(data.get(), "label", labels.data(), labels.size()),
        "take the targets");

  BoosterHandle handle = nullptr;
  const DMatrixHandle training = data.get();
  check(XGBoosterCreate(&training, 1, &handle), "start");
  Booster booster(handle);
  use_one_thread(booster);
  set(booster, "objective", options_.loss == Loss::pairwise ? "rank:pairwise" : "reg:squarederror");
  set(booster, "max_depth", std::to_string(options_.depth));
  set(booster, "eta", std::to_string(options_.learning_rate));
  set(booster, "subsample", std::to_string(options_.row_share));
  set(booster, "colsample_bytree", std::to_string(options_.column_share));
  set(booster, "seed", std::to_string(Random(seed, "boosted trees", number).bits32() >> 1));
  for (int tree = 0; tree < options_.trees; ++tree)
    check(XGBoosterUpdateOneIter(booster.get(), tree, data.get()), "grow a tree");
  return std::make_unique<Trees>(std::move(booster));
}

std::unique_ptr<FoldEnsemble::Member> BoostedTrees::load(
    const std::vector<std::uint8_t>& bytes) const {
  BoosterHandle handle = nullptr;
  check(XGBoosterCreate(nullptr, 0, &handle), "start");
  Booster booster(handle);
  use_one_thread(booster);
  check(XGBoosterLoadModelFromBuffer(booster.get(), bytes.data(), bytes.size()), "read its model");
  return std::make_unique<Trees>(std::move(booster));
}

}  // namespace cosearch::predictors
