// HAProxy's agent-check: a port that tells in one line how much this node can take, so that a load
// balancer in front of the nodes sends each its share, and nothing to one that drains. Each
// connection gets the line and is closed.
//   ready up 75%      serves; three quarters of its weight
//   drain             finishes what it has, takes no new connections
//   down              does not serve
// "ready" and "up" are said each time because HAProxy keeps "drain" and "down" until they are taken
// back.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/config/values.hpp"

namespace mainstay::http {

struct AgentReport {
  enum class State { ready, drain, down };
  State state = State::ready;
  unsigned weight_percent = 100;  // 1 to 100
};

// Called on an HTTP thread for each question; must not block.
using AgentCheck = std::function<AgentReport()>;

std::string agent_line(const AgentReport& report);  // with its end

// What a node has on its hands.
struct AgentLoad {
  double queue_used = 0;  // 0 to 1: of the requests that may wait
  std::uint64_t lag = 0;  // entries committed, but not applied here
  Millis disk_write{0};   // how long a durable write takes
};
// The worst of the three decides; never below 1, for 0 would mean drain.
unsigned weight_percent_of(const AgentLoad& load);

class IoThread;

// Belongs to the Server; on its thread, but for start().
class AgentListener {
 public:
  AgentListener(std::shared_ptr<IoThread> thread, AgentCheck check);
  ~AgentListener();
  AgentListener(const AgentListener&) = delete;
  AgentListener& operator=(const AgentListener&) = delete;

  // Before the thread runs. Errors: invalid_argument, unavailable.
  Result<config::Endpoint> start(const config::Endpoint& listen);
  void close();

 private:
  class Core;
  const std::shared_ptr<Core> core_;
};

}  // namespace mainstay::http
