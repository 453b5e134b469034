// NATS text protocol: a write is a publish to a subject of the stream, done when JetStream
// acknowledges it; a read asks the stream's leader for the last message of the subject.
#include <charconv>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "bench/load/tcp_session.hpp"

namespace mainstay::bench {

namespace {

namespace asio = boost::asio;

constexpr std::string_view stream_name = "KV_bench";
constexpr std::string_view line_end = "\r\n";

std::uint64_t number_at_end(std::string_view line, char before) {
  const auto at = line.rfind(before);
  std::uint64_t number = 0;
  if (at != std::string_view::npos)
    std::from_chars(line.data() + at + 1, line.data() + line.size(), number);
  return number;
}

class NatsSession final : public TcpSession {
 public:
  using TcpSession::TcpSession;

  void write(std::uint64_t key, std::string_view value) override {
    publish(fmt::format("$KV.bench.{}", key_name(key)), value);
  }

  void read(std::uint64_t key) override {
    publish(fmt::format("$JS.API.STREAM.MSG.GET.{}", stream_name),
            fmt::format(R"({{"last_by_subj":"$KV.bench.{}"}})", key_name(key)));
  }

 private:
  // The server speaks first (INFO); the session is there when it answers our PING.
  void opened() override {
    inbox_ = fmt::format("_INBOX.{:x}", reinterpret_cast<std::uintptr_t>(this));
    send(
        fmt::format("CONNECT {{\"verbose\":false,\"pedantic\":false,\"headers\":true,"
                    "\"no_responders\":true}}\r\nSUB {}.* 1\r\nPING\r\n",
                    inbox_));
    read_line();
  }

  void publish(const std::string& subject, std::string_view payload) {
    waiting_ = true;
    ++sequence_;
    send(fmt::format("PUB {} {}.{} {}\r\n{}\r\n", subject, inbox_, sequence_, payload.size(),
                     payload));
  }

  void send(std::string text) {
    if (sending_) {
      queued_ += text;
      return;
    }
    sending_ = true;
    outgoing_ = std::move(text);
    asio::async_write(
        socket_, asio::buffer(outgoing_),
        [this, self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
          sending_ = false;
          if (error) return lost();
          if (!queued_.empty()) send(std::exchange(queued_, {}));
        });
  }

  void read_line() {
    asio::async_read_until(
        socket_, asio::dynamic_buffer(incoming_), line_end,
        [this, self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
          if (error) return lost();
          if (take_lines()) read_line();
        });
  }

  void read_rest(std::size_t bytes) {
    asio::async_read(
        socket_, asio::dynamic_buffer(incoming_), asio::transfer_exactly(bytes),
        [this, self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
          if (error) return lost();
          if (take_lines()) read_line();
        });
  }

  // Handles every whole message at hand. False when the rest of one is already being waited for.
  bool take_lines() {
    std::size_t at = 0;
    bool whole = true;
    while (!abandoned()) {
      const auto end = incoming_.find(line_end, at);
      if (end == std::string::npos) break;
      const std::string_view line{incoming_.data() + at, end - at};
      const bool message = line.substr(0, 4) == "MSG " || line.substr(0, 5) == "HMSG ";
      const std::size_t body = message ? number_at_end(line, ' ') : 0;
      const std::size_t next = end + 2 + (message ? body + 2 : 0);
      if (next > incoming_.size()) {
        incoming_.erase(0, at);
        read_rest(next - at - incoming_.size());
        whole = false;
        at = 0;
        break;
      }
      take(std::string{line}, std::string_view{incoming_.data() + end + 2, body});
      at = next;
    }
    incoming_.erase(0, at);
    return whole && !abandoned();
  }

  void take(const std::string& line, std::string_view body) {
    if (line == "PING") return send("PONG\r\n");
    if (line == "PONG") {
      connected_ = true;
      return report_connected(Outcome::done);
    }
    if (line.substr(0, 4) == "-ERR") return lost();
    const bool message = line.substr(0, 4) == "MSG ";
    if (!waiting_ || !(message || line.substr(0, 5) == "HMSG ")) return;
    // MSG subject sid bytes; answers to requests that were given up are not waited for any more.
    if (number_at_end(line.substr(0, line.find(" 1 ")), '.') != sequence_) return;
    waiting_ = false;
    // Headers without a body say that nobody answers for the stream.
    const bool refused = !message || (body.find(R"("error")") != std::string_view::npos &&
                                      body.find(R"("code":404)") == std::string_view::npos);
    report_answered(refused ? Outcome::refused : Outcome::done);
  }

  void lost() {
    if (abandoned()) return;
    close();
    if (!connected_) return report_connected(Outcome::broken);
    if (std::exchange(waiting_, false)) report_answered(Outcome::broken);
  }

  bool closed_by_server() override { return !socket_.is_open() || TcpSession::closed_by_server(); }

  std::string inbox_;
  std::uint64_t sequence_ = 0;
  bool connected_ = false;
  bool waiting_ = false;
  bool sending_ = false;
  std::string outgoing_;
  std::string queued_;
  std::string incoming_;
};

class NatsProtocol final : public Protocol {
 public:
  std::shared_ptr<Session> open(asio::io_context& io, const std::string& endpoint,
                                Listener& listener) override {
    return std::make_shared<NatsSession>(io, endpoint, listener);
  }
};

}  // namespace

std::unique_ptr<Protocol> make_nats_protocol() {
  return std::make_unique<NatsProtocol>();
}

}  // namespace mainstay::bench
