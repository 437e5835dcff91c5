#include "codesign/mpi/ranks.h"

#include <fmt/format.h>
#include <mpi.h>

#include <cstdint>
#include <exception>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "datasets/byte_stream.h"

namespace cosearch::codesign {
namespace {

constexpr std::uint64_t kGoHome = ~std::uint64_t{0};

// Which rank costs task `i` of a batch. Neighbours are much alike, so they go to different ranks;
// but every size-th task may be alike too (every other layer depthwise, every other chip small), so
// the order of the ranks turns with every digit of `i`: the digits' sum, in base `size`.
std::size_t owner(std::size_t i, std::size_t size) {
  std::size_t sum = 0;
  for (; size > 1 && i > 0; i /= size) sum += i % size;
  return size > 1 ? sum % size : 0;
}

std::vector<LayerTask> share_of(const MpiJob& job, std::span<const LayerTask> tasks) {
  const auto rank = static_cast<std::size_t>(job.rank()),
             size = static_cast<std::size_t>(job.size());
  std::vector<LayerTask> share;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (owner(i, size) == rank) share.push_back(tasks[i]);
  return share;
}

std::string costed(LayerCoster& local, std::span<const LayerTask> share) {
  std::vector<LayerOutcome> outcomes(share.size());
  local.cost(share, outcomes);
  std::string bytes;
  datasets::ByteWriter out(bytes);
  for (const LayerOutcome& outcome : outcomes) {
    out.put(outcome.cycles);
    out.put(outcome.energy_pj);
    out.put(outcome.failure);
  }
  return bytes;
}

// The shares of all ranks, by rank, on rank 0; empty elsewhere.
std::vector<std::string> gathered(const MpiJob& job, const std::string& share) {
  const int size = static_cast<int>(share.size());
  std::vector<int> sizes(static_cast<std::size_t>(job.size()));
  MPI_Gather(&size, 1, MPI_INT, sizes.data(), 1, MPI_INT, 0, MPI_COMM_WORLD);
  std::vector<int> starts(sizes.size());
  std::exclusive_scan(sizes.begin(), sizes.end(), starts.begin(), 0);
  std::string all(job.rank() == 0 ? static_cast<std::size_t>(starts.back() + sizes.back()) : 0,
                  '\0');
  MPI_Gatherv(share.data(), size, MPI_CHAR, all.data(), sizes.data(), starts.data(), MPI_CHAR, 0,
              MPI_COMM_WORLD);
  std::vector<std::string> shares;
  for (std::size_t rank = 0; job.rank() == 0 && rank < sizes.size(); ++rank)
    shares.push_back(
        all.substr(static_cast<std::size_t>(starts[rank]), static_cast<std::size_t>(sizes[rank])));
  return shares;
}

void broadcast(std::uint64_t& count) { MPI_Bcast(&count, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD); }

void broadcast(std::vector<LayerTask>& tasks) {
  static_assert(sizeof(LayerTask) == 2 * sizeof(std::uint32_t));
  MPI_Bcast(tasks.data(), static_cast<int>(2 * tasks.size()), MPI_UINT32_T, 0, MPI_COMM_WORLD);
}

}  // namespace

MpiJob::MpiJob() {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
}

MpiJob::~MpiJob() { MPI_Finalize(); }

int MpiJob::first_failed(bool failed) const {
  const int mine = failed ? rank_ : size_;
  int first = size_;
  MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  return first;
}

MpiLayerCoster::~MpiLayerCoster() {
  std::uint64_t count = kGoHome;
  broadcast(count);
}

void MpiLayerCoster::cost(std::span<const LayerTask> tasks, std::span<LayerOutcome> outcomes) {
  std::uint64_t count = tasks.size();
  broadcast(count);
  std::vector<LayerTask> all(tasks.begin(), tasks.end());
  broadcast(all);
  // The others are waited for even where this rank's share fails: they could not go home else.
  std::string share;
  std::exception_ptr failure;
  try {
    share = costed(local_, share_of(job_, all));
  } catch (...) {
    failure = std::current_exception();
  }
  const std::vector<std::string> shares = gathered(job_, share);
  if (failure) std::rethrow_exception(failure);
  std::vector<datasets::ByteReader> of_rank(shares.begin(), shares.end());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    datasets::ByteReader& in = of_rank[owner(i, shares.size())];
    outcomes[i].cycles = in.take<std::int64_t>();
    outcomes[i].energy_pj = in.take<double>();
    outcomes[i].failure = in.take_text();
  }
}

void serve_layer_costs(const MpiJob& job, LayerCoster& local) {
  for (;;) {
    std::uint64_t count = 0;
    broadcast(count);
    if (count == kGoHome) return;
    std::vector<LayerTask> tasks(count);
    broadcast(tasks);
    std::string share;
    try {
      share = costed(local, share_of(job, tasks));
    } catch (const std::exception& error) {
      std::cerr << fmt::format("cosearch: rank {} of {}: {}\n", job.rank(), job.size(),
                               error.what());
      MPI_Abort(MPI_COMM_WORLD, 1);
    }
    static_cast<void>(gathered(job, share));
  }
}

}  // namespace cosearch::codesign
