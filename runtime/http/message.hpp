// HTTP requests and responses as plain values, without Beast: what the server hands to its handler
// and the client to its caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/bytes.hpp"

namespace mainstay::http {

enum class Method : std::uint8_t { get, head, put, post, remove, options, patch, other };
std::string_view to_string(Method method);  // "DELETE"; "" for other

// Header fields in the order they came; names compare without case. One buffer holds them all.
class Headers {
 public:
  void add(std::string_view name, std::string_view value);
  // The first field of this name.
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  std::size_t size() const { return spans_.size(); }
  std::pair<std::string_view, std::string_view> at(std::size_t position) const;
  void reserve(std::size_t fields, std::size_t bytes);

 private:
  struct Span {
    std::uint32_t begin, name_size, value_size;
  };
  std::string text_;
  std::vector<Span> spans_;
};

struct Request {
  Method method = Method::get;
  std::string target;  // as sent: path and query, percent-encoded
  Headers headers;
  Bytes body;
  std::string from;  // the client's address, "10.0.0.7:51234"; "" where there is none

  // Set by the router, percent-decoded: what the pattern's {…} matched, and the query's names and
  // values.
  std::vector<std::string> captures;
  std::vector<std::pair<std::string, std::string>> query;

  std::string_view path() const;  // the target without its query
  // The first query parameter of this name.
  const std::string* parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = {};  // "" with an empty body
  // Further fields. Control characters in values are replaced when written, so that no value can
  // end its line.
  std::vector<std::pair<std::string, std::string>> headers = {};
  Bytes body = {};
  bool close = false;  // end the connection after this response
};

std::string_view reason_of(int status);  // "Not Found"

Response json_response(int status, std::string body);

}  // namespace mainstay::http
