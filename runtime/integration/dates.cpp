#include "runtime/integration/dates.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>

namespace mainstay::integration {

namespace {

constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::size_t fraction_digits_max = 9;

struct Parts {
  int year = 0;
  unsigned month = 0, day = 0;
  unsigned hour = 0, minute = 0, second = 0;
  std::string fraction;
  std::optional<int> offset_minutes;
};

Failure wrong(std::string what) {
  return fail(Errc::invalid_argument, std::move(what));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// `low` to `high` digits from the front of the text.
std::optional<std::uint64_t> take_digits(std::string_view& text, std::size_t low,
                                         std::size_t high) {
  std::uint64_t value = 0;
  std::size_t count = 0;
  for (; count < high && count < text.size() && is_digit(text[count]); ++count)
    value = value * 10 + static_cast<std::uint64_t>(text[count] - '0');
  if (count < low) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

std::optional<int> take_offset(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  if (text.front() == 'Z' || text.front() == 'z') {
    text.remove_prefix(1);
    return 0;
  }
  if (text.front() != '+' && text.front() != '-') return std::nullopt;
  const bool west = text.front() == '-';
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2, 2);
  if (!hours) return std::nullopt;
  std::uint64_t minutes = 0;
  if (!text.empty() && (text.front() == ':' || is_digit(text.front()))) {
    if (text.front() == ':') text.remove_prefix(1);
    const auto given = take_digits(text, 2, 2);
    if (!given) return std::nullopt;
    minutes = *given;
  }
  if (*hours > 18 || minutes > 59) return std::nullopt;
  const int all = static_cast<int>(*hours * 60 + minutes);
  return west ? -all : all;
}

std::optional<unsigned> take_month_name(std::string_view& text) {
  for (unsigned i = 0; i < month_names.size(); ++i) {
    if (text.substr(0, 3) != month_names[i]) continue;
    text.remove_prefix(3);
    return i + 1;
  }
  return std::nullopt;
}

bool take_fraction(std::string_view& text, Parts& parts) {
  while (!text.empty() && is_digit(text.front())) {
    parts.fraction += text.front();
    text.remove_prefix(1);
  }
  return !parts.fraction.empty() && parts.fraction.size() <= fraction_digits_max;
}

void set_epoch(Parts& parts, std::uint64_t seconds) {
  const auto since = std::chrono::seconds{static_cast<std::int64_t>(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(since);
  const std::chrono::year_month_day date{std::chrono::sys_days{day}};
  parts.year = static_cast<int>(date.year());
  parts.month = static_cast<unsigned>(date.month());
  parts.day = static_cast<unsigned>(date.day());
  const auto rest = static_cast<unsigned>((since - day).count());
  parts.hour = rest / 3600;
  parts.minute = rest / 60 % 60;
  parts.second = rest % 60;
  parts.offset_minutes = 0;
}

bool take_epoch(char sign, std::string_view& text, Parts& parts) {
  const auto count = take_digits(text, 1, sign == 's' ? 11 : 14);
  if (!count) return false;
  set_epoch(parts, sign == 's' ? *count : *count / 1000);
  if (sign == 'Q') {
    std::array<char, 8> digits{};
    std::snprintf(digits.data(), digits.size(), "%03u", static_cast<unsigned>(*count % 1000));
    parts.fraction = digits.data();
  }
  return true;
}

template <class T>
bool store(T& place, std::optional<std::uint64_t> value) {
  if (value) place = static_cast<T>(*value);
  return value.has_value();
}

bool take_year_of_century(std::string_view& text, Parts& parts) {
  if (!store(parts.year, take_digits(text, 2, 2))) return false;
  parts.year += parts.year <= 68 ? 2000 : 1900;
  return true;
}

// What one sign of the pattern stands for.
bool take(char sign, std::string_view& text, Parts& parts) {
  switch (sign) {
    case 'Y':
      return store(parts.year, take_digits(text, 4, 4));
    case 'y':
      return take_year_of_century(text, parts);
    case 'm':
      return store(parts.month, take_digits(text, 1, 2));
    case 'd':
      return store(parts.day, take_digits(text, 1, 2));
    case 'b':
      return store(parts.month, take_month_name(text));
    case 'H':
      return store(parts.hour, take_digits(text, 1, 2));
    case 'M':
      return store(parts.minute, take_digits(text, 1, 2));
    case 'S':
      return store(parts.second, take_digits(text, 1, 2));
    case 'f':
      return take_fraction(text, parts);
    case 'z':
      parts.offset_minutes = take_offset(text);
      return parts.offset_minutes.has_value();
    default:
      return take_epoch(sign, text, parts);
  }
}

std::optional<Parts> by_pattern(std::string_view text, std::string_view pattern) {
  Parts parts;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool sign = pattern[i] == '%' && pattern[i + 1] != '%';
    if (pattern[i] == '%') ++i;
    if (sign) {
      if (!take(pattern[i], text, parts)) return std::nullopt;
      continue;
    }
    if (text.empty() || text.front() != pattern[i]) return std::nullopt;
    text.remove_prefix(1);
  }
  if (!text.empty()) return std::nullopt;
  return parts;
}

std::optional<Parts> by_standard(std::string_view text, bool date_only) {
  if (date_only && text.size() == 10) return by_pattern(text, "%Y-%m-%d");
  if (text.size() < 19 || (text[10] != 'T' && text[10] != 't' && text[10] != ' '))
    return std::nullopt;
  auto parts = by_pattern(text.substr(0, 10), "%Y-%m-%d");
  const auto time = by_pattern(text.substr(11, 8), "%H:%M:%S");
  if (!parts || !time) return std::nullopt;
  parts->hour = time->hour;
  parts->minute = time->minute;
  parts->second = time->second;
  text.remove_prefix(19);
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    if (!take_fraction(text, *parts)) return std::nullopt;
  }
  if (!text.empty()) parts->offset_minutes = take_offset(text);
  if (!text.empty()) return std::nullopt;
  return parts;
}

std::string padded(const char* form, int a, unsigned b, unsigned c) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), form, a, b, c);
  return text.data();
}

bool has_sign(std::string_view pattern, std::string_view signs) {
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] != '%') continue;
    ++i;
    if (signs.find(pattern[i]) != std::string_view::npos) return true;
  }
  return false;
}

bool has_date(std::string_view pattern) {
  if (has_sign(pattern, "sQ")) return true;
  return has_sign(pattern, "Yy") && has_sign(pattern, "mb") && has_sign(pattern, "d");
}

}  // namespace

Result<int> offset_of(std::string_view text) {
  std::string_view rest = text;
  const auto minutes = take_offset(rest);
  if (!minutes || !rest.empty())
    return wrong("an offset looks like \"Z\", \"+02:00\" or \"-0530\"");
  return *minutes;
}

Result<void> check_form(const DateForm& form) {
  constexpr std::string_view signs = "YymdbHMSfzsQ%";
  const std::string_view pattern = form.pattern;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') continue;
    ++i;
    if (i == pattern.size() || signs.find(pattern[i]) == std::string_view::npos)
      return wrong(
          "the pattern has an unknown sign; known: %Y %y %m %d %b %H %M %S %f %z %s %Q %%");
  }
  if (pattern.empty()) return {};
  if (!has_date(pattern)) return wrong("the pattern has no whole date: %Y %m %d, or %s");
  if (!form.date_only && !form.offset_minutes && !has_sign(pattern, "zsQ"))
    return wrong("the pattern has no %z: give the offset from UTC, such as \"+00:00\"");
  return {};
}

Result<std::string> date_text(std::string_view text, const DateForm& form) {
  const std::string shown = "'" + std::string{text.substr(0, 48)} + "'";
  const auto parts =
      form.pattern.empty() ? by_standard(text, form.date_only) : by_pattern(text, form.pattern);
  if (!parts)
    return wrong(shown + " does not look like " +
                 (form.pattern.empty()
                      ? std::string{form.date_only ? "2026-11-22" : "2026-11-22T22:47:05Z"}
                      : "'" + form.pattern + "'"));
  const std::chrono::year_month_day date{std::chrono::year{parts->year},
                                         std::chrono::month{parts->month},
                                         std::chrono::day{parts->day}};
  if (!date.ok() || parts->hour > 23 || parts->minute > 59 || parts->second > 59)
    return wrong(shown + " is no date that there is");
  if (form.date_only) return padded("%04d-%02u-%02u", parts->year, parts->month, parts->day);
  const auto offset = parts->offset_minutes ? parts->offset_minutes : form.offset_minutes;
  if (!offset) return wrong(shown + " has no offset from UTC, and none is given");
  const auto at = std::chrono::sys_days{date} + std::chrono::hours{parts->hour} +
                  std::chrono::minutes{parts->minute} - std::chrono::minutes{*offset};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day utc{day};
  const auto minutes =
      static_cast<unsigned>(std::chrono::duration_cast<std::chrono::minutes>(at - day).count());
  const int year = static_cast<int>(utc.year());
  if (year < 0 || year > 9999) return wrong(shown + " is no date that there is");
  return padded("%04d-%02u-%02u", year, static_cast<unsigned>(utc.month()),
                static_cast<unsigned>(utc.day())) +
         padded("T%02d:%02u:%02u", static_cast<int>(minutes / 60), minutes % 60, parts->second) +
         (parts->fraction.empty() ? "" : "." + parts->fraction) + "Z";
}

}  // namespace mainstay::integration
