#include "actors/adapters/file/formats.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace mainstay::adapters {

namespace {

using json::Type;
using json::Value;

constexpr std::array<char16_t, 32> windows1252_80{
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

Failure wrong_byte(std::size_t at, std::string_view encoding) {
  return fail(Errc::invalid_argument, "byte " + std::to_string(at) + " is not " +
                                          std::string{encoding} + ": see the setting encoding");
}

// How many bytes the character at `at` has; 0: it is none (RFC 3629).
std::size_t utf8_size(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(at);
  const unsigned second = byte(at + 1);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !follows(at + 1)) return 0;
  if (first < 0xE0) return 2;
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || !follows(at + 2))
    return 0;
  if (first < 0xF0) return 3;
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F) || !follows(at + 3))
    return 0;
  return 4;
}

Result<std::string> from_utf16(std::string_view content) {
  if (content.size() < 2 || content.size() % 2 != 0) return wrong_byte(0, "utf-16");
  const bool big = content.starts_with("\xFE\xFF");
  if (!big && !content.starts_with("\xFF\xFE")) return wrong_byte(0, "a byte order mark");
  const auto unit = [&](std::size_t at) -> char32_t {
    const auto a = static_cast<unsigned char>(content[at]);
    const auto b = static_cast<unsigned char>(content[at + 1]);
    return big ? (a << 8 | b) : (b << 8 | a);
  };
  std::string out;
  for (std::size_t at = 2; at < content.size(); at += 2) {
    char32_t c = unit(at);
    if (c >= 0xD800 && c < 0xE000) {
      const char32_t low = at + 3 < content.size() ? unit(at + 2) : 0;
      if (c >= 0xDC00 || low < 0xDC00 || low > 0xDFFF) return wrong_byte(at, "utf-16");
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
      at += 2;
    }
    append_utf8(out, c);
  }
  return out;
}

Result<std::vector<FilePart>> cut_csv(std::string_view text, const FileForm& form) {
  TRY_ASSIGN(const auto records, csv_records(text, form.csv));
  std::vector<FilePart> parts;
  const std::size_t first = form.csv.header ? 1 : 0;
  if (form.csv.header && records.empty())
    return fail(Errc::invalid_argument, "the header is missing");
  const std::string header = form.csv.header ? std::string{records[0]} + "\n" : "";
  std::vector<std::string> names =
      form.csv.header ? csv_fields(records[0], form.csv) : form.csv.columns;
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size())
    return fail(Errc::invalid_argument, "the header has a name twice");
  std::vector<std::size_t> group;
  for (const std::string& column : form.group_by) {
    const auto at = std::find(names.begin(), names.end(), column);
    if (at == names.end())
      return fail(Errc::invalid_argument, "the header has no column '" + column + "' (group_by)");
    group.push_back(static_cast<std::size_t>(at - names.begin()));
  }
  std::vector<std::string> before;
  for (std::size_t i = first; i < records.size(); ++i) {
    std::vector<std::string> values;
    if (!group.empty()) {
      const std::vector<std::string> fields = csv_fields(records[i], form.csv);
      for (const std::size_t column : group)
        values.push_back(column < fields.size() ? fields[column] : "");
    }
    if (group.empty() || parts.empty() || values != before)
      parts.push_back({i - first + 1, header});
    parts.back().body.append(records[i]) += '\n';
    before = std::move(values);
  }
  return parts;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") != std::string_view::npos) lines.push_back(line);
  }
  return lines;
}

Value rows_of(json::Array rows) {
  Value document = Value::object();
  document.set("rows", Value::array(std::move(rows)));
  return document;
}

Result<Value> read_csv(std::string_view body, const FileForm& form) {
  TRY_ASSIGN(const auto records, csv_records(body, form.csv));
  const std::size_t first = form.csv.header ? 1 : 0;
  if (records.size() < first) return fail(Errc::invalid_argument, "the header is missing");
  const std::vector<std::string> names =
      form.csv.header ? csv_fields(records[0], form.csv) : form.csv.columns;
  json::Array rows;
  for (std::size_t i = first; i < records.size(); ++i) {
    auto row = csv_object(names, records[i], form.csv);
    if (!row)
      return fail(Errc::invalid_argument,
                  "row " + std::to_string(i - first + 1) + ": " + row.error().message);
    rows.push_back(std::move(*row));
  }
  if (form.whole || !form.group_by.empty()) return rows_of(std::move(rows));
  if (rows.size() != 1) return fail(Errc::invalid_argument, "expected one row");
  return std::move(rows[0]);
}

Result<std::string> field_of(const Value& row, const std::string& column) {
  const Value* found = column.starts_with('/') ? json::find(row, column)
                       : row.is(Type::object)  ? row.find(column)
                                               : nullptr;
  if (found == nullptr || found->is(Type::null)) return std::string{};
  if (found->is(Type::string) || found->is(Type::number)) return found->text();
  if (found->is(Type::boolean)) return json::to_text(*found);
  return fail(Errc::invalid_argument, "column " + column + " is no text or number");
}

Result<std::string> write_csv(const Value& document, const FileForm& form) {
  std::string out = form.csv.header ? csv_line(form.csv.columns, form.csv) : "";
  std::vector<const Value*> rows{&document};
  if (!form.rows.empty()) {
    const Value* found = json::find(document, form.rows);
    if (found == nullptr || !found->is(Type::array))
      return fail(Errc::invalid_argument, "the document has no array at " + form.rows);
    rows.clear();
    for (const Value& item : found->items()) rows.push_back(&item);
  }
  for (const Value* row : rows) {
    std::vector<std::string> fields;
    for (const std::string& column : form.csv.columns) {
      TRY_ASSIGN(std::string field, field_of(*row, column));
      fields.push_back(std::move(field));
    }
    out += csv_line(fields, form.csv);
  }
  return out;
}

void take_csv(Settings& settings, CsvDialect& csv) {
  const auto one = [&settings](std::string_view name, std::string_view otherwise) {
    const std::string text = settings.text(name, otherwise);
    if (text == "tab") return '\t';
    if (text == "none" && name == "quote") return '\0';
    if (text.size() == 1 && text[0] != '\r' && text[0] != '\n') return text[0];
    settings.wrong(name, "expected one character");
    return ',';
  };
  csv.delimiter = one("delimiter", ",");
  csv.quote = one("quote", "\"");
  if (csv.delimiter == csv.quote)
    settings.wrong("quote", "expected another character than the delimiter");
  csv.header = settings.boolean("header", true);
  csv.columns = settings.texts("columns");
}

}  // namespace

FileForm take_form(Settings& settings) {
  FileForm form;
  const std::string format = settings.choice("format", "", {"csv", "json", "ndjson", "xml"});
  form.format = format == "csv"      ? FileFormat::csv
                : format == "ndjson" ? FileFormat::ndjson
                : format == "xml"    ? FileFormat::xml
                                     : FileFormat::json;
  const std::string encoding =
      settings.choice("encoding", "utf-8", {"utf-8", "iso-8859-1", "windows-1252", "utf-16"});
  form.encoding = encoding == "utf-16"         ? FileEncoding::utf16
                  : encoding == "iso-8859-1"   ? FileEncoding::latin1
                  : encoding == "windows-1252" ? FileEncoding::windows1252
                                               : FileEncoding::utf8;
  form.rows = settings.text("rows", "");
  if (form.format == FileFormat::csv) {
    take_csv(settings, form.csv);
    form.group_by = settings.texts("group_by");
  }
  if (form.format == FileFormat::xml) {
    form.xml.arrays = settings.texts("arrays");
    form.root = settings.text("root", form.root);
    if (form.rows.starts_with('/'))
      settings.wrong("rows", "expected a path of element names, such as orders/order");
  } else if (!form.rows.empty()) {
    const auto pointer = json::check_pointer(form.rows);
    if (!pointer) settings.wrong("rows", pointer.error().message);
  }
  return form;
}

Result<std::string> to_utf8(std::string content, FileEncoding encoding) {
  if (encoding == FileEncoding::utf16) return from_utf16(content);
  if (encoding == FileEncoding::utf8) {
    if (content.starts_with("\xEF\xBB\xBF")) content.erase(0, 3);
    for (std::size_t at = 0; at < content.size();) {
      const std::size_t size = utf8_size(content, at);
      if (size == 0) return wrong_byte(at, "utf-8");
      at += size;
    }
    return content;
  }
  std::string out;
  for (std::size_t at = 0; at < content.size(); ++at) {
    char32_t c = static_cast<unsigned char>(content[at]);
    if (encoding == FileEncoding::windows1252 && c >= 0x80 && c < 0xA0)
      c = windows1252_80[c - 0x80];
    if (c == 0xFFFD) return wrong_byte(at, "windows-1252");
    append_utf8(out, c);
  }
  return out;
}

Result<std::vector<FilePart>> cut(std::string text, const FileForm& form) {
  std::vector<FilePart> parts;
  if (form.whole) {
    parts.push_back({1, std::move(text)});
    return parts;
  }
  std::size_t number = 0;
  switch (form.format) {
    case FileFormat::csv:
      return cut_csv(text, form);
    case FileFormat::ndjson:
      for (const std::string_view line : lines_of(text))
        parts.push_back({++number, std::string{line}});
      return parts;
    case FileFormat::xml: {
      TRY_ASSIGN(std::vector<std::string> elements, xml_elements(text, form.rows));
      for (std::string& element : elements) parts.push_back({++number, std::move(element)});
      return parts;
    }
    case FileFormat::json:
      break;
  }
  TRY_ASSIGN(const Value value, json::parse(text));
  const Value* rows = json::find(value, form.rows);
  if (rows == nullptr || !rows->is(Type::array))
    return fail(Errc::invalid_argument, "there is no array at '" + form.rows + "' (rows)");
  for (const Value& item : rows->items()) parts.push_back({++number, json::to_text(item)});
  return parts;
}

Result<Value> read_part(std::string_view body, const FileForm& form) {
  if (form.format == FileFormat::csv) return read_csv(body, form);
  if (form.format == FileFormat::xml) return xml_to_json(body, form.xml);
  if (form.format == FileFormat::json || !form.whole) return json::parse(body);
  json::Array rows;
  for (const std::string_view line : lines_of(body)) {
    TRY_ASSIGN(Value row, json::parse(line));
    rows.push_back(std::move(row));
  }
  return rows_of(std::move(rows));
}

Result<std::string> write_file(const Value& document, const FileForm& form) {
  switch (form.format) {
    case FileFormat::csv:
      return write_csv(document, form);
    case FileFormat::xml:
      return json_to_xml(document, form.root);
    case FileFormat::json:
      return json::to_text(document) + "\n";
    case FileFormat::ndjson:
      break;
  }
  const Value* rows = form.rows.empty() ? nullptr : json::find(document, form.rows);
  if (!form.rows.empty() && (rows == nullptr || !rows->is(Type::array)))
    return fail(Errc::invalid_argument, "the document has no array at " + form.rows);
  if (rows == nullptr) return json::to_text(document) + "\n";
  std::string out;
  for (const Value& row : rows->items()) out += json::to_text(row) + "\n";
  return out;
}

}  // namespace mainstay::adapters
