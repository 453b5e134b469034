#include "runtime/http/connection.hpp"

#include <ctime>

#include "runtime/base/log.hpp"
#include "runtime/http/problem.hpp"

namespace mainstay::http {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t first_read_bytes = 4 * limits::kib;  // held by every idle connection
constexpr std::size_t body_read_bytes = 64 * limits::kib;
constexpr Millis linger_time{1000};
constexpr std::size_t linger_bytes_max = 4 * limits::mib;

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

void append_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  for (const char c : value) head += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  head += "\r\n";
}

}  // namespace

void IoThread::run() {
  sweep();
  context_.run();
}

void IoThread::sweep() {
  const MonotonicTime now = shared_->clock.monotonic();
  std::vector<std::shared_ptr<Connection>> overdue;
  for (const auto& connection : connections_)
    if (connection->overdue(now)) overdue.push_back(connection);
  for (const auto& connection : overdue) {
    if (!connection->idle()) ++shared_->timeouts;
    connection->close();
  }
  sweep_timer_.expires_after(shared_->options.sweep_interval);
  sweep_timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error && !self->closed_) self->sweep();
  });
}

void IoThread::begin_drain() {
  const auto all = connections_;  // ending one may change the set
  for (const auto& connection : all) connection->end_stream_early();
}

void IoThread::begin_stop() {
  begin_drain();
  const auto all = connections_;
  for (const auto& connection : all)
    if (connection->idle()) connection->close();
}

void IoThread::close() {
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
  }
  const auto all = connections_;
  for (const auto& connection : all) connection->close();
  sweep_timer_.cancel();
  work_.reset();
}

const std::string& IoThread::date(WallTime now) {
  const std::time_t second =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  if (second != date_second_) {
    std::tm parts{};
    gmtime_r(&second, &parts);
    std::array<char, 40> text{};
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    date_ = text.data();
    date_second_ = second;
  }
  return date_;
}

Connection::Connection(std::shared_ptr<IoThread> thread, asio::ip::tcp::socket socket, bool refuse)
    : thread_{std::move(thread)},
      shared_{thread_->shared()},
      transport_{std::move(socket)},
      refuse_{refuse} {
  ++shared_.open;
}

void Connection::start() {
  error_code ignored;  // a socket that does not take the option fails at the first read
  transport_.socket().set_option(asio::ip::tcp::no_delay{true}, ignored);
  thread_->connections().insert(shared_from_this());
  if (shared_.tls)
    shake_hands();
  else
    begin_request();
}

void Connection::shake_hands() {
  error_code error;
  transport_.socket().native_non_blocking(true, error);
  if (error) {
    close();
    return;
  }
  transport_.secure(shared_.tls->current()->accept(transport_.socket().native_handle()));
  state_ = State::handshaking;
  deadline_in(shared_.options.request_timeout);
  transport_.handshake([self = shared_from_this()](error_code failed) {
    if (self->state_ != State::closed) self->on_handshake(failed);
  });
}

void Connection::on_handshake(error_code error) {
  if (!error) {
    begin_request();
    return;
  }
  ++shared_.handshakes_failed;
  if (!transport_.channel()->heard_plain_http()) {
    close();
    return;
  }
  transport_.secure(nullptr);
  refuse_request(Error{Errc::invalid_argument, "this port speaks TLS; write https:// for http://"});
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  transport_.close();
  parser_.reset();
  drop_source();
  shared_.closed_one();
  thread_->connections().erase(shared_from_this());
}

void Connection::deadline_in(Millis time) {
  deadline_ = shared_.clock.monotonic() + time;
}

void Connection::begin_request() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(shared_.options.header_bytes_max));
  parser_->body_limit(shared_.options.body_bytes_max);
  parser_->eager(true);
  continue_sent_ = false;
  head_request_ = false;
  keep_alive_ = false;  // until a whole request said so
  state_ = State::idle;
  deadline_in(shared_.options.idle_timeout);
  if (!reading_ && buffer_.size() == 0 && buffer_.capacity() > body_read_bytes)
    buffer_.shrink_to_fit();
  consume();
}

void Connection::read() {
  if (std::exchange(reading_, true)) return;
  const bool in_body = state_ != State::streaming && parser_ && parser_->is_header_done();
  transport_.read_some(buffer_.prepare(in_body ? body_read_bytes : first_read_bytes),
                       [self = shared_from_this()](error_code error, std::size_t size) {
                         self->on_read(error, size);
                       });
}

void Connection::on_read(error_code error, std::size_t size) {
  reading_ = false;
  if (state_ == State::closed) return;
  if (error) {
    close();
    return;
  }
  if (state_ == State::lingering) {
    lingered_bytes_ += size;
    if (lingered_bytes_ > linger_bytes_max)
      close();
    else
      read();
    return;
  }
  buffer_.commit(size);
  // The next request, sent ahead while an answer is streamed, waits for its turn.
  if (state_ != State::streaming && state_ != State::sending) consume();
}

// Parses what is in the buffer; reads on if the request is not whole yet.
void Connection::consume() {
  while (buffer_.size() > 0) {
    if (state_ == State::idle) {
      state_ = State::receiving;
      deadline_in(shared_.options.request_timeout);
    }
    error_code error;
    const std::size_t used = parser_->put(buffer_.data(), error);
    buffer_.consume(used);
    if (error && error != beast_http::error::need_more) {
      on_parse_error(error);
      return;
    }
    if (parser_->is_done()) {
      dispatch_request();
      return;
    }
    if (error || used == 0) break;
  }
  const bool expects = parser_->is_header_done() && !continue_sent_ &&
                       parser_->get()[beast_http::field::expect] == "100-continue";
  if (expects)
    send_continue();
  else
    read();
}

void Connection::on_parse_error(error_code error) {
  ++shared_.bad;
  if (error == beast_http::error::header_limit)
    refuse_request(
        Error{Errc::too_large, "the request's header is larger than " +
                                   std::to_string(shared_.options.header_bytes_max) + " bytes"},
        431);
  else if (error == beast_http::error::body_limit)
    refuse_request(Error{Errc::too_large, "the request's body is larger than " +
                                              std::to_string(shared_.options.body_bytes_max) +
                                              " bytes"});
  else
    refuse_request(Error{Errc::invalid_argument, "this is not HTTP/1.1: " + error.message()});
}

void Connection::send_continue() {
  continue_sent_ = true;
  static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
  transport_.write({asio::buffer(text.data(), text.size())},
                   [self = shared_from_this()](error_code error) {
                     if (self->state_ == State::closed) return;
                     if (error)
                       self->close();
                     else
                       self->read();
                   });
}

void Connection::dispatch_request() {
  auto message = parser_->release();
  http_1_0_ = message.version() < 11;
  keep_alive_ = message.keep_alive();
  if (!http_1_0_ && message.count(beast_http::field::host) != 1) {
    ++shared_.bad;
    refuse_request(Error{Errc::invalid_argument, "a request has exactly one Host field"});
    return;
  }
  head_request_ = message.method() == beast_http::verb::head;
  if (refuse_) {
    refuse_request(Error{Errc::busy, "the node has as many client connections as it takes"});
    return;
  }
  state_ = State::handling;
  deadline_ = MonotonicTime::max();  // the handler keeps the request's own deadline
  ++shared_.requests;
  try {
    shared_.handler(request_of(std::move(message)), Responder{shared_from_this()});
  } catch (const std::exception& error) {
    // The responder is gone with the handler's frame: that has answered for it.
    log_error("http", "a request handler failed: {}", error.what());
  }
}

// Answers without the handler and ends the connection: what follows in the stream cannot be
// trusted.
void Connection::refuse_request(const Error& error, int status) {
  keep_alive_ = false;
  ProblemDetails details;
  details.status = status;
  state_ = State::handling;
  send(problem(error, details));
}

void Connection::answer(Response response) {
  thread_->dispatch([self = shared_from_this(), response = std::move(response)]() mutable {
    self->send(std::move(response));
  });
}

void Connection::post(std::function<void()> work) {
  thread_->post(std::move(work));
}

void Connection::send(Response response) {
  if (state_ != State::handling) return;  // closed meanwhile
  if (response.close || shared_.draining || shared_.stopping) keep_alive_ = false;
  write_head(response, Framing::length);
  body_ = head_request_ ? Bytes{} : std::move(response.body);
  state_ = State::sending;
  write({}, &Connection::on_sent);
}

// Sends head_, body_ and `tail` (text that stays) within the time a client has to take them.
void Connection::write(std::string_view tail, void (Connection::*then)(error_code)) {
  deadline_in(shared_.options.request_timeout);
  transport_.write({asio::buffer(head_), asio::buffer(body_.view().data(), body_.size()),
                    asio::buffer(tail.data(), tail.size())},
                   [self = shared_from_this(), then](error_code error) {
                     if (self->state_ != State::closed) (*self.*then)(error);
                   });
}

void Connection::write_head(const Response& response, Framing framing) {
  head_.clear();
  head_ += "HTTP/1.1 ";
  head_ += std::to_string(response.status);
  head_ += ' ';
  head_ += reason_of(response.status);
  head_ += "\r\nServer: mainstay\r\nDate: ";
  head_ += thread_->date(shared_.clock.wall());
  head_ += "\r\n";
  for (const auto& [name, value] : response.headers) append_header(head_, name, value);
  if (!response.content_type.empty()) append_header(head_, "Content-Type", response.content_type);
  if (framing == Framing::chunked) {
    head_ += "Transfer-Encoding: chunked\r\n";
  } else if (framing == Framing::length && response.status != 204 && response.status != 304) {
    head_ += "Content-Length: ";
    head_ += std::to_string(response.body.size());
    head_ += "\r\n";
  }
  if (!keep_alive_)
    head_ += "Connection: close\r\n";
  else if (http_1_0_)
    head_ += "Connection: keep-alive\r\n";
  head_ += "\r\n";
}

void Connection::on_sent(error_code error) {
  body_ = Bytes{};
  if (error)
    close();
  else if (keep_alive_ && !shared_.stopping)
    begin_request();
  else
    linger();
}

void Connection::linger() {
  error_code error;
  // A stopping server does not wait for clients that have nothing more to say.
  const bool unread = buffer_.size() > 0 || transport_.socket().available(error) > 0;
  if (shared_.stopping && !unread) {
    close();
    return;
  }
  transport_.shutdown_send(error);
  if (error) {
    close();
    return;
  }
  state_ = State::lingering;
  deadline_in(linger_time);
  buffer_.clear();
  read();
}

}  // namespace mainstay::http
