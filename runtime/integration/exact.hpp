// Exact arithmetic for mappings: decimals of any length in, decimals of at most 38 digits out,
// never through floating point. A result that does not fit the wanted digits is an error, unless a
// rounding is asked for by name. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace mainstay::integration {

struct Unit;

enum class Rounding : std::uint8_t {
  none,       // what does not fit is an error
  half_even,  // to the nearest, a half to the even neighbour
  half_up,    // to the nearest, a half away from zero
  down,       // towards zero
  up,         // away from zero
};
std::optional<Rounding> rounding_of(std::string_view name);

// How numbers are written at a source: "1.234,50", "12.50-", "+5", ".5", "00012".
struct NumberStyle {
  char point = '.';
  char group = '\0';  // between groups of three; none
};
// The number in the form that JSON has; nothing if it is none.
std::optional<std::string> plain_number(std::string_view text, const NumberStyle& style = {});

// `scale`: exactly so many digits behind the point; without: as many as the number has.
struct DecimalForm {
  std::optional<unsigned> scale;
  Rounding rounding = Rounding::none;
};

// REQUIRES for all of them: each number is a JSON number. Errors: invalid_argument (digits would be
// lost, more than 38 digits).
Result<std::string> decimal_text(std::string_view number, const DecimalForm& form);
Result<std::string> sum_of(const std::vector<std::string>& numbers, const DecimalForm& form);
Result<std::string> product_of(const std::vector<std::string>& numbers, const DecimalForm& form);
// The same amount in another unit. Errors: also invalid_argument, when they measure different
// things.
Result<std::string> convert(std::string_view number, const Unit& from, const Unit& to,
                            const DecimalForm& form);

}  // namespace mainstay::integration
