// Answers whose body is made while it is sent: the part of Connection that pulls pieces out of a
// source and sends each as a chunk.
#include <array>
#include <atomic>
#include <charconv>

#include "runtime/base/assert.hpp"
#include "runtime/base/log.hpp"
#include "runtime/http/connection.hpp"

namespace mainstay::http {

using boost::system::error_code;

namespace {

std::string chunk_head(std::size_t size) {
  std::array<char, 18> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  return std::string{digits.data(), end} + "\r\n";
}

}  // namespace

// What a source holds while it owes a piece.
class Connection::Ticket {
 public:
  Ticket(std::shared_ptr<Connection> connection, std::uint64_t pull)
      : connection_{std::move(connection)}, pull_{pull} {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket() {
    if (given_) return;
    connection_->thread_->post(
        [connection = connection_, pull = pull_] { connection->on_piece_lost(pull); });
  }

  void give(Bytes piece) {
    const bool before = given_.exchange(true);
    ASSERT_MSG(!before, "a piece is given once");
    connection_->thread_->dispatch(
        [connection = connection_, pull = pull_, piece = std::move(piece)]() mutable {
          connection->on_piece(pull, std::move(piece));
        });
  }

 private:
  const std::shared_ptr<Connection> connection_;
  const std::uint64_t pull_;
  std::atomic<bool> given_ = false;
};

void Connection::stream(Response head, std::shared_ptr<BodySource> source) {
  thread_->dispatch(
      [self = shared_from_this(), head = std::move(head), source = std::move(source)]() mutable {
        self->begin_stream(std::move(head), std::move(source));
      });
}

void Connection::begin_stream(Response head, std::shared_ptr<BodySource> source) {
  if (state_ != State::handling) return;  // closed meanwhile
  ASSERT_MSG(head.body.empty() && head.status != 204 && head.status != 304,
             "a streamed answer has its body from the source");
  if (head.close || http_1_0_ || shared_.draining || shared_.stopping) keep_alive_ = false;
  write_head(head, http_1_0_ ? Framing::until_close : Framing::chunked);
  if (head_request_) {
    state_ = State::sending;
    write({}, &Connection::on_sent);
    return;
  }
  state_ = State::streaming;
  source_ = std::move(source);
  ++shared_.streams;
  write({}, &Connection::on_piece_sent);
}

void Connection::on_piece_sent(error_code error) {
  body_ = Bytes{};
  if (error)
    close();
  else
    pull();
}

bool Connection::must_end_stream() const {
  return (shared_.draining || shared_.stopping) && !source_->finite();
}

// A client that goes away while its answer is made is noticed by reading. One that only closes its
// sending side counts as gone too.
void Connection::watch() {
  if (buffer_.size() == 0) read();
}

void Connection::pull() {
  if (must_end_stream()) {
    end_stream();
    return;
  }
  deadline_ = MonotonicTime::max();  // the source takes its time, not the client
  watch();
  pulling_ = true;
  const auto ticket = std::make_shared<Ticket>(shared_from_this(), ++pulls_);
  const auto source = source_;  // may be dropped by what it gives
  try {
    source->next([ticket](Bytes piece) { ticket->give(std::move(piece)); });
  } catch (const std::exception& error) {
    log_error("http", "the source of an answer failed: {}", error.what());
    close();
  }
}

void Connection::on_piece(std::uint64_t pull, Bytes piece) {
  if (state_ != State::streaming || !pulling_ || pull != pulls_) return;  // ended meanwhile
  pulling_ = false;
  if (piece.empty()) {
    end_stream();
    return;
  }
  body_ = std::move(piece);
  head_ = http_1_0_ ? std::string{} : chunk_head(body_.size());
  write(http_1_0_ ? "" : "\r\n", &Connection::on_piece_sent);
}

void Connection::on_piece_lost(std::uint64_t pull) {
  if (state_ != State::streaming || !pulling_ || pull != pulls_) return;
  log_error("http", "the source of an answer went away before its end");
  close();  // without the last chunk, so that the client knows
}

void Connection::end_stream() {
  if (shared_.draining || shared_.stopping) keep_alive_ = false;
  drop_source();
  state_ = State::sending;
  head_ = http_1_0_ ? "" : "0\r\n\r\n";
  write({}, &Connection::on_sent);
}

void Connection::end_stream_early() {
  if (state_ == State::streaming && pulling_ && must_end_stream()) end_stream();
}

void Connection::drop_source() {
  if (!source_) return;
  --shared_.streams;
  pulling_ = false;
  source_.reset();
}

}  // namespace mainstay::http
