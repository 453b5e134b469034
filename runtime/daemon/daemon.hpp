// mainstayd: opens the store, starts the node and the HTTP server, waits for a signal, drains,
// stops.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/limits.hpp"
#include "runtime/config/config.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::daemon {

// What no configuration may change, and a test daemon does: to live through in seconds what takes
// days, or hosts that differ.
struct Surroundings {
  std::string release;
  const sys::Clock* clock = &sys::system_clock();
  // The same on every node of a cluster, or their records differ.
  std::uint64_t retention_window_ms = limits::retention_window_ms;
};

// Runs until a signal has ended it; returns the exit code: 0 after a clean stop, 1 when it could
// not start. REQUIRES: take_signals() was called before any other thread was made.
int run(const config::Config& config, const Surroundings& surroundings);

}  // namespace mainstay::daemon
