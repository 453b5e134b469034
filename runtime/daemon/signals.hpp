// The signals of a daemon, taken by waiting for them instead of by handlers.
#pragma once

#include <optional>

#include "runtime/base/time.hpp"

namespace mainstay::daemon {

// Blocks SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 for this thread and every thread made later,
// and ignores SIGPIPE. First thing in main.
void take_signals();

// Waits for one of them: its number, or nothing after `time`.
std::optional<int> wait_for_signal(Millis time);

// SIGUSR1: a dump of the last inputs is wanted, nothing ends.
bool asks_for_dump(int signal);

// SIGHUP: certificates are to be read again, nothing ends.
bool asks_to_reload(int signal);

// SIGUSR2: the node is to be drained, but goes on until it is ended.
bool asks_to_drain(int signal);

inline bool asks_to_end(int signal) {
  return !asks_for_dump(signal) && !asks_to_reload(signal) && !asks_to_drain(signal);
}

// Makes wait_for_signal() of this process return SIGUSR2. Any thread.
void ask_to_drain();

}  // namespace mainstay::daemon
