#include "runtime/http/connection.hpp"

#include <ctime>

#include "runtime/base/log.hpp"
#include "runtime/http/problem.hpp"

namespace mainstay::http {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t first_read_bytes = 4 * limits::kib;  // held by every idle connection
constexpr std::size_t body_read_bytes = 64 * limits::kib;
constexpr Millis linger_time{1000};
constexpr std::size_t linger_bytes_max = 4 * limits::mib;

void append_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  for (const char c : value) head += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  head += "\r\n";
}

// "10.0.0.7:51234"; "" when the client is gone already.
std::string address_of(const asio::ip::tcp::socket& socket) {
  error_code error;
  const asio::ip::tcp::endpoint client = socket.remote_endpoint(error);
  if (error) return {};
  const std::string port = ":" + std::to_string(client.port());
  if (client.address().is_v6()) return "[" + client.address().to_string() + "]" + port;
  return client.address().to_string() + port;
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
  from_ = address_of(transport_.socket());
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
  reader_.reset();
  drop_source();
  shared_.closed_one();
  thread_->connections().erase(shared_from_this());
}

void Connection::deadline_in(Millis time) {
  deadline_ = shared_.clock.monotonic() + time;
}

void Connection::begin_request() {
  reader_.emplace(RequestLimits{shared_.options.header_bytes_max, shared_.options.body_bytes_max});
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
  const bool in_body = state_ != State::streaming && reader_ && reader_->is_header_done();
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
    const std::size_t used = reader_->put(buffer_.data());
    buffer_.consume(used);
    if (reader_->bad()) {
      ++shared_.bad;
      refuse_request(reader_->bad()->error, reader_->bad()->status);
      return;
    }
    if (reader_->is_done()) {
      dispatch_request();
      return;
    }
    if (used == 0) break;
  }
  if (!continue_sent_ && reader_->expects_continue())
    send_continue();
  else
    read();
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
  auto [request, traits] = reader_->take();
  request.from = from_;
  http_1_0_ = traits.http_1_0;
  keep_alive_ = traits.keep_alive;
  head_request_ = traits.head;
  if (refuse_) {
    refuse_request(Error{Errc::busy, "the node has as many client connections as it takes"});
    return;
  }
  state_ = State::handling;
  deadline_ = MonotonicTime::max();  // the handler keeps the request's own deadline
  ++shared_.requests;
  try {
    shared_.handler(std::move(request), Responder{shared_from_this()});
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
