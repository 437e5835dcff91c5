// Writes a study with a front in all formats, for readers that are not ours to read.
#include <cstdlib>
#include <iostream>

#include "datasets/front_file.h"
#include "tests/datasets/study_fixture.h"

namespace {

using namespace cosearch;

// What `StudyStore::points_with` says of the front, as columns.
datasets::Columns front_columns(const datasets::StudyStore& store) {
  const datasets::PointBatch points = store.points_with(store.front().ids);
  datasets::Columns columns;
  std::vector<std::int64_t> ids(points.id.begin(), points.id.end());
  columns.columns.push_back({"id", "", std::move(ids)});
  std::vector<std::string> names;
  const std::vector<datasets::NetworkRow> networks = store.networks();
  for (const std::uint32_t network : points.network) names.push_back(networks[network].name);
  columns.columns.push_back({"network", "", std::move(names)});
  for (std::size_t i = 0; i < store.metrics().size(); ++i)
    columns.columns.push_back(
        {store.metrics()[i].name, store.metrics()[i].unit, points.metrics[i]});
  return columns;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: write_example_study FOLDER\n";
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  test::write_example(folder / "study.h5", 20'000, 999);
  const auto store = datasets::StudyStore::open(folder / "study.h5");
  for (const char* name : {"front.csv", "front.json", "front.h5"})
    datasets::write_columns(folder / name, front_columns(store));
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
