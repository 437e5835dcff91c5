// Do our ranks of networks agree with MAESTRO's on the same dataflows?
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "accel/nest_vector_layer.h"
#include "core/network.h"
#include "nas/space.h"
#include "tests/accel/rank_correlation.h"
#include "tests/accel/support.h"
#include "tests/support/reference_data.h"

namespace cosearch::accel::test {
namespace {

using cosearch::test::reference_data;
using datasets::Table;

/// PEs and bandwidths as the reference's machine has them. The reference's buffers are
/// unlimited and its energy has no DRAM; ours are large enough for its largest tiles.
TemplateSizes sizes(Dataflow dataflow, std::int64_t rows, std::int64_t columns, double noc,
                    double dram) {
  TemplateSizes p;
  p.dataflow = dataflow;
  p.pe_rows = rows;
  p.pe_columns = columns;
  p.pe_buffer = {1024};
  p.shared_buffer = {1024 * 1024};
  p.noc_bandwidth = noc;
  p.dram_bandwidth = dram;
  return p;
}

/// Counterpart of machine `name` (its row of accelerators.csv) under `dataflow`.
TemplateSizes counterpart(const std::string& dataflow, const Table& machines,
                          const std::string& name) {
  for (std::size_t row = 0; row < machines.rows(); ++row) {
    if (machines.text(row, machines.column("accelerator")) != name) continue;
    const std::int64_t pes = machines.integer(row, machines.column("num_pes"));
    const double noc = machines.number(row, machines.column("noc_bw"));
    const double dram = machines.number(row, machines.column("offchip_bw"));
    // kcp_ws gives each output channel a cluster of 64 PEs, one per input channel.
    if (dataflow == "kcp_ws") return sizes(Dataflow::nvdla, pes / 64, 64, noc, dram);
    if (dataflow == "rs") return sizes(Dataflow::eyeriss, 16, pes / 16, noc, dram);
    return sizes(Dataflow::xp_ws, 16, pes / 16, noc, dram);
  }
  throw std::runtime_error("no machine " + name);
}

struct NetworkCost {
  double latency = 0, energy = 0;
};

class NetworkCosts {
 public:
  explicit NetworkCosts(const TemplateSizes& sizes)
      : machine_(machine(sizes)), dataflow_(sizes.dataflow) {}

  NetworkCost of(const Network& network, bool with_memory_bound) {
    NetworkCost sum;
    for (const auto& [layer, times] : network.distinct_layers()) {
      if (layer.is_memory_bound() && !with_memory_bound) continue;
      auto [entry, fresh] = costs_.try_emplace(layer);
      if (fresh) {
        const NestCost cost = cost_of(layer);
        entry->second = {static_cast<double>(cost.cycles().value), cost.total_energy().value};
      }
      sum.latency += static_cast<double>(times) * entry->second.latency;
      sum.energy += static_cast<double>(times) * entry->second.energy;
    }
    return sum;
  }

 private:
  [[nodiscard]] NestCost cost_of(const Layer& layer) const {
    if (layer.is_memory_bound())
      return std::get<VectorLayerCost>(vector_layer_cost(layer, machine_)).cost;
    return std::get<CostedNest>(template_mapping(layer, machine_, dataflow_)).cost;
  }

  Machine machine_;
  Dataflow dataflow_;
  std::unordered_map<Layer, NetworkCost, LayerHash> costs_;
};

/// Genotypes by arch_id: the named columns joined by ';'.
std::map<std::int64_t, std::string> genotypes(const Table& table,
                                              const std::vector<std::string>& columns) {
  std::map<std::int64_t, std::string> genotypes;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    std::string genotype;
    for (const std::string& column : columns)
      genotype += (genotype.empty() ? "" : ";") + table.text(row, table.column(column));
    genotypes[table.integer(row, table.column("arch_id"))] = genotype;
  }
  return genotypes;
}

struct Series {
  std::vector<std::int64_t> arch;
  std::vector<double> latency, energy;  ///< the reference's; energy empty where it has none
};

/// Reference rows by (dataflow, accelerator), in file order.
std::map<std::pair<std::string, std::string>, Series> series(const Table& table,
                                                             const std::string& energy_column) {
  std::map<std::pair<std::string, std::string>, Series> all;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    Series& s = all[{table.text(row, table.column("dataflow")),
                     table.text(row, table.column("accelerator"))}];
    s.arch.push_back(table.integer(row, table.column("arch_id")));
    s.latency.push_back(table.number(row, table.column("latency_cycles")));
    if (!table.text(row, table.column(energy_column)).empty())
      s.energy.push_back(table.number(row, table.column(energy_column)));
  }
  return all;
}

struct Ours {
  std::vector<double> latency, energy, macs;
};

Ours ours(const Series& reference, const std::map<std::int64_t, Network>& networks,
          const TemplateSizes& sizes, bool with_memory_bound) {
  NetworkCosts costs(sizes);
  Ours ours;
  for (const std::int64_t arch : reference.arch) {
    const Network& network = networks.at(arch);
    const NetworkCost cost = costs.of(network, with_memory_bound);
    ours.latency.push_back(cost.latency);
    ours.energy.push_back(cost.energy);
    ours.macs.push_back(static_cast<double>(network.macs()));
  }
  return ours;
}

struct Agreement {
  double latency = 0;
  double energy = 1;  ///< 1 where the reference has none
};

Agreement print_agreement(const std::string& title, const Series& reference, const Ours& ours) {
  Agreement agreement{spearman(ours.latency, reference.latency), 1};
  const double macs_latency = spearman(ours.macs, reference.latency);
  std::printf("%-22s %6zu networks  latency %.4f (MACs only %.4f)", title.c_str(),
              reference.arch.size(), agreement.latency, macs_latency);
  if (!reference.energy.empty()) {
    agreement.energy = spearman(ours.energy, reference.energy);
    std::printf("  energy %.4f (MACs only %.4f)", agreement.energy,
                spearman(ours.macs, reference.energy));
  } else {
    std::printf("  energy not published");
  }
  std::printf("\n");
  return agreement;
}

std::map<std::int64_t, Network> lower_all(
    const nas::NetworkSpace& space, const std::map<std::int64_t, std::string>& genotypes,
    const std::map<std::pair<std::string, std::string>, Series>& references) {
  std::map<std::int64_t, Network> networks;
  for (const auto& [key, reference] : references)
    for (const std::int64_t arch : reference.arch)
      if (!networks.contains(arch)) networks.emplace(arch, space.lower(genotypes.at(arch)));
  return networks;
}

TEST(AgreementWithMaestro, OnDartsCellsEveryDataflowRanksNetworksAlike) {
  COSEARCH_NEEDS_REFERENCE("ren2022/nasbench301_latency_energy.csv.gz");
  const auto folder = reference_data() / "ren2022";
  const auto references =
      series(Table::read(folder / "nasbench301_latency_energy.csv.gz"), "energy_nj");
  const Table machines = Table::read(folder / "accelerators.csv");
  const auto space = nas::make_space("darts", {{"image", 16}, {"auxiliary_head", 1}});
  const auto networks = lower_all(
      *space, genotypes(Table::read(folder / "nasbench301_archs.csv.gz"), {"normal", "reduce"}),
      references);
  for (const bool with_memory_bound : {false, true}) {
    std::printf("%s\n", with_memory_bound ? "all layers:"
                                          : "layers the reference models (no pooling, addition):");
    for (const auto& [key, reference] : references) {
      if (reference.arch.size() < 3) continue;  // too few to have ranks
      const auto& [dataflow, name] = key;
      const Agreement agreement = print_agreement(
          dataflow + " " + name, reference,
          ours(reference, networks, counterpart(dataflow, machines, name), with_memory_bound));
      EXPECT_GE(agreement.latency, 0.98) << dataflow << " " << name;
      EXPECT_GE(agreement.energy, 0.98) << dataflow << " " << name;
    }
  }
}

TEST(AgreementWithMaestro, OnAlphaNetTheRanksAreAsPrinted) {
  COSEARCH_NEEDS_REFERENCE("maestro/net_alphanet.csv.gz");
  const auto references =
      series(Table::read(reference_data() / "maestro/net_alphanet.csv.gz"), "energy_own_l1_nj");
  const Table machines = Table::read(reference_data() / "maestro/net_accelerators.csv");
  std::vector<std::string> columns{"resolution"};
  for (const char* name : {"k", "e", "d"})
    for (int stage = 1; stage <= 7; ++stage) columns.push_back(name + std::to_string(stage));
  const auto networks =
      lower_all(*nas::make_space("alphanet"),
                genotypes(Table::read(reference_data() / "ren2022/alphanet_archs.csv.gz"), columns),
                references);
  for (const auto& [key, reference] : references) {
    if (reference.arch.size() < 3) continue;  // too few to have ranks
    const auto& [dataflow, name] = key;
    const auto sizes = counterpart(dataflow, machines, name);
    const Agreement agreement =
        print_agreement(dataflow + " " + name, reference, ours(reference, networks, sizes, true));
    EXPECT_GT(agreement.latency, 0) << dataflow << " " << name;
    EXPECT_GT(agreement.energy, 0) << dataflow << " " << name;
  }
}

}  // namespace
}  // namespace cosearch::accel::test
