// X12 and EDIFACT as segments of elements of components. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace mainstay::edi {

enum class Standard : std::uint8_t { x12, edifact };

// '\0': there is none of it.
struct Delimiters {
  char element = '*';
  char component = '>';
  char repetition = '\0';
  char release = '\0';  // the character behind it is data (EDIFACT)
  char segment = '~';

  bool operator==(const Delimiters&) const = default;
};
Delimiters usual_delimiters(Standard standard);

using Components = std::vector<std::string>;

struct Element {
  std::vector<Components> repeats;  // one, as a rule

  Element() = default;
  explicit Element(std::string text) : repeats{{std::move(text)}} {}

  bool is_empty() const;
  std::string text() const;  // the first component
  bool operator==(const Element&) const = default;
};

struct Segment {
  std::string tag;
  std::vector<Element> elements;  // without empty ones at the end
  // Where it stood: its number in the file from 1, and its bytes with the terminator.
  std::size_t number = 0;
  std::size_t begin = 0;
  std::size_t end = 0;

  const Element* at(std::size_t position) const;  // from 1; null if there is none
  std::string text(std::size_t position) const;   // "" if there is none
};

// "segment 7 (PO1) at byte 312"
std::string place_of(const Segment& segment);

struct Segments {
  Standard standard = Standard::x12;
  Delimiters delimiters;
  std::vector<Segment> all;
};

// A text that begins with ISA, UNA or UNB; each ISA may bring other delimiters. Errors:
// invalid_argument, with the byte.
Result<std::vector<Segments>> read_segments(std::string_view text);

// Errors: invalid_argument: a text holds a delimiter that cannot be released, or a control
// character.
Result<std::string> write_segment(const Segment& segment, const Delimiters& delimiters);

}  // namespace mainstay::edi
