// docs/formats/records.md has the same grammar. No encoded value contains a zero byte, so that one
// can end it in a key without changing the order.
//   null 01   false 02   true 03   number 04 sign …   string 05 bytes
//   sign 01: negative, 02: zero (nothing follows), 03: positive
//   positive := 5 bytes, 80 + 7 bits each: the place of the point plus 2^34; then digits, '0'-'9'
//   negative := the same with each digit and each 7 bits turned round, then ff
//   bytes: 00 is written 01 01, and 01 is 01 02
#include "runtime/record/index_key.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace mainstay::record {

namespace {

constexpr std::int64_t point_middle = std::int64_t{1} << 34;

void append_number(std::string& out, const json::Number& number) {
  out += number.is_zero() ? '\x02' : number.negative ? '\x01' : '\x03';
  if (number.is_zero()) return;
  const auto point = static_cast<std::uint64_t>(
      std::clamp(number.point, 1 - point_middle, point_middle - 1) + point_middle);
  for (int shift = 28; shift >= 0; shift -= 7) {
    const auto bits = static_cast<unsigned>(point >> shift & 0x7f);
    out += static_cast<char>(0x80 | (number.negative ? 0x7f - bits : bits));
  }
  for (const char digit : number.digits)
    out += number.negative ? static_cast<char>('0' + '9' - digit) : digit;
  if (number.negative) out += '\xff';
}

void append_text(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (out.size() >= index_value_bytes_max) return;
    if (c == '\0')
      out += "\x01\x01";
    else if (c == '\x01')
      out += "\x01\x02";
    else
      out += c;
  }
}

char tag_of(const json::Value& value) {
  switch (value.type()) {
    case json::Type::null:
      return '\x01';
    case json::Type::boolean:
      return value.as_boolean() ? '\x03' : '\x02';
    case json::Type::number:
      return '\x04';
    case json::Type::string:
      return '\x05';
    default:
      return '\x00';
  }
}

}  // namespace

std::optional<std::string> index_key(const json::Value& value) {
  const char tag = tag_of(value);
  if (tag == '\x00') return std::nullopt;
  std::string key{tag};
  if (value.is(json::Type::number)) append_number(key, json::number_of(value.text()));
  if (value.is(json::Type::string)) append_text(key, value.text());
  if (key.size() > index_value_bytes_max) key.resize(index_value_bytes_max);
  return key;
}

std::string after_index_key(std::string_view key) {
  return std::string{key} + '\x01';
}

std::strong_ordering compare_scalars(const json::Value& a, const json::Value& b) {
  ASSERT(tag_of(a) != '\x00' && tag_of(b) != '\x00');
  if (const auto kinds = tag_of(a) <=> tag_of(b); kinds != 0) return kinds;
  if (a.is(json::Type::number)) return json::number_of(a.text()) <=> json::number_of(b.text());
  if (a.is(json::Type::string)) return a.text().compare(b.text()) <=> 0;
  return std::strong_ordering::equal;
}

}  // namespace mainstay::record
