// Makes connections: accepts and dials TCP, does the TLS handshake with a deadline, and hands over
// what is authenticated. All of it on one thread of its own that waits in poll(): a silent, slow or
// hostile counterpart costs a slot until its deadline, and nobody's time. Names are looked up on a
// second thread, because the name service can block: it holds up other dials to names, nothing
// else.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "actors/peer_link/peer_link_api.hpp"
#include "actors/peer_link/socket.hpp"
#include "runtime/tls/stream.hpp"

namespace mainstay::peer_link {

// An authenticated connection to `peer`.
struct Connection {
  UniqueFd socket;
  std::unique_ptr<tls::Stream> stream;  // over `socket`: goes first
  tls::Role role = tls::Role::listener;
  NodeId peer;
  std::uint64_t token = 0;  // tells this connection from every other; known to its two ends only
  std::string remote;

  ~Connection() { stream.reset(); }
};

// Called on the connector's thread; must not block.
struct ConnectorEvents {
  std::function<void(std::shared_ptr<Connection>)> established;
  std::function<void(NodeId, std::string)> dial_failed;
  // Also for a dialled connection, beside dial_failed.
  std::function<void(Refusal, std::string)> refused;
  // The time of set_alarm() has come.
  std::function<void()> alarm;
};

struct ConnectorLimits {
  Millis handshake_ms{3'000};       // TCP connect and TLS handshake together
  std::size_t handshakes_max = 64;  // accepted and unfinished; beyond, the oldest is dropped
};

class Resolver;

class Connector {
 public:
  // Starts the threads.
  Connector(UniqueFd listener, std::shared_ptr<tls::ContextSource> contexts, ConnectorLimits limits,
            ConnectorEvents events);
  // Closes what is unfinished; no event comes afterwards.
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  // Ends in exactly one of `established` and `dial_failed`. Any thread.
  void dial(NodeId node, const std::string& address);

  // Calls `alarm` once at this time, or at an earlier one that was set before. Any thread. (A timer
  // in CAF's clock would keep Links alive after its end, until it is due.)
  void set_alarm(MonotonicTime at);

  std::uint16_t port() const { return port_; }

 private:
  // A connection on its way.
  struct Attempt {
    UniqueFd socket;
    std::unique_ptr<tls::Stream> stream;
    tls::Role role = tls::Role::listener;
    NodeId target;                    // dialled node
    std::vector<SocketAddress> more;  // addresses not tried yet, last first
    bool connecting = false;
    short wanted = 0;
    MonotonicTime deadline{};
    ~Attempt() { stream.reset(); }
  };
  using Attempts = std::list<Attempt>;
  struct Dial {
    NodeId node;
    std::vector<SocketAddress> addresses;
  };

  void run();
  void wait();
  void take_dials();
  void ring();
  void accept_waiting();
  void start_dial(Dial dial);
  bool try_next_address(Attempt& attempt, std::string& why);
  // These return false when the attempt is over.
  bool advance(Attempt& attempt);
  bool finish_connect(Attempt& attempt);
  bool go_on(Attempt& attempt);
  void hand_over(Attempt& attempt);
  void give_up(Attempt& attempt, Refusal reason, const std::string& why);
  void wake();

  const std::shared_ptr<tls::ContextSource> contexts_;
  const ConnectorLimits limits_;
  const ConnectorEvents events_;
  const UniqueFd listener_;
  const UniqueFd wakeup_;
  const std::uint16_t port_;
  Attempts attempts_;        // connector thread only
  std::vector<bool> ready_;  // by position in attempts_: the socket is ready; connector thread only
  std::mutex mutex_;
  std::vector<Dial> dials_;                     // guarded by mutex_
  MonotonicTime alarm_ = MonotonicTime::max();  // guarded by mutex_
  bool stopping_ = false;                       // guarded by mutex_
  std::shared_ptr<Resolver> resolver_;
  std::thread thread_;
};

}  // namespace mainstay::peer_link
