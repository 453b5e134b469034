// Dates and times of counterparts, by a pattern, as RFC 3339 in UTC or as a plain date. No named
// zones: where a text has no offset from UTC, the mapping gives one. Pure.
//   %Y year  %y two digits of it (00 to 68: 2000 on)  %m month  %d day  %b "Nov"  %H %M %S
//   %f fraction of a second  %z "Z", "+01:00", "+0100", "+01"  %s seconds since 1970
//   %Q milliseconds since 1970  %% a percent sign; anything else stands for itself
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace mainstay::integration {

struct DateForm {
  std::string pattern;                // "": RFC 3339, or a date alone with `date_only`
  std::optional<int> offset_minutes;  // of texts that carry none: local time minus UTC
  bool date_only = false;             // the date as it is written, whatever the time and offset
};

// Errors: invalid_argument: an unknown sign, no whole date in it, or no way to know the offset.
Result<void> check_form(const DateForm& form);
// "+02:00" in minutes. Errors: invalid_argument.
Result<int> offset_of(std::string_view text);

// Errors: invalid_argument. REQUIRES: the form is good.
Result<std::string> date_text(std::string_view text, const DateForm& form);

}  // namespace mainstay::integration
