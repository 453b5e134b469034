// JSON values whose numbers keep the digits they came with: records and quantities are exact, so
// nothing passes through floating point. For work on a value (patches, pointers, indexes, schemas);
// a text that is only stored is not parsed into this. Plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"

namespace mainstay::json {

enum class Type : std::uint8_t { null, boolean, number, string, array, object };
std::string_view to_string(Type type);

class Value;
using Array = std::vector<Value>;
using Member = std::pair<std::string, Value>;
using Object = std::vector<Member>;  // in the order of the text; each name once

class Value {
 public:
  Value() = default;
  static Value boolean(bool value);
  static Value number(std::string text);  // REQUIRES: the text is a JSON number
  static Value string(std::string text);
  static Value array(Array items = {});
  static Value object(Object members = {});

  Type type() const { return type_; }
  bool is(Type type) const { return type_ == type; }
  bool as_boolean() const;
  const std::string& text() const;  // of a string; the digits of a number
  const Array& items() const;
  Array& items();
  const Object& members() const;
  Object& members();

  const Value* find(std::string_view name) const;  // a member of an object, else null
  Value* find(std::string_view name);
  void set(std::string name, Value value);  // replaces in place, or adds at the end
  bool erase(std::string_view name);

  // Equal as JSON: members in any order, numbers by size (1.0 == 1).
  bool operator==(const Value& other) const;

 private:
  Type type_ = Type::null;
  bool boolean_ = false;
  std::string text_;
  Array items_;
  Object members_;
};

inline constexpr std::size_t depth_max = 32;

// One JSON text (RFC 8259), nothing behind it. Errors: invalid_argument, with the byte: not JSON,
// deeper than depth_max, a member name twice.
Result<Value> parse(std::string_view text);
// Without spaces, members in their order, numbers as they came.
std::string to_text(const Value& value);
void append_text(std::string& out, const Value& value);
void append_string(std::string& out, std::string_view text);  // quoted and escaped

// The same text for equal values: members sorted by name, numbers in their shortest form.
std::string canonical_text(const Value& value);

// A number as its digits, whatever its length: 0.`digits` * 10^`point`. Zero has no digits.
struct Number {
  bool negative = false;
  std::string digits;  // no zeros at either end
  std::int64_t point = 0;

  bool is_zero() const { return digits.empty(); }
  bool is_integer() const { return point >= static_cast<std::int64_t>(digits.size()); }
  bool operator==(const Number&) const = default;
  friend std::strong_ordering operator<=>(const Number& a, const Number& b);
};
// REQUIRES: the text is a JSON number.
Number number_of(std::string_view text);
bool is_number(std::string_view text);  // as RFC 8259 has it

// RFC 6901. Errors of check_pointer: invalid_argument. find: null when nothing is there.
Result<void> check_pointer(std::string_view pointer);
const Value* find(const Value& root, std::string_view pointer);

// RFC 7396: `target` changed by `patch`.
void merge(Value& target, const Value& patch);

}  // namespace mainstay::json
