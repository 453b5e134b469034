// Reads the objects of a request's body member by member: what nobody asks for is refused, and
// every error knows the place in the body that it is about. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"
#include "runtime/http/message.hpp"

namespace mainstay::api {

// A place in the body, and where to write down the place of the first error.
class Place {
 public:
  explicit Place(std::string& wrong_at) : wrong_at_{&wrong_at} {}

  Place at(std::string_view member) const;  // escaped as JSON pointers are
  Place at(std::size_t position) const;
  const std::string& pointer() const { return pointer_; }

  Failure wrong(std::string message) const {
    return wrong(Errc::invalid_argument, std::move(message));
  }
  Failure wrong(Errc code, std::string message) const;
  // Passes a result through; its error is about this place.
  template <class T>
  Result<T> check(Result<T> result) const {
    if (!result) *wrong_at_ = pointer_;
    return result;
  }

 private:
  std::string pointer_;
  std::string* wrong_at_;
};

// One object. Holds pointers into the value, which must outlive it.
class Members {
 public:
  static Result<Members> of(const json::Value& value, Place place);

  const Place& place() const { return place_; }
  Place at(std::string_view name) const { return place_.at(name); }
  bool has(std::string_view name) const { return value_->find(name) != nullptr; }

  const json::Value* take(std::string_view name);  // null: absent
  Result<const json::Value*> need(std::string_view name);
  Result<std::string> text(std::string_view name);
  Result<std::optional<std::string>> optional_text(std::string_view name);
  Result<std::optional<std::uint64_t>> optional_number(std::string_view name, std::uint64_t low,
                                                       std::uint64_t high);
  Result<bool> flag(std::string_view name);  // true, or absent
  Result<const json::Array*> array(std::string_view name, std::size_t most);
  // Nothing is left. Errors name it.
  Result<void> finish() const;

 private:
  Members(const json::Value& value, Place place) : value_{&value}, place_{std::move(place)} {}

  const json::Value* value_;
  Place place_;
  std::vector<std::string_view> taken_;
};

// The body as a JSON value of the right media type. Errors also: unsupported.
Result<json::Value> body_of(const http::Request& request);

}  // namespace mainstay::api
