#include "runtime/api/times.hpp"

#include <chrono>

#include <fmt/format.h>

namespace mainstay::api {

namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;

constexpr std::uint64_t day_ms = 24ULL * 3600 * 1000;

// The number that stands at `at` with exactly `digits` digits; -1 if none does.
int digits_at(std::string_view text, std::size_t at, std::size_t digits) {
  int number = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

// ".25Z" -> 250; -1 for any other text. "Z" -> 0.
int millis_of_end(std::string_view end) {
  if (end == "Z") return 0;
  if (end.size() < 3 || end.size() > 5 || end.front() != '.' || end.back() != 'Z') return -1;
  const std::size_t digits = end.size() - 2;
  int millis = digits_at(end, 1, digits);
  for (std::size_t i = digits; millis >= 0 && i < 3; ++i) millis *= 10;
  return millis;
}

}  // namespace

std::string time_text(std::uint64_t millis) {
  const auto days = std::chrono::days{static_cast<std::int64_t>(millis / day_ms)};
  const std::chrono::year_month_day date{sys_days{days}};
  const std::uint64_t rest = millis % day_ms;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     rest / 3'600'000, rest / 60'000 % 60, rest / 1000 % 60, rest % 1000);
}

Result<std::uint64_t> millis_of_time(std::string_view text) {
  const auto refused = [&] {
    return fail(Errc::invalid_argument,
                "'" + std::string{text} + "' is not a time in UTC such as 2036-01-01T00:00:00Z");
  };
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':')
    return refused();
  const int years = digits_at(text, 0, 4), months = digits_at(text, 5, 2),
            days = digits_at(text, 8, 2), hours = digits_at(text, 11, 2),
            minutes = digits_at(text, 14, 2), seconds = digits_at(text, 17, 2);
  const int millis = millis_of_end(text.substr(19));
  if (years < 1970 || months < 1 || days < 1 || hours < 0 || hours > 23 || minutes < 0 ||
      minutes > 59 || seconds < 0 || seconds > 59 || millis < 0)
    return refused();
  const std::chrono::year_month_day date{year{years}, month{static_cast<unsigned>(months)},
                                         day{static_cast<unsigned>(days)}};
  if (!date.ok()) return refused();
  const auto since = sys_days{date}.time_since_epoch().count();
  return static_cast<std::uint64_t>(since) * day_ms +
         static_cast<std::uint64_t>((hours * 3600 + minutes * 60 + seconds) * 1000 + millis);
}

}  // namespace mainstay::api
