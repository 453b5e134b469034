// The signals of a daemon, taken by waiting for them instead of by handlers.
#pragma once

#include <optional>

#include "runtime/base/time.hpp"

namespace mainstay::daemon {

// Blocks SIGTERM, SIGINT, SIGHUP and SIGUSR1 for this thread and every thread made later, and
// ignores SIGPIPE. First thing in main.
void take_signals();

// Waits for one of them: its number, or nothing after `time`.
std::optional<int> wait_for_signal(Millis time);

// SIGUSR1: a dump of the last inputs is wanted, nothing ends.
bool asks_for_dump(int signal);

// SIGHUP: certificates are to be read again, nothing ends.
bool asks_to_reload(int signal);

inline bool asks_to_end(int signal) {
  return !asks_for_dump(signal) && !asks_to_reload(signal);
}

// Makes wait_for_signal() of this process return SIGTERM. Any thread.
void ask_to_stop();

}  // namespace mainstay::daemon
