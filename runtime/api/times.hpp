// Times as the API writes them: UTC with milliseconds, RFC 3339. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace mainstay::api {

// "2026-11-22T22:47:05.123Z" of milliseconds since 1970.
std::string time_text(std::uint64_t millis);

// The reverse; without or with up to three digits of a fraction. Errors: invalid_argument (not such
// a time, not in UTC, before 1970).
Result<std::uint64_t> millis_of_time(std::string_view text);

}  // namespace mainstay::api
