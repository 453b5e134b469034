// What import reads: a file of records or ledger entries, one after the other, each with the
// operation id that makes its writing happen once; and the place up to which it was written.
#pragma once

#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "runtime/base/json.hpp"
#include "runtime/daemon/tool/csv.hpp"

namespace mainstay::tool {

enum class ImportFormat : std::uint8_t { ndjson, csv };

struct ImportOptions {
  std::string collection, file, key = "key";
  ImportFormat format = ImportFormat::ndjson;
  bool ledger = false;
  // Columns of a CSV file whose fields are JSON (numbers, true, null), not text.
  std::vector<std::string> json_columns;
};

struct ImportItem {
  std::uint64_t line = 0;  // its first, from 1
  std::string key;
  json::Value write;  // {"put":{…}} or {"post":{…}} of POST /v1/batch, with its operation id
};

// Where an import has come to; kept beside the file as <file>.import-position.
struct ImportPosition {
  std::uint64_t bytes = 0, lines = 0, items = 0;
  std::string last;  // hash over all items so far, to notice another file under the same name
};
std::string to_text(const ImportPosition& position, const std::string& collection);
// Errors: corrupt, conflict (of another collection).
Result<ImportPosition> parse_position(const std::string& text, const std::string& collection);

class ImportSource {
 public:
  // Errors: not_found; conflict, when the file does not hold at `from` what it held.
  static Result<ImportSource> open(const ImportOptions& options, const ImportPosition& from);

  // nullopt at the end. Errors: invalid_argument naming the line.
  Result<std::optional<ImportItem>> next();
  const ImportPosition& position() const { return position_; }
  std::uint64_t file_bytes() const { return file_bytes_; }

 private:
  ImportSource(ImportOptions options, std::ifstream stream)
      : options_{std::move(options)}, stream_{std::move(stream)} {}
  Result<void> skip_to(const ImportPosition& from);
  Result<std::optional<std::string>> next_text();
  Result<std::optional<json::Value>> next_csv();
  Result<ImportItem> item_of(const std::string& text, std::uint64_t line) const;
  std::string operation_of(const std::string& text, std::uint64_t line) const;

  ImportOptions options_;
  std::ifstream stream_;
  CsvRow columns_;
  ImportPosition position_;
  std::uint64_t file_bytes_ = 0;
};

}  // namespace mainstay::tool
