#include "nas/cell_graph.h"

#include <algorithm>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/reverse_graph.hpp>
#include <utility>

namespace cosearch::nas {
namespace {

using Graph = CellGraph::Graph;
using VertexId = CellGraph::VertexId;

constexpr std::uint8_t kInputLabel = 255, kOutputLabel = 254;

/// The cell with all that is spelled but `zero` edges and what they starve; output last.
Graph unfolded(std::size_t nodes, const std::vector<CellEdge>& edges) {
  Graph graph(1);
  graph[0].operation = kInputLabel;
  std::vector<std::vector<VertexId>> terms(nodes);  // whose results each sum node adds up
  terms[0] = {0};
  for (const CellEdge& edge : edges) {
    const std::vector<VertexId> source = terms[edge.from];
    std::vector<VertexId>& sum = terms[edge.to];
    if (edge.kind == CellEdge::Kind::zero || source.empty()) continue;
    if (edge.kind == CellEdge::Kind::skip) {
      sum.insert(sum.end(), source.begin(), source.end());
      continue;
    }
    const VertexId vertex = boost::add_vertex(CellGraph::Vertex{edge.operation}, graph);
    for (const VertexId operand : source) boost::add_edge(operand, vertex, graph);
    sum.push_back(vertex);
  }
  const VertexId output = boost::add_vertex(CellGraph::Vertex{kOutputLabel}, graph);
  for (const VertexId operand : terms.back()) boost::add_edge(operand, output, graph);
  return graph;
}

/// Without the operations whose results never reach the output.
Graph without_dead(const Graph& graph) {
  const VertexId output = boost::num_vertices(graph) - 1;
  std::vector<boost::default_color_type> colour(boost::num_vertices(graph));
  boost::breadth_first_search(boost::make_reverse_graph(graph), output,
                              boost::color_map(boost::make_iterator_property_map(
                                  colour.begin(), boost::get(boost::vertex_index, graph))));
  Graph live;
  std::vector<VertexId> renamed(boost::num_vertices(graph));
  for (VertexId vertex = 0; vertex <= output; ++vertex) {
    const bool reached = colour[vertex] != boost::default_color_type::white_color;
    if (reached || vertex == 0) renamed[vertex] = boost::add_vertex(graph[vertex], live);
    if (!reached) continue;
    for (const auto edge : boost::make_iterator_range(boost::in_edges(vertex, graph)))
      boost::add_edge(renamed[boost::source(edge, graph)], renamed[vertex], live);
  }
  return live;
}

std::uint64_t mixed(std::uint64_t x) {  // splitmix64's finaliser
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

/// A colour per vertex that isomorphisms preserve (Weisfeiler-Leman refinement; sums, so that the
/// order of neighbours does not matter).
std::vector<std::uint64_t> refined_colours(const Graph& graph) {
  std::vector<std::uint64_t> colours;
  for (VertexId v = 0; v < boost::num_vertices(graph); ++v) colours.push_back(graph[v].operation);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::uint64_t> next(colours.size());
    for (VertexId v = 0; v < colours.size(); ++v) {
      std::uint64_t before = 0, after = 0;
      for (const auto edge : boost::make_iterator_range(boost::in_edges(v, graph)))
        before += mixed(colours[boost::source(edge, graph)]);
      for (const auto edge : boost::make_iterator_range(boost::out_edges(v, graph)))
        after += mixed(colours[boost::target(edge, graph)] + 1);
      next[v] = mixed(colours[v] ^ mixed(before) ^ mixed(mixed(after)));
    }
    colours = std::move(next);
  }
  return colours;
}

/// The least encoding over all orders of the vertices that keep their colours ascending.
class LeastEncoding {
 public:
  explicit LeastEncoding(const CellGraph& cell)
      : cell_(cell),
        colours_(refined_colours(cell.graph())),
        wanted_(colours_),
        place_(colours_.size(), kUnplaced) {
    std::sort(wanted_.begin(), wanted_.end());
    extend(0);
  }

  [[nodiscard]] const std::string& text() const { return least_; }

 private:
  static constexpr std::size_t kUnplaced = static_cast<std::size_t>(-1);

  void extend(std::size_t position) {
    if (position == place_.size()) {
      std::string encoded = encode();
      if (least_.empty() || encoded < least_) least_ = std::move(encoded);
      return;
    }
    for (VertexId v = 0; v < place_.size(); ++v) {
      if (place_[v] != kUnplaced || colours_[v] != wanted_[position]) continue;
      place_[v] = position;
      order_.push_back(v);
      extend(position + 1);
      order_.pop_back();
      place_[v] = kUnplaced;
    }
  }

  /// Per vertex: its operation, then the places of its operands, ascending.
  [[nodiscard]] std::string encode() const {
    std::string text;
    for (const VertexId v : order_) {
      text += static_cast<char>(cell_.graph()[v].operation);
      const auto begin = static_cast<std::ptrdiff_t>(text.size());
      for (const VertexId operand : cell_.operands(v))
        text += static_cast<char>('0' + place_[operand]);
      std::sort(text.begin() + begin, text.end());
      text += ';';
    }
    return text;
  }

  const CellGraph& cell_;
  std::vector<std::uint64_t> colours_, wanted_;
  std::vector<std::size_t> place_;
  std::vector<VertexId> order_;
  std::string least_;
};

}  // namespace

CellGraph::CellGraph(std::size_t nodes, const std::vector<CellEdge>& edges)
    : graph_(without_dead(unfolded(nodes, edges))) {}

std::vector<CellGraph::VertexId> CellGraph::operands(VertexId vertex) const {
  std::vector<VertexId> found;
  for (const auto edge : boost::make_iterator_range(boost::in_edges(vertex, graph_)))
    found.push_back(boost::source(edge, graph_));
  std::sort(found.begin(), found.end());
  return found;
}

std::string CellGraph::canonical_form() const { return LeastEncoding(*this).text(); }

}  // namespace cosearch::nas
