// Numbers in stored bytes: little-endian in values, big-endian in keys that sort. Private to
// runtime/store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/checksum.hpp"

namespace mainstay::store {

template <class Number>
void put_little(char* out, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    out[i] = static_cast<char>(value >> (8 * i) & 0xff);
}

template <class Number>
Number get_little(const char* in) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value = static_cast<Number>(value | static_cast<Number>(static_cast<unsigned char>(in[i]))
                                            << (8 * i));
  return value;
}

template <class Number>
void append_little(std::string& out, Number value) {
  char bytes[sizeof value];
  put_little(bytes, value);
  out.append(bytes, sizeof value);
}

inline void append_hash(std::string& out, const Hash128& hash) {
  append_little(out, hash[0]);
  append_little(out, hash[1]);
}

inline Hash128 get_hash(const char* in) {
  return {get_little<std::uint64_t>(in), get_little<std::uint64_t>(in + 8)};
}

inline void append_big(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 0xff));
}

inline std::uint64_t get_big(std::string_view in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(in[i]);
  return value;
}

}  // namespace mainstay::store
