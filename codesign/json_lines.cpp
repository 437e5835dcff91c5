#include "codesign/json_lines.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "codesign/record.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

void require_same(const json& found, const json& expected, const std::filesystem::path& path) {
  if (const std::string text = differences(found, expected); !text.empty())
    throw UserError({path.string(), 1},
                    fmt::format("was begun for another measurement: {}; remove the file to start "
                                "anew, or name another output",
                                text));
}

std::string content_of(const datasets::Descriptor& file) {
  std::string text(file.size(), '\0');
  text.resize(file.read_at(0, text));
  return text;
}

}  // namespace

JsonLines::JsonLines(const std::filesystem::path& path, const json& subject)
    : lock_(path), file_(lock_.store(), O_CREAT | O_RDWR) {
  read(subject);
}

void JsonLines::read(const json& subject) {
  const std::string text = content_of(file_);
  std::size_t end = 0;
  int line = 0;
  for (std::size_t stop; (stop = text.find('\n', end)) != std::string::npos; end = stop + 1) {
    json row = json::parse(std::string_view(text).substr(end, stop - end), nullptr,
                           /*allow_exceptions=*/false);
    if (++line; !row.is_object()) fail_at(line);
    if (line == 1)
      require_same(row, subject, file_.name());
    else
      rows_.push_back(std::move(row));
  }
  // A line without an end was not acknowledged.
  file_.truncate(end);
  end_ = end;
  if (line > 0) return;
  append(subject);
  datasets::synchronise_folder_of(file_.name());
}

void JsonLines::fail(std::size_t row) const { fail_at(static_cast<int>(row) + 2); }

void JsonLines::fail_at(int line) const {
  throw UserError({file_.name().string(), line},
                  "is damaged: expected a result as a JSON object; remove this line to find it "
                  "again");
}

void JsonLines::append(const json& row) {
  const std::string line = row.dump() + "\n";
  file_.write_at(end_, line);
  file_.synchronise();
  end_ += line.size();  // not before: after an error the next line takes this one's place
}

void JsonLines::remove() { std::filesystem::remove(file_.name()); }

}  // namespace cosearch::codesign
