#include "runtime/api/body.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/api/request_parts.hpp"

namespace mainstay::api {

using json::Type;

Place Place::at(std::string_view member) const {
  Place place = *this;
  place.pointer_ += '/';
  for (const char c : member) {
    if (c == '~') {
      place.pointer_ += "~0";
    } else if (c == '/') {
      place.pointer_ += "~1";
    } else {
      place.pointer_ += c;
    }
  }
  return place;
}

Place Place::at(std::size_t position) const {
  Place place = *this;
  place.pointer_ += '/' + std::to_string(position);
  return place;
}

Failure Place::wrong(Errc code, std::string message) const {
  *wrong_at_ = pointer_;
  return fail(code, pointer_.empty() ? "the body " + message : "at '" + pointer_ + "': " + message);
}

Result<Members> Members::of(const json::Value& value, Place place) {
  if (!value.is(Type::object)) return place.wrong("must be an object");
  return Members{value, std::move(place)};
}

const json::Value* Members::take(std::string_view name) {
  const json::Value* value = value_->find(name);
  if (value != nullptr) taken_.push_back(name);
  return value;
}

Result<const json::Value*> Members::need(std::string_view name) {
  const json::Value* value = take(name);
  if (value == nullptr) return place_.wrong("needs the member \"" + std::string{name} + "\"");
  return value;
}

Result<std::string> Members::text(std::string_view name) {
  TRY_ASSIGN(const json::Value* value, need(name));
  if (!value->is(Type::string)) return at(name).wrong("must be a string");
  return value->text();
}

Result<std::optional<std::string>> Members::optional_text(std::string_view name) {
  if (!has(name)) return std::optional<std::string>{};
  TRY_ASSIGN(std::string value, text(name));
  return std::optional{std::move(value)};
}

Result<std::optional<std::uint64_t>> Members::optional_number(std::string_view name,
                                                              std::uint64_t low,
                                                              std::uint64_t high) {
  const json::Value* value = take(name);
  if (value == nullptr) return std::optional<std::uint64_t>{};
  std::uint64_t number = 0;
  bool whole = value->is(Type::number);
  if (whole) {
    const char* end = value->text().data() + value->text().size();
    auto [rest, error] = std::from_chars(value->text().data(), end, number);
    whole = error == std::errc{} && rest == end;
  }
  if (!whole || number < low || number > high)
    return at(name).wrong("must be a whole number from " + std::to_string(low) + " to " +
                          std::to_string(high));
  return std::optional{number};
}

Result<bool> Members::flag(std::string_view name) {
  const json::Value* value = take(name);
  if (value == nullptr) return false;
  if (!value->is(Type::boolean) || !value->as_boolean())
    return at(name).wrong("must be true, or left out");
  return true;
}

Result<const json::Array*> Members::array(std::string_view name, std::size_t most) {
  TRY_ASSIGN(const json::Value* value, need(name));
  if (!value->is(Type::array)) return at(name).wrong("must be an array");
  if (value->items().empty()) return at(name).wrong("must not be empty");
  if (value->items().size() > most)
    return at(name).wrong("has " + std::to_string(value->items().size()) + " items; at most " +
                          std::to_string(most) + " are allowed");
  return &value->items();
}

Result<void> Members::finish() const {
  for (const auto& [name, value] : value_->members())
    if (std::find(taken_.begin(), taken_.end(), name) == taken_.end())
      return place_.wrong("has a member that is not known here: \"" + name + "\"");
  return {};
}

Result<json::Value> body_of(const http::Request& request) {
  TRY(check_media(request));
  if (request.body.empty())
    return fail(Errc::invalid_argument, "the body is empty; a JSON object is expected");
  auto value = json::parse(request.body.view());
  if (!value) return fail(value.error().code, "the body: " + value.error().message);
  return value;
}

}  // namespace mainstay::api
