#include "runtime/daemon/signals.hpp"

#include <csignal>
#include <ctime>

#include <unistd.h>

namespace mainstay::daemon {

namespace {

sigset_t waited_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  return set;
}

}  // namespace

void take_signals() {
  const sigset_t set = waited_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::optional<int> wait_for_signal(Millis time) {
  const sigset_t set = waited_signals();
  timespec wait{};
  wait.tv_sec = time.count() / 1000;
  wait.tv_nsec = time.count() % 1000 * 1'000'000;
  const int signal = sigtimedwait(&set, nullptr, &wait);
  if (signal < 0) return std::nullopt;
  return signal;
}

bool asks_for_dump(int signal) {
  return signal == SIGUSR1;
}

bool asks_to_reload(int signal) {
  return signal == SIGHUP;
}

bool asks_to_drain(int signal) {
  return signal == SIGUSR2;
}

void ask_to_drain() {
  kill(getpid(), SIGUSR2);
}

}  // namespace mainstay::daemon
