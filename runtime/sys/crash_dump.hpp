// A file that is written when the process dies: by SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT,
// which is how a failed ASSERT and an exception that nobody caught end it. Afterwards the process
// dies as it would have, of the same signal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/sys/file.hpp"

namespace mainstay::sys {

// As long as the object lives. Made and destroyed by any thread; at most `crash_dumps_max` at once,
// and what is too many writes nothing.
class CrashDump {
 public:
  // Writes to an open file. Runs in the signal handler of the thread that failed, while other
  // threads go on: no allocation, no lock. False: there is nothing worth keeping.
  using Write = bool (*)(void* what, int descriptor);

  // `what` must outlive it. A file that is there is replaced.
  CrashDump(const Path& path, Write write, void* what);
  ~CrashDump();
  CrashDump(const CrashDump&) = delete;
  CrashDump& operator=(const CrashDump&) = delete;

 private:
  friend class CrashHandler;
  void dump() const;

  const std::string path_;
  const Write write_;
  void* const what_;
};

inline constexpr std::size_t crash_dumps_max = 16;

// All of `piece`, as far as the disk takes it; for Write.
void write_when_dying(int descriptor, std::string_view piece);

}  // namespace mainstay::sys
