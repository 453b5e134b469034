// mainstayd: opens the store, starts the node and the HTTP server, waits for a signal, drains,
// stops.
#pragma once

#include <string>

#include "runtime/config/config.hpp"

namespace mainstay::daemon {

// Runs until a signal has ended it; returns the exit code: 0 after a clean stop, 1 when it could
// not start. REQUIRES: take_signals() was called before any other thread was made.
int run(const config::Config& config, const std::string& release);

}  // namespace mainstay::daemon
