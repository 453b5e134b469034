#include "runtime/integration/exact.hpp"

#include <algorithm>
#include <utility>

#include <boost/multiprecision/cpp_int.hpp>

#include "runtime/base/decimal.hpp"
#include "runtime/base/json.hpp"
#include "runtime/integration/units.hpp"

namespace mainstay::integration {

namespace {

using Integer = boost::multiprecision::cpp_int;

// Longer ones are no quantities, but attempts to keep us busy.
constexpr std::int64_t digits_max = 200;

struct Fraction {
  Integer above = 0;
  Integer below = 1;   // greater than 0
  unsigned scale = 0;  // digits behind the point that it came with
};

Integer power_of_ten(std::int64_t exponent) {
  return boost::multiprecision::pow(Integer{10}, static_cast<unsigned>(exponent));
}

Failure wrong(std::string what) {
  return fail(Errc::invalid_argument, std::move(what));
}

// Digits behind the point of the text, after its exponent has moved it.
std::int64_t scale_of(std::string_view text) {
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  const std::size_t point = text.substr(0, e).find('.');
  const std::size_t behind = point == std::string_view::npos ? 0 : e - point - 1;
  const json::Number number = json::number_of(text);
  if (number.is_zero()) return static_cast<std::int64_t>(behind);
  const std::int64_t moved = number.point - json::number_of(text.substr(0, e)).point;
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(behind) - moved);
}

Result<Fraction> fraction_of(std::string_view text) {
  ASSERT(json::is_number(text));
  const json::Number number = json::number_of(text);
  const auto count = static_cast<std::int64_t>(number.digits.size());
  const bool small = text.size() <= 2 * digits_max && count <= digits_max &&
                     number.point <= digits_max && number.point >= -digits_max;
  if (!small)
    return wrong("the number " + std::string{text.substr(0, 32)} + "… has more than " +
                 std::to_string(digits_max) + " digits");
  Fraction fraction;
  fraction.scale = static_cast<unsigned>(scale_of(text));
  if (number.is_zero()) return fraction;
  fraction.above = Integer{number.digits};
  if (number.negative) fraction.above = -fraction.above;
  const std::int64_t exponent = number.point - count;
  if (exponent >= 0)
    fraction.above *= power_of_ten(exponent);
  else
    fraction.below = power_of_ten(-exponent);
  return fraction;
}

// Whether the absolute value, cut off, has to be one more.
bool goes_up(const Integer& cut, const Integer& rest, const Integer& below, Rounding rounding) {
  switch (rounding) {
    case Rounding::half_up:
      return 2 * rest >= below;
    case Rounding::half_even:
      return 2 * rest > below || (2 * rest == below && cut % 2 != 0);
    case Rounding::up:
      return rest != 0;
    default:
      return false;
  }
}

std::string text_of(const Integer& units, unsigned scale) {
  std::string text = Integer{abs(units)}.str();
  if (text.size() <= scale) text.insert(0, scale + 1 - text.size(), '0');
  if (scale > 0) text.insert(text.size() - scale, ".");
  return units < 0 ? "-" + text : text;
}

// The fewest digits behind the point that hold all of it; nothing if none do.
std::optional<unsigned> whole_scale(const Fraction& fraction) {
  Integer above = fraction.above;
  for (unsigned scale = 0; scale <= Decimal::scale_max; ++scale, above *= 10)
    if (above % fraction.below == 0) return scale;
  return std::nullopt;
}

Result<std::string> written(const Fraction& fraction, const DecimalForm& form, bool as_it_came) {
  unsigned scale = form.scale.value_or(fraction.scale);
  if (!form.scale && (!as_it_came || scale > Decimal::scale_max)) {
    const auto whole = whole_scale(fraction);
    if (!whole)
      return wrong("the result has more than " + std::to_string(Decimal::scale_max) +
                   " digits behind the point; give a scale and a rounding");
    scale = *whole;
  }
  const Integer above = Integer{abs(fraction.above)} * power_of_ten(scale);
  Integer units = above / fraction.below;
  const Integer rest = above % fraction.below;
  if (rest != 0 && form.rounding == Rounding::none)
    return wrong("the number has more than " + std::to_string(scale) +
                 " digits behind the point, and no rounding is asked for");
  if (goes_up(units, rest, fraction.below, form.rounding)) ++units;
  if (units >= power_of_ten(Decimal::digits_max))
    return wrong("the number has more than " + std::to_string(Decimal::digits_max) + " digits");
  if (fraction.above < 0) units = -units;
  return text_of(units, scale);
}

Fraction times(const Fraction& a, const Fraction& b) {
  return {a.above * b.above, a.below * b.below, a.scale + b.scale};
}

Fraction plus(const Fraction& a, const Fraction& b) {
  return {a.above * b.below + b.above * a.below, a.below * b.below, std::max(a.scale, b.scale)};
}

Fraction known(std::string_view text) {
  auto fraction = fraction_of(text);
  ASSERT(fraction.has_value());
  return *std::move(fraction);
}

// Digits of the whole part, without the group marks, which must stand before each three.
std::optional<std::string> ungrouped(std::string_view whole, char group) {
  if (group == '\0' || whole.find(group) == std::string_view::npos) return std::string{whole};
  std::string digits;
  bool first = true;
  while (true) {
    const std::size_t end = std::min(whole.find(group), whole.size());
    const bool good = first ? end >= 1 && end <= 3 : end == 3;
    if (!good) return std::nullopt;
    digits.append(whole.substr(0, end));
    if (end == whole.size()) return digits;
    whole.remove_prefix(end + 1);
    first = false;
  }
}

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<Rounding> rounding_of(std::string_view name) {
  if (name == "half_even") return Rounding::half_even;
  if (name == "half_up") return Rounding::half_up;
  if (name == "down") return Rounding::down;
  if (name == "up") return Rounding::up;
  return std::nullopt;
}

std::optional<std::string> plain_number(std::string_view text, const NumberStyle& style) {
  text = without_spaces(text);
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  } else if (!text.empty() && text.back() == '-') {
    negative = true;
    text.remove_suffix(1);
  }
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  const std::string_view mantissa = text.substr(0, e);
  const std::size_t point = std::min(mantissa.find(style.point), mantissa.size());
  auto whole = ungrouped(mantissa.substr(0, point), style.group);
  if (!whole) return std::nullopt;
  std::string behind{mantissa.substr(std::min(point + 1, mantissa.size()))};
  if (whole->empty() && behind.empty()) return std::nullopt;
  whole->erase(0, std::min(whole->find_first_not_of('0'), whole->size()));
  if (whole->empty()) *whole = "0";
  std::string plain = negative ? "-" : "";
  plain += *whole;
  if (!behind.empty()) plain += "." + behind;
  plain += text.substr(e);
  if (!json::is_number(plain)) return std::nullopt;
  return plain;
}

Result<std::string> decimal_text(std::string_view number, const DecimalForm& form) {
  TRY_ASSIGN(const Fraction fraction, fraction_of(number));
  return written(fraction, form, true);
}

Result<std::string> sum_of(const std::vector<std::string>& numbers, const DecimalForm& form) {
  Fraction sum;
  for (const std::string& number : numbers) {
    TRY_ASSIGN(const Fraction fraction, fraction_of(number));
    sum.scale = std::max(sum.scale, fraction.scale);
    if (sum.below == fraction.below)
      sum.above += fraction.above;
    else
      sum = plus(sum, fraction);
    const Integer common = gcd(sum.above, sum.below);
    sum.above /= common;
    sum.below /= common;
  }
  return written(sum, form, true);
}

Result<std::string> product_of(const std::vector<std::string>& numbers, const DecimalForm& form) {
  constexpr std::size_t factors_max = 8;
  if (numbers.size() > factors_max)
    return wrong("a product has at most " + std::to_string(factors_max) + " factors");
  Fraction product{1, 1, 0};
  for (const std::string& number : numbers) {
    TRY_ASSIGN(const Fraction fraction, fraction_of(number));
    product = times(product, fraction);
  }
  return written(product, form, false);
}

Result<std::string> convert(std::string_view number, const Unit& from, const Unit& to,
                            const DecimalForm& form) {
  TRY_ASSIGN(Fraction fraction, fraction_of(number));
  if (from.measures != to.measures)
    return wrong(std::string{from.code} + " measures " + std::string{from.measures} + " and " +
                 std::string{to.code} + " " + std::string{to.measures});
  if (from.code == to.code) return written(fraction, form, true);
  fraction = plus(fraction, known(from.offset));
  const Fraction up = known(from.above);
  const Fraction down = known(to.above);
  fraction = times(fraction, up);
  fraction = times(fraction, {known(from.below).below, known(from.below).above, 0});
  fraction = times(fraction, {down.below, down.above, 0});
  fraction = times(fraction, known(to.below));
  Fraction offset = known(to.offset);
  offset.above = -offset.above;
  return written(plus(fraction, offset), form, false);
}

}  // namespace mainstay::integration
