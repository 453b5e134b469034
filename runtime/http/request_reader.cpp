#include "runtime/http/request_reader.hpp"

#include "runtime/http/chunk_guard.hpp"

namespace mainstay::http {

namespace beast_http = boost::beast::http;
using boost::system::error_code;

namespace {

Method method_of(beast_http::verb verb) {
  switch (verb) {
    case beast_http::verb::get:
      return Method::get;
    case beast_http::verb::head:
      return Method::head;
    case beast_http::verb::put:
      return Method::put;
    case beast_http::verb::post:
      return Method::post;
    case beast_http::verb::delete_:
      return Method::remove;
    case beast_http::verb::options:
      return Method::options;
    case beast_http::verb::patch:
      return Method::patch;
    default:
      return Method::other;
  }
}

Request request_of(beast_http::request<beast_http::string_body>&& message) {
  Request request;
  request.method = method_of(message.method());
  request.target = std::string{message.target()};
  std::size_t fields = 0, bytes = 0;
  for (const auto& field : message) {
    ++fields;
    bytes += field.name_string().size() + field.value().size();
  }
  request.headers.reserve(fields, bytes);
  for (const auto& field : message) {
    const auto name = field.name_string();
    const auto value = field.value();
    request.headers.add({name.data(), name.size()}, {value.data(), value.size()});
  }
  if (!message.body().empty()) request.body = Bytes{std::move(message.body())};
  return request;
}

}  // namespace

RequestReader::RequestReader(const RequestLimits& limits) : limits_{limits} {
  parser_.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
  parser_.body_limit(limits.body_bytes_max);
  parser_.eager(true);
}

std::size_t RequestReader::put(boost::asio::const_buffer bytes) {
  std::size_t taken = 0;
  while (bytes.size() > 0 && !parser_.is_done() && !bad_ &&
         !must_wait_for_more(parser_, bytes.size())) {
    error_code error;
    const std::size_t used = parser_.put(bytes, error);
    bytes += used;
    taken += used;
    if (error && error != beast_http::error::need_more)
      judge(error);
    else if (error || used == 0)
      break;
  }
  // Which of several would be meant cannot be known (RFC 9112, 3.2).
  if (is_done() && parser_.get().version() >= 11 &&
      parser_.get().count(beast_http::field::host) != 1)
    bad_ = BadRequest{Error{Errc::invalid_argument, "a request has exactly one Host field"}};
  return taken;
}

void RequestReader::judge(error_code error) {
  if (error == beast_http::error::header_limit)
    bad_ =
        BadRequest{Error{Errc::too_large, "the request's header is larger than " +
                                              std::to_string(limits_.header_bytes_max) + " bytes"},
                   431};
  else if (error == beast_http::error::body_limit)
    bad_ =
        BadRequest{Error{Errc::too_large, "the request's body is larger than " +
                                              std::to_string(limits_.body_bytes_max) + " bytes"}};
  else
    bad_ = BadRequest{Error{Errc::invalid_argument, "this is not HTTP/1.1: " + error.message()}};
}

bool RequestReader::expects_continue() const {
  return parser_.is_header_done() && parser_.get()[beast_http::field::expect] == "100-continue";
}

std::pair<Request, RequestTraits> RequestReader::take() {
  Message message = parser_.release();
  RequestTraits traits;
  traits.http_1_0 = message.version() < 11;
  traits.keep_alive = message.keep_alive();
  traits.head = message.method() == beast_http::verb::head;
  return {request_of(std::move(message)), traits};
}

}  // namespace mainstay::http
