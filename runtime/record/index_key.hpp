// Values of indexes as byte strings whose order is that of the values: null < false < true <
// numbers by size < strings by code point. docs/formats/records.md has the grammar. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/json.hpp"

namespace mainstay::record {

// Strings longer than this (encoded) are cut: the reader compares the record itself again.
inline constexpr std::size_t index_value_bytes_max = 80;

// Nothing for an array or object, which no index holds.
std::optional<std::string> index_key(const json::Value& value);

// The encoded value that sorts right behind every value with this encoding.
std::string after_index_key(std::string_view key);

// The order that index keys have, on whole values: for the second look at cut strings. Scalars
// only.
std::strong_ordering compare_scalars(const json::Value& a, const json::Value& b);

}  // namespace mainstay::record
