#include "actors/peer_link/connector.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "actors/peer_link/resolver.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/base/log.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::peer_link {

namespace {

MonotonicTime now() {
  return sys::system_clock().monotonic();
}

int poll_millis(std::chrono::nanoseconds left) {
  const auto millis = std::chrono::ceil<Millis>(left).count();
  return static_cast<int>(std::clamp<Millis::rep>(millis, 0, 60'000));
}

Refusal refusal_of(tls::HandshakeFailure failure) {
  switch (failure) {
    case tls::HandshakeFailure::stranger:
      return Refusal::stranger;
    case tls::HandshakeFailure::wrong_cluster:
      return Refusal::wrong_cluster;
    case tls::HandshakeFailure::protocol:
    case tls::HandshakeFailure::none:
      break;
  }
  return Refusal::handshake;
}

}  // namespace

Connector::Connector(UniqueFd listener, std::shared_ptr<tls::ContextSource> contexts,
                     ConnectorLimits limits, ConnectorEvents events)
    : contexts_{std::move(contexts)},
      limits_{limits},
      events_{std::move(events)},
      listener_{std::move(listener)},
      wakeup_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)},
      port_{port_of(listener_.get())},
      resolver_{std::make_shared<Resolver>()} {
  ASSERT(wakeup_);
  thread_ = std::thread{[this] { run(); }};
}

Connector::~Connector() {
  resolver_->close();
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake();
  thread_.join();
}

void Connector::dial(NodeId node, const std::string& address) {
  const auto where = split_address(address);
  if (!where) return events_.dial_failed(node, where.error().message);
  resolver_->look_up(*where, [this, node](Result<std::vector<SocketAddress>> found) {
    if (!found) return events_.dial_failed(node, found.error().message);
    std::reverse(found->begin(), found->end());
    {
      const std::lock_guard lock{mutex_};
      dials_.push_back(Dial{node, std::move(*found)});
    }
    wake();
  });
}

void Connector::set_alarm(MonotonicTime at) {
  {
    const std::lock_guard lock{mutex_};
    if (at >= alarm_) return;
    alarm_ = at;
  }
  wake();
}

void Connector::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wakeup_.get(), &one, sizeof one);
}

void Connector::run() {
  while (true) {
    wait();
    {
      const std::lock_guard lock{mutex_};
      if (stopping_) break;
    }
    std::size_t position = 0;
    for (auto at = attempts_.begin(); at != attempts_.end(); ++position) {
      bool goes_on = true;
      if (ready_[position]) goes_on = advance(*at);
      if (goes_on && now() >= at->deadline) {
        give_up(*at, Refusal::handshake, "no handshake within its time");
        goes_on = false;
      }
      at = goes_on ? std::next(at) : attempts_.erase(at);
    }
    take_dials();
    accept_waiting();
    ring();
  }
  attempts_.clear();
}

// Until a socket is ready, a deadline passes or another thread wakes this one.
void Connector::wait() {
  std::vector<::pollfd> polled{{wakeup_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
  MonotonicTime next = MonotonicTime::max();
  {
    const std::lock_guard lock{mutex_};
    next = alarm_;
  }
  for (const Attempt& attempt : attempts_) {
    polled.push_back({attempt.socket.get(), attempt.wanted, 0});
    next = std::min(next, attempt.deadline);
  }
  const int timeout_ms = next == MonotonicTime::max() ? -1 : poll_millis(next - now());
  ::poll(polled.data(), polled.size(), timeout_ms);
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto drained = ::read(wakeup_.get(), &ignored, sizeof ignored);
  ready_.assign(attempts_.size(), false);
  for (std::size_t i = 0; i < attempts_.size(); ++i) ready_[i] = polled[i + 2].revents != 0;
}

void Connector::ring() {
  {
    const std::lock_guard lock{mutex_};
    if (now() < alarm_) return;
    alarm_ = MonotonicTime::max();
  }
  events_.alarm();
}

void Connector::take_dials() {
  std::vector<Dial> dials;
  {
    const std::lock_guard lock{mutex_};
    dials.swap(dials_);
  }
  for (Dial& dial : dials) start_dial(std::move(dial));
}

void Connector::accept_waiting() {
  for (std::size_t taken = 0; taken < limits_.handshakes_max; ++taken) {
    UniqueFd socket = accept_one(listener_.get());
    if (!socket) return;
    const auto accepted = [](const Attempt& attempt) {
      return attempt.role == tls::Role::listener;
    };
    const auto count = std::count_if(attempts_.begin(), attempts_.end(), accepted);
    if (static_cast<std::size_t>(count) >= limits_.handshakes_max) {
      const auto oldest = std::find_if(attempts_.begin(), attempts_.end(), accepted);
      give_up(*oldest, Refusal::overload, "too many unfinished handshakes");
      attempts_.erase(oldest);
    }
    tune(socket.get());
    Attempt& attempt = attempts_.emplace_back();
    attempt.socket = std::move(socket);
    attempt.stream = std::make_unique<tls::Stream>(contexts_->current(), attempt.socket.get(),
                                                   tls::Role::listener);
    attempt.wanted = POLLIN;
    attempt.deadline = now() + limits_.handshake_ms;
  }
}

void Connector::start_dial(Dial dial) {
  Attempt& attempt = attempts_.emplace_back();
  attempt.role = tls::Role::dialler;
  attempt.target = dial.node;
  attempt.more = std::move(dial.addresses);
  attempt.deadline = now() + limits_.handshake_ms;
  std::string why;
  if (try_next_address(attempt, why)) return;
  events_.dial_failed(attempt.target, why);
  attempts_.pop_back();
}

bool Connector::try_next_address(Attempt& attempt, std::string& why) {
  while (!attempt.more.empty()) {
    auto socket = begin_connect(attempt.more.back());
    attempt.more.pop_back();
    if (!socket) {
      why = "cannot connect: " + socket.error().message;
      continue;
    }
    tune(socket->get());
    attempt.stream.reset();
    attempt.socket = std::move(*socket);
    attempt.connecting = true;
    attempt.wanted = POLLOUT;
    return true;
  }
  return false;
}

bool Connector::advance(Attempt& attempt) {
  return attempt.connecting ? finish_connect(attempt) : go_on(attempt);
}

bool Connector::finish_connect(Attempt& attempt) {
  const int error = connect_error(attempt.socket.get());
  if (error != 0) {
    std::string why = "cannot connect: " + std::string{std::strerror(error)};
    if (try_next_address(attempt, why)) return true;
    events_.dial_failed(attempt.target, why);
    return false;
  }
  attempt.connecting = false;
  attempt.stream =
      std::make_unique<tls::Stream>(contexts_->current(), attempt.socket.get(), tls::Role::dialler);
  return go_on(attempt);
}

bool Connector::go_on(Attempt& attempt) {
  switch (attempt.stream->handshake()) {
    case tls::Progress::want_read:
      attempt.wanted = POLLIN;
      return true;
    case tls::Progress::want_write:
      attempt.wanted = POLLOUT;
      return true;
    case tls::Progress::done:
      hand_over(attempt);
      return false;
    case tls::Progress::failed:
      break;
  }
  give_up(attempt, refusal_of(attempt.stream->failure()), attempt.stream->failure_text());
  return false;
}

void Connector::hand_over(Attempt& attempt) {
  const NodeId peer = attempt.stream->peer().node;
  if (attempt.role == tls::Role::dialler && peer != attempt.target)
    return give_up(attempt, Refusal::wrong_node,
                   "its certificate is that of node " + to_string(peer));
  auto connection = std::make_shared<Connection>();
  connection->remote = remote_address_of(attempt.socket.get());
  connection->token = attempt.stream->binding()[0];
  connection->role = attempt.role;
  connection->peer = peer;
  connection->stream = std::move(attempt.stream);
  connection->socket = std::move(attempt.socket);
  events_.established(std::move(connection));
}

void Connector::give_up(Attempt& attempt, Refusal reason, const std::string& why) {
  const std::string where = remote_address_of(attempt.socket.get());
  events_.refused(reason, where + ": " + why);
  if (attempt.role == tls::Role::dialler) events_.dial_failed(attempt.target, why);
}

}  // namespace mainstay::peer_link
