// Percent-encoding and the parts of a request target (RFC 3986). Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"

namespace mainstay::http {

// Errors: invalid_argument for a '%' without two hexadecimal digits.
Result<std::string> percent_decode(std::string_view text);
// Everything but unreserved characters is encoded: fit for one path segment or one query value.
std::string percent_encode(std::string_view text);

using Query = std::vector<std::pair<std::string, std::string>>;
// "a=1&b=x%20y", where '+' means a space as HTML forms write it. Errors: invalid_argument.
Result<Query> parse_query(std::string_view text);

}  // namespace mainstay::http
