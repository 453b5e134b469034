#include "actors/adapters/file/csv.hpp"

namespace mainstay::adapters {

namespace {

bool is_end(char c) {
  return c == '\n' || c == '\r';
}

Failure wrong(std::size_t line, const std::string& what) {
  return fail(Errc::invalid_argument, "line " + std::to_string(line) + ": " + what);
}

// Behind the closing quote of a field that opens at `at`; npos: it does not end.
std::size_t behind_quoted(std::string_view text, std::size_t at, char quote) {
  for (++at; at < text.size(); ++at) {
    if (text[at] != quote) continue;
    if (at + 1 < text.size() && text[at + 1] == quote)
      ++at;
    else
      return at + 1;
  }
  return std::string_view::npos;
}

}  // namespace

Result<std::vector<std::string_view>> csv_records(std::string_view text,
                                                  const CsvDialect& dialect) {
  std::vector<std::string_view> records;
  std::size_t line = 1;
  std::size_t begin = 0;
  bool field_begins = true;
  std::size_t at = 0;
  const auto end_record = [&](std::size_t end) {
    if (end > begin) records.push_back(text.substr(begin, end - begin));
  };
  while (at < text.size()) {
    const char c = text[at];
    if (field_begins && dialect.quote != '\0' && c == dialect.quote) {
      const std::size_t end = behind_quoted(text, at, dialect.quote);
      if (end == std::string_view::npos) return wrong(line, "a quoted field does not end");
      if (end < text.size() && text[end] != dialect.delimiter && !is_end(text[end]))
        return wrong(line, "expected a delimiter or the line's end behind a quoted field");
      for (; at < end; ++at) line += text[at] == '\n' ? 1 : 0;
      field_begins = false;
    } else if (is_end(c)) {
      end_record(at);
      if (c == '\r' && at + 1 < text.size() && text[at + 1] == '\n') ++at;
      begin = ++at;
      ++line;
      field_begins = true;
    } else {
      field_begins = c == dialect.delimiter;
      ++at;
    }
  }
  end_record(text.size());
  return records;
}

std::vector<std::string> csv_fields(std::string_view record, const CsvDialect& dialect) {
  std::vector<std::string> fields;
  for (std::size_t at = 0;;) {
    std::string field;
    std::size_t end = at;
    if (dialect.quote != '\0' && at < record.size() && record[at] == dialect.quote) {
      end = std::min(behind_quoted(record, at, dialect.quote), record.size());
      for (std::size_t i = at + 1; i + 1 < end; ++i) {
        field += record[i];
        if (record[i] == dialect.quote) ++i;
      }
    } else {
      end = std::min(record.find(dialect.delimiter, at), record.size());
      field = std::string{record.substr(at, end - at)};
    }
    fields.push_back(std::move(field));
    if (end >= record.size()) return fields;
    at = end + 1;
  }
}

Result<json::Value> csv_object(const std::vector<std::string>& names, std::string_view record,
                               const CsvDialect& dialect) {
  std::vector<std::string> fields = csv_fields(record, dialect);
  if (fields.size() != names.size())
    return fail(Errc::invalid_argument, "a row has " + std::to_string(fields.size()) +
                                            " fields, expected " + std::to_string(names.size()));
  json::Object members;
  members.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    members.emplace_back(names[i], json::Value::string(std::move(fields[i])));
  return json::Value::object(std::move(members));
}

std::string csv_line(const std::vector<std::string>& fields, const CsvDialect& dialect) {
  std::string line;
  bool first = true;
  for (const std::string& field : fields) {
    if (!first) line += dialect.delimiter;
    first = false;
    const std::string special{dialect.delimiter, dialect.quote, '\r', '\n'};
    if (dialect.quote == '\0' || (field.find_first_of(special) == std::string::npos &&
                                  !(field.empty() && fields.size() == 1))) {
      line += field;
      continue;
    }
    line += dialect.quote;
    for (const char c : field) {
      line += c;
      if (c == dialect.quote) line += c;
    }
    line += dialect.quote;
  }
  return line + "\r\n";
}

}  // namespace mainstay::adapters
