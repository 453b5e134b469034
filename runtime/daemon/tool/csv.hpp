// Comma-separated values (RFC 4180): a field with a comma, a quote or a line break stands in
// quotes, a quote in it twice. Pure.
#pragma once

#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace mainstay::tool {

using CsvRow = std::vector<std::string>;

// The next row of a stream; nullopt at its end. A quoted field may hold line breaks. `bytes` and
// `lines` grow by what was read. Errors: invalid_argument, for a quote that does not end.
Result<std::optional<CsvRow>> read_csv_row(std::istream& in, std::uint64_t& bytes,
                                           std::uint64_t& lines);

std::string csv_line(const CsvRow& row);  // with its newline

}  // namespace mainstay::tool
