#include "runtime/http/client.hpp"

#include <array>
#include <future>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "runtime/base/limits.hpp"
#include "runtime/http/chunk_guard.hpp"
#include "runtime/http/transport.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::http {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t read_bytes = 16 * limits::kib;

struct Line {
  explicit Line(asio::io_context& context) : transport{tcp::socket{context}} {}
  Transport transport;
  boost::beast::flat_buffer buffer;
  bool used = false;  // has carried a call before
};

std::string head_of(const config::Endpoint& endpoint, const Call& call) {
  std::string head{to_string(call.method)};
  head.append(" ").append(call.target).append(" HTTP/1.1\r\nHost: ").append(to_string(endpoint));
  head += "\r\n";
  for (const auto& [name, value] : call.headers)
    head.append(name).append(": ").append(value).append("\r\n");
  const bool has_body =
      !call.body.empty() || call.method == Method::put || call.method == Method::post;
  if (has_body) head += "Content-Length: " + std::to_string(call.body.size()) + "\r\n";
  head += "\r\n";
  return head;
}

}  // namespace

// All state belongs to the client's thread.
class Client::Core {
 public:
  explicit Core(const ClientOptions& options) : options_{options} {
    thread_ = std::thread{[this] { context_.run(); }};
  }
  ~Core() {
    asio::post(context_, [this] { close(); });
    work_.reset();
    thread_.join();
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  class Exchange;
  void start(const std::shared_ptr<Exchange>& exchange);
  void close();

  const ClientOptions options_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  tcp::resolver resolver_{context_};
  std::map<std::string, std::vector<std::shared_ptr<Line>>> idle_;  // by "host:port"
  std::set<std::shared_ptr<Exchange>> open_;
  bool closed_ = false;
  std::thread thread_;
};

// One call: connect or reuse, write, read, done.
class Client::Core::Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Core& core, config::Endpoint endpoint, Call call, MonotonicTime deadline, Taking taking,
           Done done)
      : core_{core},
        endpoint_{std::move(endpoint)},
        name_{to_string(endpoint_)},
        call_{std::move(call)},
        deadline_{deadline},
        taking_{std::move(taking)},
        done_{std::move(done)},
        timer_{core.context_} {}

  void start() {
    set_timer(deadline_);
    auto& idle = core_.idle_[name_];
    if (!idle.empty()) {
      line_ = std::move(idle.back());
      idle.pop_back();
      write();
    } else {
      connect();
    }
  }

  void finish(Result<Reply> result) {
    if (!done_) return;
    timer_.cancel();
    if (line_) {
      line_->transport.close();  // the operations under way keep the line until they are cancelled
      line_.reset();
    }
    core_.open_.erase(shared_from_this());
    std::exchange(done_, nullptr)(std::move(result));
  }

  void cancel() { finish(fail(Errc::unavailable, "the client was closed")); }

 private:
  bool over() const { return done_ == nullptr; }

  void set_timer(MonotonicTime when) {
    timer_.expires_at(when);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      const bool moved = self->timer_.expiry() > sys::system_clock().monotonic();
      if (!error && !moved) self->finish_overdue();
    });
  }

  void finish_overdue() {
    finish(fail(Errc::deadline_exceeded, name_ + (connected_ ? " did not answer in time"
                                                             : " could not be reached in time")));
  }

  void connect() {
    line_ = std::make_shared<Line>(core_.context_);
    error_code not_numeric;
    const auto address = asio::ip::make_address(endpoint_.host, not_numeric);
    if (!not_numeric) {  // no round through the resolver's thread
      line_->transport.socket().async_connect(
          {address, endpoint_.port},
          [self = shared_from_this()](error_code error) { self->on_connected(error); });
      return;
    }
    core_.resolver_.async_resolve(
        endpoint_.host, std::to_string(endpoint_.port),
        [self = shared_from_this()](error_code error, tcp::resolver::results_type found) {
          if (self->over()) return;
          if (error) return self->on_connected(error);
          asio::async_connect(self->line_->transport.socket(), found,
                              [self, line = self->line_](error_code failed, const tcp::endpoint&) {
                                self->on_connected(failed);
                              });
        });
  }

  void on_connected(error_code error) {
    if (over()) return;
    if (error) {
      finish(fail(Errc::unavailable, name_ + " cannot be reached: " + error.message()));
      return;
    }
    error_code ignored;
    tcp::socket& socket = line_->transport.socket();
    socket.set_option(tcp::no_delay{true}, ignored);
    if (!core_.options_.tls) {
      write();
      return;
    }
    socket.native_non_blocking(true, ignored);
    line_->transport.secure(core_.options_.tls->dial(socket.native_handle(), endpoint_.host));
    line_->transport.handshake([self = shared_from_this(), line = line_](error_code failed) {
      if (!self->over()) self->on_handshake(failed);
    });
  }

  void on_handshake(error_code error) {
    if (!error) {
      write();
      return;
    }
    const std::string why = line_->transport.channel()->failure_text();
    finish(fail(Errc::unavailable, name_ + " cannot be trusted or speaks no TLS: " +
                                       (why.empty() ? error.message() : why)));
  }

  void write() {
    connected_ = true;
    head_ = head_of(endpoint_, call_);
    line_->transport.write(
        {asio::buffer(head_), asio::buffer(call_.body.view().data(), call_.body.size())},
        [self = shared_from_this(), line = line_](error_code error) {
          // A server that refuses a large body answers before it has read it: look for the answer
          // anyway.
          if (!self->over()) self->read(error);
        });
  }

  void read(error_code write_error) {
    write_error_ = write_error;
    parser_.emplace();
    parser_->eager(true);
    if (taking_.take)
      parser_->body_limit(boost::none);  // pieces do not pile up
    else
      parser_->body_limit(core_.options_.body_bytes_max);
    if (call_.method == Method::head) parser_->skip(true);
    read_some();
  }

  void read_some() {
    line_->transport.read_some(
        line_->buffer.prepare(read_bytes),
        [self = shared_from_this(), line = line_](error_code error, std::size_t size) {
          if (self->over()) return;
          line->buffer.commit(size);
          self->on_read(error);
        });
  }

  void on_read(error_code error) {
    if (error) {
      on_end(error);
      return;
    }
    while (line_->buffer.size() > 0 && !parser_->is_done() &&
           !must_wait_for_more(*parser_, line_->buffer.size())) {
      error_code bad;
      const std::size_t used = parser_->put(line_->buffer.data(), bad);
      line_->buffer.consume(used);
      if (bad && bad != beast_http::error::need_more) {
        fail_broken(bad);
        return;
      }
      if (bad || used == 0) break;
    }
    if (takes_pieces() && !hand_over()) return;
    if (parser_->is_done())
      finish_whole();
    else
      read_some();
  }

  // The connection ended: that may be the answer's proper end.
  void on_end(error_code error) {
    const bool repeatable = call_.method != Method::post && call_.method != Method::patch;
    if (line_->used && !parser_->got_some() && repeatable) {
      connect();  // the server had closed the kept connection
      return;
    }
    error_code bad;
    if (error == asio::error::eof && parser_->is_header_done()) {
      parser_->put_eof(bad);
      if (!bad) {
        finish_whole();
        return;
      }
    }
    fail_broken(error);
  }

  void fail_broken(error_code error) {
    finish(fail(Errc::io_error, "the connection to " + name_ +
                                    " broke: " + (write_error_ ? write_error_ : error).message()));
  }

  bool takes_pieces() const {
    return taking_.take && parser_->is_header_done() && parser_->get().result_int() < 300;
  }

  // False when the call is over.
  bool hand_over() {
    if (taking_.begin) std::exchange(taking_.begin, nullptr)(head());
    std::string piece = std::exchange(parser_->get().body(), {});
    if (!piece.empty() && !taking_.take(piece)) {
      finish(head());
      return false;
    }
    if (over()) return false;  // the client was closed by what took it
    set_timer(sys::system_clock().monotonic() + taking_.quiet_max);
    return true;
  }

  Reply head() const {
    Reply reply;
    reply.status = static_cast<int>(parser_->get().result_int());
    for (const auto& field : parser_->get()) {
      const auto name = field.name_string();
      const auto value = field.value();
      reply.headers.add({name.data(), name.size()}, {value.data(), value.size()});
    }
    return reply;
  }

  void finish_whole() {
    Reply reply = head();
    reply.body = std::move(parser_->get().body());
    if (parser_->get().keep_alive() && !write_error_ && line_->buffer.size() == 0) {
      line_->used = true;
      core_.idle_[name_].push_back(std::move(line_));
    }
    finish(std::move(reply));
  }

  Core& core_;
  const config::Endpoint endpoint_;
  const std::string name_;
  const Call call_;
  const MonotonicTime deadline_;
  Taking taking_;
  Done done_;
  asio::steady_timer timer_;
  std::shared_ptr<Line> line_;
  std::string head_;
  std::optional<beast_http::response_parser<beast_http::string_body>> parser_;
  error_code write_error_;
  bool connected_ = false;
};

void Client::Core::start(const std::shared_ptr<Exchange>& exchange) {
  const bool room = open_.size() < options_.connections_max;
  open_.insert(exchange);
  if (closed_)
    exchange->cancel();
  else if (!room)
    exchange->finish(fail(Errc::busy, "this client has too many calls under way"));
  else
    exchange->start();
}

void Client::Core::close() {
  closed_ = true;
  idle_.clear();
  const auto all = open_;
  for (const auto& exchange : all) exchange->cancel();
}

Client::Client(const ClientOptions& options) : core_{std::make_unique<Core>(options)} {}

Client::~Client() = default;

void Client::send(const config::Endpoint& endpoint, Call call, MonotonicTime deadline, Done done) {
  send(endpoint, std::move(call), deadline, Taking{}, std::move(done));
}

void Client::send(const config::Endpoint& endpoint, Call call, MonotonicTime deadline,
                  Taking taking, Done done) {
  auto exchange = std::make_shared<Core::Exchange>(*core_, endpoint, std::move(call), deadline,
                                                   std::move(taking), std::move(done));
  asio::post(core_->context_, [core = core_.get(), exchange] { core->start(exchange); });
}

Result<Reply> Client::call(const config::Endpoint& endpoint, Call call, MonotonicTime deadline) {
  return this->call(endpoint, std::move(call), deadline, Taking{});
}

Result<Reply> Client::call(const config::Endpoint& endpoint, Call call, MonotonicTime deadline,
                           Taking taking) {
  std::promise<Result<Reply>> promise;
  auto future = promise.get_future();
  send(endpoint, std::move(call), deadline, std::move(taking),
       [&promise](Result<Reply> result) { promise.set_value(std::move(result)); });
  return future.get();
}

}  // namespace mainstay::http
