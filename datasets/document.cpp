#include "datasets/document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <utility>
#include <vector>

#include "datasets/file_bytes.h"
#include "datasets/utf8.h"

namespace cosearch::datasets {
namespace {

constexpr std::size_t kDeepestNesting = 64;
// Longer text is never a setting, and std::regex (schema patterns) recurses once per character.
constexpr std::size_t kLongestScalar = 4096;

/// What a plain (unquoted) scalar means, or why it may not be written like that.
struct Resolved {
  nlohmann::json value;
  std::string problem;
};

bool starts_with_ambiguous_zero(std::string_view digits) {
  return digits.size() > 1 && digits[0] == '0' &&
         std::isdigit(static_cast<unsigned char>(digits[1])) != 0;
}

Resolved resolve_integer(std::string_view plain) {
  std::int64_t value = 0;
  const char* end = plain.data() + plain.size();
  if (std::from_chars(plain.data(), end, value).ec == std::errc{}) return {value, ""};
  std::uint64_t large = 0;
  if (std::from_chars(plain.data(), end, large).ec == std::errc{}) return {large, ""};
  return {nullptr, fmt::format("the integer {} does not fit in 64 bits", plain)};
}

Resolved resolve_plain(const std::string& text) {
  if (text == "true") return {true, ""};
  if (text == "false") return {false, ""};
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string_view word = lower;
  if (!word.empty() && (word[0] == '-' || word[0] == '+')) word.remove_prefix(1);
  if (word == ".nan" || word == ".inf" || word == "nan" || word == "inf" || word == "infinity")
    return {nullptr, fmt::format("{} is not a finite number; quote it if text is meant", text)};

  std::string_view plain = text;
  if (plain.starts_with('+')) plain.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), number);
  const bool all_of_it =
      !plain.empty() && end == plain.data() + plain.size() && !(text[0] == '+' && plain[0] == '-');
  if (!all_of_it || error == std::errc::invalid_argument) return {text, ""};
  if (starts_with_ambiguous_zero(word))
    return {nullptr,
            fmt::format("{} starts with a zero, which some readers take for octal; write it "
                        "without, or quote it if text is meant",
                        text)};
  if (error == std::errc::result_out_of_range || !std::isfinite(number))
    return {nullptr, fmt::format("{} is outside the range of numbers", text)};
  if (plain.find_first_of(".eE") == std::string_view::npos) return resolve_integer(plain);
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  const bool counts = plain.find('.') == std::string_view::npos && number == std::floor(number) &&
                      std::abs(number) <= kExactIntegers;
  if (counts) return {static_cast<std::int64_t>(number), ""};
  return {number, ""};
}

/// Whether the quoted scalar that starts `text` ends; yaml-cpp takes the end of the file for its
/// end.
bool is_closed(std::string_view text) {
  const char quote = text[0];
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 == text.size() || text[i + 1] != quote) return true;
      ++i;
    }
  }
  return false;
}

/// Builds the JSON value from the parser's events, so that what yaml-cpp's own tree would drop or
/// guess (duplicate keys, octal numbers, yes/no) can be refused at its place.
class Builder : public YAML::EventHandler {
 public:
  Builder(Document& document, const std::vector<std::string_view>& lines, YamlTags tags)
      : document_(document), lines_(lines), tags_(tags) {}

  [[nodiscard]] SourceLocation place(const YAML::Mark& mark) const {
    if (mark.is_null()) return {document_.file};
    const auto line = static_cast<std::size_t>(mark.line);
    const auto column = static_cast<std::size_t>(mark.column);
    const std::string_view text = line < lines_.size() ? lines_[line] : std::string_view();
    return {document_.file, mark.line + 1, column_in_characters(text, column)};
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) throw UserError(place(mark), "a key is missing");
    reject_references(mark, anchor, "?");
    const bool left_out = !stack_.empty() && stack_.back().value->is_object() &&
                          mark.line != stack_.back().key_mark.line;
    put(nullptr, left_out ? stack_.back().key_mark : mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw UserError(place(mark), "aliases (*name) are not accepted; write the value out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    reject_references(mark, anchor, tag);
    if (text.size() > kLongestScalar)
      throw UserError(place(mark), fmt::format("text of {} bytes; at most {} are accepted",
                                               text.size(), kLongestScalar));
    const bool quoted = tag == "!";
    const std::string_view source = rest_of_file(mark);
    if (quoted && (source.starts_with('"') || source.starts_with('\'')) && !is_closed(source))
      throw UserError(place(mark), "syntax error: quotation mark opened here is never closed");
    if (expects_key()) return take_key(mark, text, quoted);
    if (quoted) return (void)put(text, mark);
    Resolved resolved = resolve_plain(text);
    if (!resolved.problem.empty()) throw UserError(place(mark), resolved.problem);
    put(std::move(resolved.value), mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    reject_references(mark, anchor, tags_ == YamlTags::recorded ? "" : tag);
    open(nlohmann::json::array(), mark, tag);
  }
  void OnSequenceEnd() override { stack_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    reject_references(mark, anchor, tags_ == YamlTags::recorded ? "" : tag);
    open(nlohmann::json::object(), mark, tag);
  }
  void OnMapEnd() override { stack_.pop_back(); }

 private:
  struct Open {
    nlohmann::json* value;  ///< stays put: its parent is not touched while it is open
    std::string pointer;
    std::string key;
    YAML::Mark key_mark;
    bool has_key = false;
  };

  [[nodiscard]] std::string_view rest_of_file(const YAML::Mark& mark) const {
    const auto line = static_cast<std::size_t>(mark.line);
    if (mark.is_null() || line >= lines_.size()) return {};
    const char* end = lines_.back().data() + lines_.back().size();
    const std::string_view rest(lines_[line].data(),
                                static_cast<std::size_t>(end - lines_[line].data()));
    return rest.substr(std::min(static_cast<std::size_t>(mark.column), rest.size()));
  }

  [[nodiscard]] bool expects_key() const {
    return !stack_.empty() && stack_.back().value->is_object() && !stack_.back().has_key;
  }

  void reject_references(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag) {
    if (anchor != 0)
      throw UserError(place(mark), "anchors (&name) are not accepted; write the value out");
    if (tag != "?" && tag != "!" && !tag.empty())
      throw UserError(place(mark), fmt::format("the tag {} is not accepted", tag));
  }

  void take_key(const YAML::Mark& mark, const std::string& key, bool quoted) {
    if (key == "<<" && !quoted)
      throw UserError(place(mark), "merge keys (<<) are not accepted; write the keys out");
    Open& map = stack_.back();
    if (map.value->contains(key)) {
      const SourceLocation first = document_.location_of_key(child_pointer(map.pointer, key));
      throw UserError(place(mark), fmt::format("key '{}' is already given at line {}, column {}",
                                               key, first.line, first.column));
    }
    map.key = key;
    map.key_mark = mark;
    map.has_key = true;
  }

  nlohmann::json& put(nlohmann::json value, const YAML::Mark& mark) {
    const SourceLocation here = place(mark);
    if (stack_.empty()) {
      document_.places[""] = {here.line, here.column, here.line, here.column};
      return document_.value = std::move(value);
    }
    Open& parent = stack_.back();
    if (parent.value->is_array()) {
      const std::string pointer =
          child_pointer(parent.pointer, std::to_string(parent.value->size()));
      document_.places[pointer] = {here.line, here.column, here.line, here.column};
      return parent.value->emplace_back(std::move(value));
    }
    const SourceLocation key = place(parent.key_mark);
    document_.places[child_pointer(parent.pointer, parent.key)] = {here.line, here.column, key.line,
                                                                   key.column};
    parent.has_key = false;
    return (*parent.value)[parent.key] = std::move(value);
  }

  void open(nlohmann::json empty, const YAML::Mark& mark, const std::string& tag) {
    if (expects_key()) throw UserError(place(mark), "a key must be text, not a list or a map");
    if (stack_.size() == kDeepestNesting)
      throw UserError(place(mark), fmt::format("nested deeper than {} levels", kDeepestNesting));
    std::string pointer;
    if (!stack_.empty()) {
      const Open& parent = stack_.back();
      pointer = child_pointer(parent.pointer, parent.value->is_array()
                                                  ? std::to_string(parent.value->size())
                                                  : parent.key);
    }
    if (!tag.empty() && tag != "?" && tag != "!") document_.tags[pointer] = tag;
    nlohmann::json& value = put(std::move(empty), mark);
    stack_.push_back({&value, std::move(pointer), "", YAML::Mark(), false});
  }

  Document& document_;
  const std::vector<std::string_view>& lines_;
  YamlTags tags_;
  std::vector<Open> stack_;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

// Tabs may separate words, and may indent JSON; as indentation of YAML blocks they are refused,
// where yaml-cpp would misread some of them.
void reject_tabs(const std::vector<std::string_view>& lines, const std::string& file) {
  const auto first = std::find_if(lines.begin(), lines.end(), [](std::string_view line) {
    const std::size_t start = line.find_first_not_of(" \t\r");
    return start != std::string_view::npos && line[start] != '#' && !line.starts_with("---");
  });
  if (first != lines.end() && (*first)[first->find_first_not_of(" \t\r")] == '{') return;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t start = std::min(lines[i].find_first_not_of(" \t"), lines[i].size());
    const std::size_t tab = lines[i].find('\t');
    if (tab < start && start < lines[i].size())
      throw UserError({file, static_cast<int>(i + 1), static_cast<int>(tab + 1)},
                      "tab in the indentation; indent with spaces");
  }
}

SourceLocation located(const Document& document, std::string pointer, bool key) {
  auto found = document.places.find(pointer);
  while (found == document.places.end() && !pointer.empty()) {
    pointer.resize(pointer.rfind('/'));
    found = document.places.find(pointer);
  }
  if (found == document.places.end()) return {document.file};
  const Document::Place& place = found->second;
  return key ? SourceLocation{document.file, place.key_line, place.key_column}
             : SourceLocation{document.file, place.line, place.column};
}

}  // namespace

SourceLocation Document::location_of(const std::string& json_pointer) const {
  return located(*this, json_pointer, false);
}

SourceLocation Document::location_of_key(const std::string& json_pointer) const {
  return located(*this, json_pointer, true);
}

std::string child_pointer(const std::string& pointer, std::string_view key) {
  std::string child = pointer + '/';
  for (const char c : key) {
    if (c == '~')
      child += "~0";
    else if (c == '/')
      child += "~1";
    else
      child += c;
  }
  return child;
}

std::string key_path(const std::string& json_pointer) {
  std::string path;
  for (std::size_t start = 1; start <= json_pointer.size();) {
    const std::size_t end = std::min(json_pointer.find('/', start), json_pointer.size());
    const std::string raw = json_pointer.substr(start, end - start);
    const bool index = !raw.empty() && std::all_of(raw.begin(), raw.end(), [](unsigned char c) {
      return std::isdigit(c) != 0;
    });
    if (index) {
      path += "[" + raw + "]";
    } else {
      std::string key;
      for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '~' && i + 1 < raw.size())
          key += raw[++i] == '1' ? '/' : '~';
        else
          key += raw[i];
      }
      path += (path.empty() ? "" : ".") + key;
    }
    start = end + 1;
  }
  return path;
}

bool names_document(const std::string& what) {
  const std::string extension = std::filesystem::path(what).extension();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

Document read_yaml(const std::filesystem::path& path) {
  return parse_yaml(read_file(path), path.string());
}

Document parse_yaml(std::string_view text, std::string name, YamlTags tags) {
  Document document{std::move(name), std::string(text), nullptr, {}, {}};
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  check_utf8_text(text, document.file);
  const std::vector<std::string_view> lines = lines_of(text);
  reject_tabs(lines, document.file);

  Builder builder(document, lines, tags);
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    if (document.places.empty()) throw UserError({document.file}, "is empty");
    Document rest{document.file, "", nullptr, {}, {}};
    Builder rest_builder(rest, lines, tags);
    if (parser.HandleNextDocument(rest_builder))
      throw UserError(rest.location_of(""), "a second document starts here; one is expected");
  } catch (const YAML::Exception& error) {
    throw UserError(builder.place(error.mark), fmt::format("syntax error: {}", error.msg));
  }
  return document;
}

}  // namespace cosearch::datasets
