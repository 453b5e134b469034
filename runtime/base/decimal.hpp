// Exact decimal numbers: an integer of up to 38 digits and a scale. Quantities and balances are
// these, never floating point. Pure values.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace mainstay {

// `units` / 10^`scale`. The scale is part of the value's form, not of its size: 1.50 == 1.5.
class Decimal {
 public:
  using Units = __int128;
  static constexpr unsigned digits_max = 38;
  static constexpr unsigned scale_max = 18;

  constexpr Decimal() = default;
  constexpr Decimal(Units units, unsigned scale) : units_{units}, scale_{scale} {}

  // "-12.500", also with an exponent as JSON numbers have it ("1e3"); no spaces, no leading '+'.
  // Errors: invalid_argument (not a number; more than 38 digits or a scale above 18).
  static Result<Decimal> parse(std::string_view text);

  constexpr Units units() const { return units_; }
  constexpr unsigned scale() const { return scale_; }
  bool is_zero() const { return units_ == 0; }
  bool is_negative() const { return units_ < 0; }

  // With exactly this many digits behind the point. Errors: invalid_argument, when digits other
  // than 0 would be lost or the number has no room.
  Result<Decimal> rescaled(unsigned scale) const;
  Decimal negated() const { return {-units_, scale_}; }
  // Errors: invalid_argument (more than 38 digits).
  Result<Decimal> plus(const Decimal& other) const;
  Result<Decimal> minus(const Decimal& other) const { return plus(other.negated()); }
  Result<Decimal> times(const Decimal& other) const;

  std::string to_string() const;  // "12.500": all digits of the scale

  // By size, whatever the scales.
  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == 0; }

 private:
  Units units_ = 0;
  unsigned scale_ = 0;
};

}  // namespace mainstay
