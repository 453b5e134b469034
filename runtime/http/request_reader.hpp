// Bytes of a connection to requests: HTTP/1.1 (RFC 9112) as Beast parses it, within limits.
// Internal to runtime/http; the fuzzers read with it too. Pure.
#pragma once

#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "runtime/base/result.hpp"
#include "runtime/http/message.hpp"

namespace mainstay::http {

struct RequestLimits {
  std::size_t header_bytes_max;
  std::size_t body_bytes_max;
};

// What a request says about its connection.
struct RequestTraits {
  bool http_1_0 = false;
  bool keep_alive = false;
  bool head = false;  // wants no body
};

struct BadRequest {
  Error error;
  int status = 0;  // 0: that of the error
};

// Reads one request.
class RequestReader {
 public:
  explicit RequestReader(const RequestLimits& limits);

  // Takes bytes; gives how many of them belong to this request. Nothing more is taken when
  // is_done() or bad().
  std::size_t put(boost::asio::const_buffer bytes);
  const std::optional<BadRequest>& bad() const { return bad_; }
  bool is_done() const { return !bad_ && parser_.is_done(); }
  bool is_header_done() const { return parser_.is_header_done(); }
  bool expects_continue() const;

  // REQUIRES: is_done(); once.
  std::pair<Request, RequestTraits> take();

 private:
  using Message = boost::beast::http::request<boost::beast::http::string_body>;
  void judge(boost::system::error_code error);

  const RequestLimits limits_;
  boost::beast::http::request_parser<boost::beast::http::string_body> parser_;
  std::optional<BadRequest> bad_;
};

}  // namespace mainstay::http
