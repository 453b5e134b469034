// One client connection of the server; internal to runtime/http. Lives on one IoThread; only
// answer(), stream() and post() may be called elsewhere.
//
//   (handshaking ->) idle -> receiving -> handling -> sending -> idle …            or, when it must
//   end after an answer:
//                                    sending -> lingering -> closed
//   with a body that is made while it is sent:
//                       handling -> streaming -> sending (its end) -> …
// Lingering reads and drops what the client still sends, so that the kernel does not reset the
// connection before the answer is read.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <unordered_set>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "runtime/http/request_reader.hpp"
#include "runtime/http/server.hpp"
#include "runtime/http/transport.hpp"
#include "runtime/tls/api_context.hpp"

namespace mainstay::http {

class Connection;

// What all connections of a server share.
struct Shared {
  Shared(const ServerOptions& given, const sys::Clock& time, Server::Handler handle,
         std::unique_ptr<tls::ServerContextSource> certificates)
      : options{given}, clock{time}, handler{std::move(handle)}, tls{std::move(certificates)} {}

  const ServerOptions options;
  const sys::Clock& clock;
  const Server::Handler handler;
  const std::unique_ptr<tls::ServerContextSource> tls;  // null: plain HTTP

  std::atomic<bool> draining = false;
  std::atomic<bool> stopping = false;
  std::atomic<std::uint64_t> open = 0, accepted = 0, refused = 0, requests = 0, bad = 0,
                             timeouts = 0, streams = 0, handshakes_failed = 0;

  void closed_one() {
    --open;
    const std::lock_guard lock{closed_mutex};
    closed.notify_all();
  }
  // Waits in real time until no connection is open, at most this long.
  void wait_until_closed(Millis at_most) {
    std::unique_lock lock{closed_mutex};
    closed.wait_for(lock, at_most, [this] { return open == 0; });
  }

  std::mutex closed_mutex;
  std::condition_variable closed;
};

// An io_context with the connections that live on it. Outlives its thread as long as a responder is
// out.
class IoThread : public std::enable_shared_from_this<IoThread> {
 public:
  explicit IoThread(std::shared_ptr<Shared> shared) : shared_{std::move(shared)} {}

  void run();  // the thread's main; returns after close()
  // Runs `work` on the thread, at once if called from it. Dropped after close(). Any thread.
  template <class Work>
  void dispatch(Work work) {
    if (context_.get_executor().running_in_this_thread()) {
      work();
      return;
    }
    post(std::move(work));
  }
  template <class Work>
  void post(Work work) {
    const std::lock_guard lock{mutex_};
    if (!closed_) boost::asio::post(context_, std::move(work));
  }

  // On the thread only, from here on.
  void sweep();
  void begin_drain();  // ends streams that have no end of their own
  void begin_stop();   // also ends idle connections; the others end after their answer
  void close();        // ends everything; run() returns when the last operation is cancelled

  Shared& shared() { return *shared_; }
  boost::asio::io_context& context() { return context_; }
  std::unordered_set<std::shared_ptr<Connection>>& connections() { return connections_; }
  // The current second as an HTTP date.
  const std::string& date(WallTime now);

 private:
  std::shared_ptr<Shared> shared_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  boost::asio::steady_timer sweep_timer_{context_};
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::mutex mutex_;
  bool closed_ = false;
  std::int64_t date_second_ = -1;
  std::string date_;
};

class Connection final : public Exchange, public std::enable_shared_from_this<Connection> {
 public:
  // `refuse`: over the limit of connections; its first request is answered with busy.
  Connection(std::shared_ptr<IoThread> thread, boost::asio::ip::tcp::socket socket, bool refuse);

  void start();
  void close();
  bool idle() const { return state_ == State::idle; }
  bool overdue(MonotonicTime now) const { return now >= deadline_; }
  // Ends a stream that waits for its source, unless it is to come to its own end.
  void end_stream_early();

  // Exchange
  void answer(Response response) override;
  void stream(Response head, std::shared_ptr<BodySource> source) override;
  void post(std::function<void()> work) override;

 private:
  enum class State {
    handshaking,
    idle,
    receiving,
    handling,
    sending,
    streaming,
    lingering,
    closed
  };
  enum class Framing { length, chunked, until_close };
  class Ticket;

  void shake_hands();
  void on_handshake(boost::system::error_code error);
  void begin_request();
  void read();
  void on_read(boost::system::error_code error, std::size_t size);
  void consume();
  void send_continue();
  void dispatch_request();
  void refuse_request(const Error& error, int status = 0);
  void send(Response response);
  void write_head(const Response& response, Framing framing);
  void begin_stream(Response head, std::shared_ptr<BodySource> source);
  void watch();
  void pull();
  void on_piece(std::uint64_t pull, Bytes piece);
  void on_piece_lost(std::uint64_t pull);
  void end_stream();
  bool must_end_stream() const;
  void drop_source();
  void write(std::string_view tail, void (Connection::*then)(boost::system::error_code));
  void on_piece_sent(boost::system::error_code error);
  void on_sent(boost::system::error_code error);
  void linger();
  void deadline_in(Millis time);

  std::shared_ptr<IoThread> thread_;
  Shared& shared_;  // kept alive by the thread
  Transport transport_;
  std::string from_;  // the client's address
  boost::beast::flat_buffer buffer_;
  std::optional<RequestReader> reader_;
  MonotonicTime deadline_ = MonotonicTime::max();
  std::string head_;  // of the response, or the chunk, being sent
  Bytes body_;
  std::shared_ptr<BodySource> source_;  // while streaming
  std::uint64_t pulls_ = 0;             // pieces asked for so far
  std::size_t lingered_bytes_ = 0;
  State state_ = State::idle;
  bool refuse_;
  bool keep_alive_ = false;
  bool http_1_0_ = false;
  bool head_request_ = false;
  bool continue_sent_ = false;
  bool reading_ = false;  // one read at a time
  bool pulling_ = false;  // the source owes a piece
};

}  // namespace mainstay::http
