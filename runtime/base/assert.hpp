// Assertions that stay on in release builds. They are for our own mistakes only; a failure of the
// outside world (disk, network, input) is a Result<T>. A process that finds itself wrong stops:
// going on would put acknowledged records at risk.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace mainstay::detail {

[[noreturn]] inline void assert_failed(const char* expression, const char* file, int line,
                                       const char* why) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s%s%s\n", file, line, expression,
               *why != '\0' ? ": " : "", why);
  std::fflush(stderr);
  std::abort();
}

}  // namespace mainstay::detail

#define ASSERT(condition) \
  ((condition) ? void() : ::mainstay::detail::assert_failed(#condition, __FILE__, __LINE__, ""))
#define ASSERT_MSG(condition, why) \
  ((condition) ? void() : ::mainstay::detail::assert_failed(#condition, __FILE__, __LINE__, why))
#define UNREACHABLE() ::mainstay::detail::assert_failed("unreachable", __FILE__, __LINE__, "")
