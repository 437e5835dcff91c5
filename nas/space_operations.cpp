#include "nas/space_operations.h"

#include <algorithm>
#include <utility>

#include "core/user_error.h"
#include "nas/transformer_blocks.h"

namespace cosearch::nas {
namespace {

template <class Meaning>
using Words = std::vector<std::pair<std::string, Meaning>>;

const Words<Activation>& activations() {
  static const Words<Activation> words{{"none", Activation::none},
                                       {"relu", Activation::relu},
                                       {"relu6", Activation::relu6},
                                       {"swish", Activation::swish},
                                       {"hard_swish", Activation::hard_swish},
                                       {"sigmoid", Activation::sigmoid},
                                       {"hard_sigmoid", Activation::hard_sigmoid}};
  return words;
}

const Words<Affine>& affines() {
  static const Words<Affine> words{
      {"none", Affine::none}, {"bias", Affine::bias}, {"batch_norm", Affine::batch_norm}};
  return words;
}

template <class Meaning>
std::vector<std::string> texts_of(const Words<Meaning>& words) {
  std::vector<std::string> texts;
  for (const auto& [text, meaning] : words) texts.push_back(text);
  return texts;
}

// Of one of these words: the program checks arguments against them first.
template <class Meaning>
Meaning meaning_of(const Value& word, const Words<Meaning>& words) {
  return std::ranges::find(words, std::get<std::string>(word),
                           &std::pair<std::string, Meaning>::first)
      ->second;
}

Activation activation_of(const Value& word) { return meaning_of(word, activations()); }
Affine affine_of(const Value& word) { return meaning_of(word, affines()); }

std::int64_t number(const Value& value) { return std::get<std::int64_t>(value); }

OperationArgument required(std::string name) { return {.name = std::move(name)}; }
OperationArgument optional(std::string name, std::int64_t otherwise, std::int64_t least = 1) {
  return {.name = std::move(name), .otherwise = otherwise, .least = least};
}
OperationArgument activation(std::string name = "activation", std::string otherwise = "none") {
  return {.name = std::move(name),
          .otherwise = Value(std::move(otherwise)),
          .words = texts_of(activations())};
}
OperationArgument affine(std::string otherwise) {
  return {.name = "affine", .otherwise = Value(std::move(otherwise)), .words = texts_of(affines())};
}

// Of `padding`: as much as keeps the extent at stride 1.
constexpr std::int64_t kSame = -1;
// Of the stride of a pool: its window. Of the tokens attended to: those that come in.
constexpr std::int64_t kAsLarge = 0;

Feature convolution(NetworkBuilder& builder, const std::string& name, const Operands& operands,
                    const Arguments& a) {
  ConvolutionOptions options{.out_channels = number(a[0]),
                             .kernel = number(a[1]),
                             .stride = number(a[2]),
                             .dilation = number(a[3]),
                             .groups = number(a[4]),
                             .preactivation = activation_of(a[6]),
                             .affine = affine_of(a[7]),
                             .activation = activation_of(a[8])};
  if (number(a[5]) != kSame) options.padding = number(a[5]);
  return builder.convolution(name, operands[0], options);
}

Feature depthwise(NetworkBuilder& builder, const std::string& name, const Operands& operands,
                  const Arguments& a) {
  const std::int64_t channels = operands[0].channels;
  return convolution(builder, name, operands,
                     {channels, a[0], a[1], a[2], channels, a[3], a[4], a[5], a[6]});
}

Feature pool(NetworkBuilder& builder, const std::string& name, const Operands& operands,
             const Arguments& a, Pooling pooling) {
  const std::int64_t window = number(a[0]),
                     stride = number(a[1]) == kAsLarge ? window : number(a[1]);
  if (number(a[3]) == 0)
    return builder.pool(name, operands[0], pooling, window, stride, number(a[2]));
  if (number(a[2]) != 0) throw UserError("a pool either rounds up or is padded");
  return builder.pool_rounding_up(name, operands[0], pooling, window, stride);
}

OperationInfo pool_info(std::string name, Feature (*append)(NetworkBuilder&, const std::string&,
                                                            const Operands&, const Arguments&)) {
  OperationArgument rounds_up = optional("round_up", 0, 0);
  rounds_up.most = 1;
  return {.name = std::move(name),
          .arguments = {required("window"), optional("stride", kAsLarge, kAsLarge),
                        optional("padding", 0, 0), rounds_up},
          .append = append};
}

std::vector<OperationInfo> convolutions() {
  const OperationArgument padding = optional("padding", kSame, kSame);
  return {{.name = "convolution",
           .arguments = {required("channels"), optional("kernel", 1), optional("stride", 1),
                         optional("dilation", 1), optional("groups", 1), padding,
                         activation("preactivation"), affine("batch_norm"), activation()},
           .append = convolution},
          {.name = "depthwise",
           .arguments = {optional("kernel", 3), optional("stride", 1), optional("dilation", 1),
                         padding, activation("preactivation"), affine("batch_norm"), activation()},
           .append = depthwise},
          {.name = "up_convolution",
           .arguments = {required("channels")},
           .append =
               [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
                  const Arguments& a) {
                 return builder.up_convolution(name, operands[0], number(a[0]));
               }},
          {.name = "linear",
           .arguments = {required("features"), affine("bias"), activation()},
           .append =
               [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
                  const Arguments& a) {
                 return builder.fully_connected(name, operands[0], number(a[0]), affine_of(a[1]),
                                                activation_of(a[2]));
               }},
          {.name = "squeeze_excite",
           .arguments = {required("channels"), activation("gate", "hard_sigmoid")},
           .append = [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
                        const Arguments& a) {
             return builder.squeeze_excite(name, operands[0], number(a[0]), activation_of(a[1]));
           }}};
}

std::vector<OperationInfo> pools_and_sums() {
  return {pool_info("max_pool",
                    [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
                       const Arguments& a) {
                      return pool(builder, name, operands, a, Pooling::maximum);
                    }),
          pool_info("average_pool",
                    [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
                       const Arguments& a) {
                      return pool(builder, name, operands, a, Pooling::average);
                    }),
          {.name = "global_pool",
           .arguments = {},
           .append = [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
                        const Arguments&) { return builder.global_pool(name, operands[0]); }},
          {.name = "batch_norm",
           .arguments = {activation()},
           .append =
               [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
                  const Arguments& a) {
                 return builder.batch_norm(name, operands[0], activation_of(a[0]));
               }},
          {.name = "add",
           .arguments = {},
           .takes_operands = true,
           .append = [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
                        const Arguments&) { return builder.add(name, operands); }}};
}

// Operations that cost nothing, and so have no layer that a name could name.
std::vector<OperationInfo> address_changes() {
  return {
      {.name = "activate",
       .arguments = {{.name = "activation", .words = texts_of(activations())}},
       .append =
           [](NetworkBuilder& builder, const std::string&, const Operands& operands,
              const Arguments& a) { return builder.activate(operands[0], activation_of(a[0])); }},
      {.name = "concatenate",
       .arguments = {},
       .takes_operands = true,
       .append = [](NetworkBuilder& builder, const std::string&, const Operands& operands,
                    const Arguments&) { return builder.concatenate(operands); }},
      {.name = "crop",
       .arguments = {optional("rows", 0, 0), optional("columns", 0, 0)},
       .append =
           [](NetworkBuilder& builder, const std::string&, const Operands& operands,
              const Arguments& a) {
             if (number(a[0]) >= operands[0].height || number(a[1]) >= operands[0].width)
               throw UserError(
                   "a crop of " + std::to_string(number(a[0])) + " rows and " +
                   std::to_string(number(a[1])) + " columns leaves nothing of a map of " +
                   std::to_string(operands[0].height) + " x " + std::to_string(operands[0].width));
             return builder.crop(operands[0], number(a[0]), number(a[1]));
           }},
      {.name = "truncate",
       .arguments = {required("channels")},
       .append =
           [](NetworkBuilder& builder, const std::string&, const Operands& operands,
              const Arguments& a) {
             if (number(a[0]) > operands[0].channels)
               throw UserError("there are no " + std::to_string(number(a[0])) +
                               " channels to keep of " + std::to_string(operands[0].channels));
             return builder.truncate(operands[0], number(a[0]));
           }},
      {.name = "zero",
       .arguments = {},
       .append = [](NetworkBuilder& builder, const std::string&, const Operands& operands,
                    const Arguments&) { return builder.zero(operands[0]); }}};
}

void require_tokens(const Feature& from) {
  if (from.width != 1)
    throw UserError("reads tokens, which 'tokens' makes of a map: one column, a row for each");
}

// Of transformers (nas/transformer_blocks.h).
std::vector<OperationInfo> token_operations() {
  return {
      {.name = "tokens",
       .arguments = {},
       .append = [](NetworkBuilder& builder, const std::string&, const Operands& operands,
                    const Arguments&) { return tokens(builder, operands[0]); }},
      {.name = "positions",
       .arguments = {optional("learnt", 0, 0)},
       .append =
           [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
              const Arguments& a) {
             require_tokens(operands[0]);
             return embed_positions(builder, name, operands[0], number(a[0]));
           }},
      {.name = "token_norm",
       .arguments = {},
       .append =
           [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
              const Arguments&) {
             require_tokens(operands[0]);
             return layer_norm(builder, name, operands[0]);
           }},
      {.name = "token_linear",
       .arguments = {required("features"),
                     {.name = "affine", .otherwise = Value("bias"), .words = {"none", "bias"}}},
       .append =
           [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
              const Arguments& a) {
             require_tokens(operands[0]);
             return token_linear(builder, name, operands[0], number(a[0]), affine_of(a[1]));
           }},
      {.name = "attention",
       .arguments = {required("heads"), required("depth"), optional("kv_heads", kAsLarge, kAsLarge),
                     optional("context", kAsLarge, kAsLarge)},
       .append =
           [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
              const Arguments& a) {
             require_tokens(operands[0]);
             const std::int64_t heads = number(a[0]), rows = operands[0].height;
             return attention(builder, name, operands[0],
                              {.heads = heads,
                               .kv_heads = number(a[2]) == kAsLarge ? heads : number(a[2]),
                               .head_depth = number(a[1]),
                               .context = number(a[3]) == kAsLarge ? rows : number(a[3])});
           }},
      {.name = "feed_forward",
       .arguments = {required("features")},
       .append = [](NetworkBuilder& builder, const std::string& name, const Operands& operands,
                    const Arguments& a) {
         require_tokens(operands[0]);
         return feed_forward(builder, name, operands[0], number(a[0]));
       }}};
}

}  // namespace

const std::vector<OperationInfo>& space_operations() {
  static const std::vector<OperationInfo> operations = [] {
    std::vector<OperationInfo> all;
    for (auto&& some : {convolutions(), pools_and_sums(), address_changes(), token_operations()})
      all.insert(all.end(), some.begin(), some.end());
    return all;
  }();
  return operations;
}

const OperationInfo* find_operation(const std::string& name) {
  const auto& operations = space_operations();
  const auto found = std::ranges::find(operations, name, &OperationInfo::name);
  return found == operations.end() ? nullptr : &*found;
}

}  // namespace cosearch::nas
