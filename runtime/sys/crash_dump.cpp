#include "runtime/sys/crash_dump.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <mutex>

#include <fcntl.h>
#include <unistd.h>

namespace mainstay::sys {

namespace {

constexpr std::array fatal_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr unsigned dump_seconds_max = 5;  // a disk that hangs must not keep the dead alive

}  // namespace

// Everything here is reached from the signal handler: no allocation, no lock.
class CrashHandler {
 public:
  static void install() {
    static std::once_flag once;
    std::call_once(once, [] {
      struct sigaction action {};
      action.sa_handler = on_fatal;
      sigfillset(&action.sa_mask);
      for (std::size_t i = 0; i < fatal_signals.size(); ++i)
        sigaction(fatal_signals[i], &action, &before[i]);
    });
  }

  static bool add(const CrashDump* dump) {
    for (auto& slot : dumps) {
      const CrashDump* none = nullptr;
      if (slot.compare_exchange_strong(none, dump)) return true;
    }
    return false;
  }

  static void remove(const CrashDump* dump) {
    for (auto& slot : dumps) {
      const CrashDump* expected = dump;
      if (slot.compare_exchange_strong(expected, nullptr)) return;
    }
  }

 private:
  static void on_fatal(int signal) {
    // A second thread that fails meanwhile waits for the end.
    if (entered.test_and_set()) {
      for (;;) pause();
    }
    alarm(dump_seconds_max);
    for (const auto& slot : dumps)
      if (const CrashDump* dump = slot.load()) dump->dump();
    // It happens again as soon as this returns, and is handled as it was before us.
    for (std::size_t i = 0; i < fatal_signals.size(); ++i)
      sigaction(fatal_signals[i], &before[i], nullptr);
    raise(signal);
  }

  static inline std::array<std::atomic<const CrashDump*>, crash_dumps_max> dumps{};
  static inline std::array<struct sigaction, fatal_signals.size()> before{};
  static inline std::atomic_flag entered;
};

CrashDump::CrashDump(const Path& path, Write write, void* what)
    : path_{path.string()}, write_{write}, what_{what} {
  CrashHandler::install();
  CrashHandler::add(this);
}

CrashDump::~CrashDump() {
  CrashHandler::remove(this);
}

void CrashDump::dump() const {
  const int descriptor = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return;
  if (write_(what_, descriptor))
    fsync(descriptor);
  else
    unlink(path_.c_str());
  close(descriptor);
}

void write_when_dying(int descriptor, std::string_view piece) {
  while (!piece.empty()) {
    const ssize_t written = ::write(descriptor, piece.data(), piece.size());
    if (written <= 0) return;
    piece.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace mainstay::sys
