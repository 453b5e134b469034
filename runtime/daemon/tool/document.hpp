// Reading the JSON that nodes answer: members by name, and what a missing or foreign one counts as.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/json.hpp"
#include "runtime/http/client.hpp"

namespace mainstay::tool {

// The JSON object that an answer is. Errors: internal, when it is none.
Result<json::Value> object_of(const http::Reply& reply);

// 0, "", false, empty: not there, or of another type.
std::uint64_t number_at(const json::Value& object, std::string_view name);
std::int64_t signed_at(const json::Value& object, std::string_view name);
double real_at(const json::Value& object, std::string_view name);
std::string text_at(const json::Value& object, std::string_view name);
bool flag_at(const json::Value& object, std::string_view name, bool otherwise = false);
const json::Array& items_at(const json::Value& object, std::string_view name);
// Unix seconds of "2026-11-22T22:47:05.123Z"; 0: absent or another form.
std::int64_t time_at(const json::Value& object, std::string_view name);
std::int64_t parse_time(std::string_view text);

// A cell of a table: a string as it is, anything else as JSON.
std::string cell_of(const json::Value* value);

// For building documents.
json::Value number(std::uint64_t value);
json::Value number(std::int64_t value);
inline json::Value text(std::string_view value) {
  return json::Value::string(std::string{value});
}

}  // namespace mainstay::tool
