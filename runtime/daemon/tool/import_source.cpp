#include "runtime/daemon/tool/import_source.hpp"

#include <algorithm>
#include <filesystem>

#include "runtime/base/checksum.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/daemon/tool/document.hpp"

namespace mainstay::tool {

namespace {

std::string at_line(std::uint64_t line) {
  return "line " + std::to_string(line) + ": ";
}

}  // namespace

std::string to_text(const ImportPosition& position, const std::string& collection) {
  return json::to_text(json::Value::object({{"collection", text(collection)},
                                            {"bytes", number(position.bytes)},
                                            {"lines", number(position.lines)},
                                            {"items", number(position.items)},
                                            {"last", text(position.last)}})) +
         "\n";
}

Result<ImportPosition> parse_position(const std::string& text, const std::string& collection) {
  auto document = json::parse(text.substr(0, text.find('\n')));
  if (!document || !document->is(json::Type::object))
    return fail(Errc::corrupt, "the position file cannot be read; --restart begins again");
  const std::string other = text_at(*document, "collection");
  if (other != collection)
    return fail(Errc::conflict,
                "this file was being imported into '" + other + "'; --restart begins again");
  ImportPosition position;
  position.bytes = number_at(*document, "bytes");
  position.lines = number_at(*document, "lines");
  position.items = number_at(*document, "items");
  position.last = text_at(*document, "last");
  return position;
}

Result<ImportSource> ImportSource::open(const ImportOptions& options, const ImportPosition& from) {
  std::ifstream stream{options.file, std::ios::binary};
  if (!stream) return fail(Errc::not_found, options.file + " cannot be opened");
  ImportSource source{options, std::move(stream)};
  std::error_code error;
  source.file_bytes_ = std::filesystem::file_size(options.file, error);
  if (error) source.file_bytes_ = 0;  // a pipe
  if (options.format == ImportFormat::csv) {
    TRY_ASSIGN(auto header,
               read_csv_row(source.stream_, source.position_.bytes, source.position_.lines));
    if (!header) return fail(Errc::invalid_argument, options.file + " is empty");
    source.columns_ = std::move(*header);
    if (std::find(source.columns_.begin(), source.columns_.end(), options.key) ==
        source.columns_.end())
      return fail(Errc::invalid_argument, options.file + " has no column '" + options.key +
                                              "'; --key names the one that holds the keys");
  }
  if (from.items != 0) {
    TRY(source.skip_to(from));
  }
  return source;
}

// Reads what was imported again, so that another file under the same name is noticed.
Result<void> ImportSource::skip_to(const ImportPosition& from) {
  while (position_.items < from.items) {
    TRY_ASSIGN(const auto skipped, next_text());
    if (!skipped) break;
  }
  if (position_.items != from.items || position_.last != from.last || position_.bytes != from.bytes)
    return fail(Errc::conflict, options_.file +
                                    " has changed before the place that was imported; --restart "
                                    "imports it from its beginning");
  return {};
}

Result<std::optional<json::Value>> ImportSource::next_csv() {
  const std::uint64_t line = position_.lines + 1;
  TRY_ASSIGN(auto row, read_csv_row(stream_, position_.bytes, position_.lines));
  if (!row) return std::optional<json::Value>{};
  if (row->size() != columns_.size())
    return fail(Errc::invalid_argument, at_line(line) + std::to_string(row->size()) +
                                            " fields, and the header has " +
                                            std::to_string(columns_.size()));
  json::Value object = json::Value::object();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto& typed = options_.json_columns;
    json::Value value = text((*row)[i]);
    if (std::find(typed.begin(), typed.end(), columns_[i]) != typed.end()) {
      if ((*row)[i].empty()) continue;  // absent
      auto parsed = json::parse((*row)[i]);
      if (!parsed)
        return fail(Errc::invalid_argument,
                    at_line(line) + "column '" + columns_[i] + "': " + parsed.error().message);
      value = std::move(*parsed);
    }
    object.set(columns_[i], std::move(value));
  }
  return std::optional<json::Value>{std::move(object)};
}

// The next item as JSON text, in one form for both formats: its hash marks the place.
Result<std::optional<std::string>> ImportSource::next_text() {
  std::string found;
  if (options_.format == ImportFormat::csv) {
    TRY_ASSIGN(auto object, next_csv());
    if (!object) return std::optional<std::string>{};
    found = json::to_text(*object);
  } else {
    do {
      if (!std::getline(stream_, found)) return std::optional<std::string>{};
      position_.bytes += found.size() + (stream_.eof() ? 0 : 1);
      ++position_.lines;
      if (!found.empty() && found.back() == '\r') found.pop_back();
    } while (found.empty());
  }
  ++position_.items;
  position_.last = hex_of(xxh3_128(position_.last + found));
  return std::optional<std::string>{std::move(found)};
}

// The same line of the same file gives the same id wherever and whenever it is imported.
std::string ImportSource::operation_of(const std::string& text, std::uint64_t line) const {
  const std::string name = std::filesystem::path{options_.file}.filename().string();
  return "import-" + hex_of(xxh3_128(options_.collection + '\n' + name + '\n' +
                                     std::to_string(line) + '\n' + text));
}

Result<ImportItem> ImportSource::item_of(const std::string& found, std::uint64_t line) const {
  auto object = json::parse(found);
  if (!object) return fail(Errc::invalid_argument, at_line(line) + object.error().message);
  const std::string key_name = options_.ledger && options_.key == "key" ? "id" : options_.key;
  const std::string key = object->is(json::Type::object) ? text_at(*object, key_name) : "";
  if (key.empty())
    return fail(Errc::invalid_argument,
                at_line(line) + "an object with the text member '" + key_name + "' is expected");
  ImportItem item{line, key, json::Value::object()};
  json::Value target = json::Value::object({{"collection", text(options_.collection)}});
  // A line of export has the value in a member of its own; else all other members are the value.
  const char* inner = options_.ledger ? "entry" : "value";
  json::Value content;
  if (const json::Value* value = object->find(inner)) {
    content = *value;
  } else {
    content = *object;
    content.erase(key_name);
  }
  target.set(options_.ledger ? "id" : "key", text(key));
  target.set(inner, std::move(content));
  item.write.set(options_.ledger ? "post" : "put", std::move(target));
  item.write.set("operation", text(operation_of(found, line)));
  return item;
}

Result<std::optional<ImportItem>> ImportSource::next() {
  const std::uint64_t before = position_.lines;
  TRY_ASSIGN(const auto found, next_text());
  if (!found) return std::optional<ImportItem>{};
  const std::uint64_t line = options_.format == ImportFormat::csv ? before + 1 : position_.lines;
  TRY_ASSIGN(ImportItem item, item_of(*found, line));
  return std::optional<ImportItem>{std::move(item)};
}

}  // namespace mainstay::tool
