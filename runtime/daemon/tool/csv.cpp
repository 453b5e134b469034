#include "runtime/daemon/tool/csv.hpp"

namespace mainstay::tool {

namespace {

// One row of text, whose last quoted field may go on in the next line.
class Splitter {
 public:
  void take(const std::string& line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (quoted_ && c == '"' && i + 1 < line.size() && line[i + 1] == '"')
        field_ += line[++i];
      else if (c == '"' && (quoted_ || field_.empty()))
        quoted_ = !quoted_;
      else if (c == ',' && !quoted_)
        row_.push_back(std::exchange(field_, {}));
      else
        field_ += c;
    }
    if (quoted_) field_ += '\n';
  }
  bool open() const { return quoted_; }
  CsvRow finish() {
    row_.push_back(std::move(field_));
    return std::move(row_);
  }

 private:
  CsvRow row_;
  std::string field_;
  bool quoted_ = false;
};

}  // namespace

Result<std::optional<CsvRow>> read_csv_row(std::istream& in, std::uint64_t& bytes,
                                           std::uint64_t& lines) {
  std::string line;
  if (!std::getline(in, line)) return std::optional<CsvRow>{};
  Splitter splitter;
  const std::uint64_t first = lines + 1;
  while (true) {
    bytes += line.size() + (in.eof() ? 0 : 1);
    ++lines;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    splitter.take(line);
    if (!splitter.open()) return std::optional<CsvRow>{splitter.finish()};
    if (!std::getline(in, line))
      return fail(Errc::invalid_argument,
                  "line " + std::to_string(first) + " begins a quoted field that does not end");
  }
}

std::string csv_line(const CsvRow& row) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i != 0) line += ',';
    if (row[i].find_first_of(",\"\r\n") == std::string::npos) {
      line += row[i];
      continue;
    }
    line += '"';
    for (const char c : row[i]) line += c == '"' ? std::string{"\"\""} : std::string{c};
    line += '"';
  }
  return line + "\n";
}

}  // namespace mainstay::tool
