// Comma-separated values (RFC 4180), with other delimiters and quotes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::adapters {

struct CsvDialect {
  char delimiter = ',';
  char quote = '"';  // '\0': none
  bool header = true;
  std::vector<std::string> columns;  // their names where there is no header
};

// The records of a text as they stand there, without their line ends; empty lines are left out. A
// quoted field may hold line breaks. Errors: invalid_argument with the line: a quote that does not
// end, or something behind it.
Result<std::vector<std::string_view>> csv_records(std::string_view text, const CsvDialect& dialect);

// The fields of one record.
std::vector<std::string> csv_fields(std::string_view record, const CsvDialect& dialect);

// A record as an object of texts. Errors: invalid_argument: more or fewer fields than names.
Result<json::Value> csv_object(const std::vector<std::string>& names, std::string_view record,
                               const CsvDialect& dialect);

// One line with its CR LF.
std::string csv_line(const std::vector<std::string>& fields, const CsvDialect& dialect);

}  // namespace mainstay::adapters
