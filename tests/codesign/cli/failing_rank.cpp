// A search over ranks, on one of which costing layers fails after three batches.
//
//   mpirun -n RANKS failing_rank STUDY STORE FAILING_RANK
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include "codesign/mpi/ranks.h"
#include "codesign/run_study.h"

namespace {

using namespace cosearch::codesign;

class FailingCoster final : public LayerCoster {
 public:
  FailingCoster(LayerCoster& local, bool fails) : local_(local), fails_(fails) {}
  void cost(std::span<const LayerTask> tasks, std::span<LayerOutcome> outcomes) override {
    if (fails_ && ++batches_ > 3) throw std::runtime_error("the fourth batch fails here");
    local_.cost(tasks, outcomes);
  }

 private:
  LayerCoster& local_;
  bool fails_;
  int batches_ = 0;
};

}  // namespace

int main(int, char** argv) {
  StudySetting setting(read_study(argv[1], {}), 1);
  const MpiJob job;
  LocalLayerCoster local(setting.space, setting.workers);
  FailingCoster failing(local, job.rank() == std::stoi(argv[3]));
  if (job.rank() != 0) {
    serve_layer_costs(job, failing);
    return 0;
  }
  MpiLayerCoster all_ranks(job, failing);
  setting.evaluator.use(all_ranks);
  try {
    static_cast<void>(run_study(setting, {.output = argv[2]}));
  } catch (const std::exception& error) {
    std::cerr << "rank 0: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
