#include "runtime/sys/random.hpp"

#include <cerrno>

#include <sys/random.h>

#include "runtime/base/assert.hpp"

namespace mainstay::sys {
namespace {

class SystemRandom final : public Random {
 public:
  std::uint64_t next() override {
    std::uint64_t value = 0;
    ssize_t got = 0;
    do {
      got = ::getrandom(&value, sizeof value, 0);
    } while (got < 0 && errno == EINTR);
    // The kernel gives up to 256 bytes whole; without them an identity could repeat.
    ASSERT_MSG(got == static_cast<ssize_t>(sizeof value), "getrandom failed");
    return value;
  }
};

}  // namespace

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace mainstay::sys
