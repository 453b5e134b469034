#include "bench/load/client.hpp"

#include <algorithm>

namespace mainstay::bench {

namespace {

constexpr std::chrono::milliseconds pause_after_failure{10};
constexpr std::uint64_t fill_keys_max = 500;  // in one request
constexpr std::uint64_t fill_bytes_max = 512 << 10;

SteadyTime now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

Client::Client(boost::asio::io_context& io, Run& run, Protocol& protocol, std::size_t number)
    : io_{io},
      run_{run},
      protocol_{protocol},
      timer_{io},
      attempt_{io},
      random_{run.options.seed * 1000 + number},
      endpoint_{number % run.options.endpoints.size()},
      value_(run.options.value_bytes, 'v') {}

Client::~Client() {
  if (session_) session_->abandon();
}

void Client::start(SteadyTime due, Nanoseconds interval) {
  due_ = due;
  interval_ = interval;
  active_ = true;
  ++run_.active;
  connect();
}

void Client::finish(SteadyTime at) {
  if (last_success_ != SteadyTime{})
    longest_gap_ = std::max<Nanoseconds>(longest_gap_, std::min(at, run_.ends) - last_success_);
  run_.client_gaps.push_back(longest_gap_);
}

// --- connecting ---

void Client::connect() {
  session_ = protocol_.open(io_, run_.options.endpoints[endpoint_], *this);
  watch_attempt();
  session_->connect();
}

void Client::connected(Outcome outcome) {
  attempt_.cancel();
  if (outcome != Outcome::done) return failed();
  request_.pending ? send() : next();
}

void Client::reconnect(bool elsewhere) {
  session_->abandon();
  if (elsewhere) endpoint_ = (endpoint_ + 1) % run_.options.endpoints.size();
  connect();
}

// --- requests ---

void Client::next() {
  if (interval_.count() == 0) return begin(now());
  timer_.expires_at(due_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) begin(due_);
  });
}

void Client::begin(SteadyTime since) {
  if (now() >= run_.ends || !choose()) return done();
  request_.since = since;
  request_.pending = true;
  // A node that said good-bye is left without a request lost: where to go next is the client's
  // choice, a connection that is refused there counts.
  if (run_.options.failover && session_->closed_by_server()) return reconnect(true);
  send();
}

bool Client::choose() {
  const Options& options = run_.options;
  for (std::size_t i = 0; i + 8 <= value_.size(); i += 64)  // not compressible to one value
    value_[i] = static_cast<char>('a' + random_.between(0, 25));
  request_.count = 1;
  if (run_.fills()) {
    request_.write = true;
    request_.key = run_.next_key;
    const std::uint64_t room = std::max<std::uint64_t>(1, fill_bytes_max / options.value_bytes);
    request_.count = std::min({options.keys - run_.next_key, fill_keys_max, room});
    run_.next_key += request_.count;
    return request_.count > 0;
  }
  request_.key = random_.between(0, options.keys - 1);
  request_.write =
      options.operation == "write" ||
      (options.operation == "mixed" &&
       random_.between(0, 999'999) >= static_cast<std::uint64_t>(options.read_share * 1'000'000));
  return true;
}

void Client::send() {
  watch_attempt();
  if (run_.fills()) {
    if (session_->write_many(request_.key, request_.count, value_)) return;
    // One by one, for a server without batches: the rest goes back to be chosen again.
    if (request_.count > 1) {
      run_.next_key -= request_.count - 1;
      request_.count = 1;
    }
  }
  request_.write ? session_->write(request_.key, value_) : session_->read(request_.key);
}

void Client::answered(Outcome outcome) {
  attempt_.cancel();
  if (outcome == Outcome::done) return succeeded();
  if (outcome == Outcome::refused && !run_.options.failover) return refused();
  failed();
}

void Client::succeeded() {
  request_.pending = false;
  const auto at = now();
  if (run_.counted(at)) {
    run_.succeeded(at, request_.since, request_.count);
    if (last_success_ != SteadyTime{})
      longest_gap_ = std::max<Nanoseconds>(longest_gap_, at - last_success_);
    last_success_ = at;
  }
  due_ += interval_;
  next();
}

// The connection lives, and this client knows no other node to ask.
void Client::refused() {
  const auto at = now();
  run_.failed(at);
  if (at >= run_.ends) return done();
  give_up_unless_retried();
  pause_then(pause_after_failure, request_.pending ? &Client::send : &Client::next);
}

// The attempt failed: broken, without an answer for too long, or refused by one node of several.
void Client::failed() {
  const auto at = now();
  run_.failed(at);
  if (at >= run_.ends) return done();
  give_up_unless_retried();
  session_->abandon();
  if (run_.options.failover) endpoint_ = (endpoint_ + 1) % run_.options.endpoints.size();
  pause_then(pause_after_failure, &Client::connect);
}

void Client::give_up_unless_retried() {
  if (run_.options.retry || run_.fills() || !request_.pending) return;
  request_.pending = false;
  due_ += interval_;
}

void Client::watch_attempt() {
  if (run_.options.attempt_ms == 0) return;
  attempt_.expires_after(std::chrono::milliseconds{run_.options.attempt_ms});
  attempt_.async_wait([this](const boost::system::error_code& error) {
    if (!error) failed();
  });
}

void Client::pause_then(Nanoseconds pause, void (Client::*then)()) {
  timer_.expires_after(pause);
  timer_.async_wait([this, then](const boost::system::error_code& error) {
    if (!error) (this->*then)();
  });
}

void Client::done() {
  if (active_) --run_.active;
  active_ = false;
}

}  // namespace mainstay::bench
