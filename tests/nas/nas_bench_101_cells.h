// Cells of NAS-Bench-101, read, written and enumerated apart from the code under test.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "nas/space.h"

namespace cosearch::nas::test {

inline constexpr std::size_t kVertices = 7, kOutput = 6;

struct Cell {
  std::array<std::array<bool, kVertices>, kVertices> feeds{};
  std::array<std::size_t, kVertices> operation{};  ///< of vertices 1 to 5

  [[nodiscard]] std::string spelled() const {
    const char* names[] = {"conv3x3", "conv1x1", "maxpool3x3"};
    std::string text;
    for (std::size_t from = 0; from < kOutput; ++from) {
      text += from > 0 ? "|" : "";
      for (std::size_t to = from + 1; to < kVertices; ++to) text += feeds[from][to] ? '1' : '0';
    }
    for (std::size_t v = 1; v < kOutput; ++v)
      text += (v > 1 ? "|" : ";") + std::string(names[operation[v]]);
    return text;
  }

  [[nodiscard]] std::size_t edges() const {
    std::size_t count = 0;
    for (const auto& row : feeds) count += static_cast<std::size_t>(std::ranges::count(row, true));
    return count;
  }
};

inline Cell cell_of(const std::string& genotype) {
  Cell cell;
  std::size_t at = 0;
  for (std::size_t from = 0; from < kOutput; ++from, ++at)
    for (std::size_t to = from + 1; to < kVertices; ++to)
      cell.feeds[from][to] = genotype[at++] == '1';
  for (std::size_t v = 1; v < kOutput; ++v) {
    cell.operation[v] = genotype[at] == 'm' ? 2 : genotype[at + 4] == '1' ? 1 : 0;
    at = genotype.find('|', at) + 1;
  }
  return cell;
}

/// Reachability by repeated squaring of the matrix with ones on its diagonal.
inline std::vector<std::size_t> live_vertices(const Cell& cell) {
  auto reaches = cell.feeds;
  for (std::size_t v = 0; v < kVertices; ++v) reaches[v][v] = true;
  for (std::size_t middle = 0; middle < kVertices; ++middle)
    for (std::size_t from = 0; from < kVertices; ++from)
      for (std::size_t to = 0; to < kVertices; ++to)
        reaches[from][to] = reaches[from][to] || (reaches[from][middle] && reaches[middle][to]);
  std::vector<std::size_t> live;
  for (std::size_t v = 0; v < kVertices; ++v)
    if (reaches[0][v] && reaches[v][kOutput]) live.push_back(v);
  return live;
}

/// All cells of `interior` live operations, numbered 1, 2, ..., of at most nine edges.
inline std::vector<Cell> cells_of(std::size_t interior) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  const auto vertex = [&](std::size_t i) { return i == interior + 1 ? kOutput : i; };
  for (std::size_t from = 0; from <= interior; ++from)
    for (std::size_t to = from + 1; to <= interior + 1; ++to)
      pairs.emplace_back(vertex(from), vertex(to));
  std::vector<Cell> cells;
  for (std::uint32_t mask = 0; mask < (1U << pairs.size()); ++mask) {
    Cell cell;
    for (std::size_t i = 0; i < pairs.size(); ++i)
      cell.feeds[pairs[i].first][pairs[i].second] = (mask >> i & 1U) != 0;
    if (cell.edges() > 9 || live_vertices(cell).size() != interior + 2) continue;
    std::size_t labellings = 1;
    for (std::size_t v = 0; v < interior; ++v) labellings *= 3;
    for (std::size_t labelling = 0; labelling < labellings; ++labelling) {
      std::size_t rest = labelling;
      for (std::size_t v = 1; v <= interior; ++v, rest /= 3) cell.operation[v] = rest % 3;
      cells.push_back(cell);
    }
  }
  return cells;
}

/// How many of these the space tells apart.
inline std::size_t networks_of(const NetworkSpace& space, std::size_t interior) {
  std::set<std::string> networks;
  for (const Cell& cell : cells_of(interior)) networks.insert(space.canonical(cell.spelled()));
  return networks.size();
}

}  // namespace cosearch::nas::test
