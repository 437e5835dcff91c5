// What a cell computes, freed from how it is spelled: a graph whose vertices are the operations
// that run and whose edges say whose results each one sums up and reads.
//
// Zero edges and operations whose result is never used, or that are fed by nothing, are gone; skip
// connections are contracted; an operation that two readers share stays one vertex, which a form
// that unfolds shared subexpressions cannot tell from two operations with weights of their own.
#pragma once

#include <boost/graph/adjacency_list.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace cosearch::nas {

/// One edge of a spelled cell: nodes are sums, edges apply an operation.
struct CellEdge {
  enum class Kind : std::uint8_t { zero, skip, operation };
  std::size_t from, to;  ///< from < to
  Kind kind;
  std::uint8_t operation = 0;  ///< below 250; which one, where `kind` is operation
};

class CellGraph {
 public:
  struct Vertex {
    std::uint8_t operation = 0;
  };
  /// Parallel edges: a result added to itself.
  using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, Vertex>;
  using VertexId = Graph::vertex_descriptor;

  /// A cell of `nodes` sum nodes, the first its input and the last its output; `edges` in
  /// ascending order of `to`.
  CellGraph(std::size_t nodes, const std::vector<CellEdge>& edges);

  /// Vertex 0 is the cell's input, the last its output, those between the operations in an order
  /// in which they can run.
  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] VertexId output() const { return boost::num_vertices(graph_) - 1; }

  /// What `vertex` sums up and reads, ascending, with repetitions.
  [[nodiscard]] std::vector<VertexId> operands(VertexId vertex) const;

  /// Equal for two cells exactly when their graphs are isomorphic.
  [[nodiscard]] std::string canonical_form() const;

 private:
  Graph graph_;
};

}  // namespace cosearch::nas
