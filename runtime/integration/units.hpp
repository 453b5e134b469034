// Units of measure by their UN/ECE Recommendation 20 codes, with exact factors. Units without one
// (a month, a set, pounds a square inch) are not here: they are never converted. Constant.
#pragma once

#include <string_view>
#include <vector>

namespace mainstay::integration {

// An amount x is (x + offset) * above / below of the base unit of what it measures.
struct Unit {
  std::string_view code;      // "KGM"
  std::string_view name;      // "kilogram"
  std::string_view measures;  // "mass": only units of the same are converted
  std::string_view above = "1";
  std::string_view below = "1";
  std::string_view offset = "0";
};

const Unit* find_unit(std::string_view code);  // null: not known
const std::vector<Unit>& units();

}  // namespace mainstay::integration
