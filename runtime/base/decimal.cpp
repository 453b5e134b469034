#include "runtime/base/decimal.hpp"

#include <algorithm>

#include "runtime/base/json.hpp"

namespace mainstay {

namespace {

using Units = Decimal::Units;

constexpr Units power_of_ten(unsigned exponent) {
  Units result = 1;
  for (unsigned i = 0; i < exponent; ++i) result *= 10;
  return result;
}

constexpr Units units_end = power_of_ten(Decimal::digits_max);

bool has_room(Units units) {
  return units < units_end && units > -units_end;
}

Failure no_room() {
  return fail(Errc::invalid_argument,
              "the number has more than " + std::to_string(Decimal::digits_max) + " digits");
}

// Times 10^`exponent`; nothing when there is no room.
std::optional<Units> shifted(Units units, unsigned exponent) {
  for (unsigned i = 0; i < exponent; ++i) {
    if (units == 0) return units;
    if (!has_room(units)) return std::nullopt;
    if (__builtin_mul_overflow(units, Units{10}, &units)) return std::nullopt;
  }
  if (!has_room(units)) return std::nullopt;
  return units;
}

}  // namespace

Result<Decimal> Decimal::parse(std::string_view text) {
  if (!json::is_number(text))
    return fail(Errc::invalid_argument,
                "'" + std::string{text.substr(0, 64)} + "' is not a decimal number");
  // The zeros behind the point count in the scale, as they came.
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  const std::size_t point = text.substr(0, e).find('.');
  const std::size_t behind = point == std::string_view::npos ? 0 : e - point - 1;
  const json::Number number = json::number_of(text);
  const std::string mantissa{text.substr(0, e)};
  // How far the exponent moves the point, from the two readings of the same digits.
  const json::Number plain = json::number_of(mantissa);
  std::int64_t exponent = number.point - plain.point;
  if (number.is_zero()) exponent = 0;
  const auto scale = std::max<std::int64_t>(0, static_cast<std::int64_t>(behind) - exponent);
  if (scale > scale_max)
    return fail(Errc::invalid_argument, "the number has more than " + std::to_string(scale_max) +
                                            " digits behind the point");
  const std::int64_t zeros = number.point + scale - static_cast<std::int64_t>(number.digits.size());
  if (number.is_zero()) return Decimal{0, static_cast<unsigned>(scale)};
  if (number.point + scale > digits_max) return no_room();
  Units units = 0;
  for (const char c : number.digits) units = units * 10 + (c - '0');
  for (std::int64_t i = 0; i < zeros; ++i) units *= 10;
  return Decimal{number.negative ? -units : units, static_cast<unsigned>(scale)};
}

Result<Decimal> Decimal::rescaled(unsigned scale) const {
  if (scale > scale_max)
    return fail(Errc::invalid_argument,
                "a scale is at most " + std::to_string(scale_max) + " digits");
  if (scale >= scale_) {
    const auto units = shifted(units_, scale - scale_);
    if (!units) return no_room();
    return Decimal{*units, scale};
  }
  const Units divisor = power_of_ten(scale_ - scale);
  if (units_ % divisor != 0)
    return fail(Errc::invalid_argument, to_string() + " has more than " + std::to_string(scale) +
                                            " digits behind the point");
  return Decimal{units_ / divisor, scale};
}

Result<Decimal> Decimal::plus(const Decimal& other) const {
  const unsigned scale = std::max(scale_, other.scale_);
  const auto a = shifted(units_, scale - scale_);
  const auto b = shifted(other.units_, scale - other.scale_);
  // Both are below 10^38, so that their sum cannot overflow.
  if (!a || !b || !has_room(*a + *b)) return no_room();
  return Decimal{*a + *b, scale};
}

Result<Decimal> Decimal::times(const Decimal& other) const {
  Units units = 0;
  if (__builtin_mul_overflow(units_, other.units_, &units)) return no_room();
  unsigned scale = scale_ + other.scale_;
  for (; scale > scale_max && units % 10 == 0; --scale) units /= 10;
  if (scale > scale_max || !has_room(units)) return no_room();
  return Decimal{units, scale};
}

std::string Decimal::to_string() const {
  std::string text;
  // The smallest units are not representable when negated, but are far outside of 38 digits.
  Units rest = units_ < 0 ? -units_ : units_;
  do {
    text += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
    if (text.size() == scale_) text += '.';
  } while (rest != 0 || text.size() <= scale_ || text.back() == '.');
  if (units_ < 0) text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  const Units a_unit = power_of_ten(a.scale_);
  const Units b_unit = power_of_ten(b.scale_);
  if (const auto whole = a.units_ / a_unit <=> b.units_ / b_unit; whole != 0) return whole;
  const Units a_rest = a.units_ % a_unit * power_of_ten(Decimal::scale_max - a.scale_);
  const Units b_rest = b.units_ % b_unit * power_of_ten(Decimal::scale_max - b.scale_);
  return a_rest <=> b_rest;
}

}  // namespace mainstay
