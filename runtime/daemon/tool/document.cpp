#include "runtime/daemon/tool/document.hpp"

#include <charconv>
#include <cstdlib>
#include <ctime>

namespace mainstay::tool {

namespace {

const json::Value* member(const json::Value& object, std::string_view name, json::Type type) {
  if (!object.is(json::Type::object)) return nullptr;
  const json::Value* value = object.find(name);
  return value != nullptr && value->is(type) ? value : nullptr;
}

template <class Number>
Number integer_at(const json::Value& object, std::string_view name) {
  const json::Value* value = member(object, name, json::Type::number);
  if (value == nullptr) return 0;
  const std::string& digits = value->text();
  Number result = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return error == std::errc{} && end == digits.data() + digits.size() ? result : Number{0};
}

}  // namespace

Result<json::Value> object_of(const http::Reply& reply) {
  auto value = json::parse(reply.body);
  if (!value || !value->is(json::Type::object))
    return fail(Errc::internal, "the node's answer is not a JSON object");
  return std::move(*value);
}

std::uint64_t number_at(const json::Value& object, std::string_view name) {
  return integer_at<std::uint64_t>(object, name);
}

std::int64_t signed_at(const json::Value& object, std::string_view name) {
  return integer_at<std::int64_t>(object, name);
}

double real_at(const json::Value& object, std::string_view name) {
  const json::Value* value = member(object, name, json::Type::number);
  return value == nullptr ? 0 : std::strtod(value->text().c_str(), nullptr);
}

std::string text_at(const json::Value& object, std::string_view name) {
  const json::Value* value = member(object, name, json::Type::string);
  return value == nullptr ? std::string{} : value->text();
}

bool flag_at(const json::Value& object, std::string_view name, bool otherwise) {
  const json::Value* value = member(object, name, json::Type::boolean);
  return value == nullptr ? otherwise : value->as_boolean();
}

const json::Array& items_at(const json::Value& object, std::string_view name) {
  static const json::Array none;
  const json::Value* value = member(object, name, json::Type::array);
  return value == nullptr ? none : value->items();
}

std::int64_t time_at(const json::Value& object, std::string_view name) {
  return parse_time(text_at(object, name));
}

std::int64_t parse_time(std::string_view text) {
  std::tm parts{};
  const std::string copy{text};
  const char* end = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  return end == nullptr || (*end != 'Z' && *end != '.') ? 0 : std::int64_t{::timegm(&parts)};
}

std::string cell_of(const json::Value* value) {
  if (value == nullptr || value->is(json::Type::null)) return "-";
  return value->is(json::Type::string) ? value->text() : json::to_text(*value);
}

json::Value number(std::uint64_t value) {
  return json::Value::number(std::to_string(value));
}

json::Value number(std::int64_t value) {
  return json::Value::number(std::to_string(value));
}

}  // namespace mainstay::tool
