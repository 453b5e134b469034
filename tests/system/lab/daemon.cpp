// mainstayd for tests: the same daemon in surroundings that its environment may change, to live
// through in seconds what takes days, and hosts that differ.
//   LAB_RETENTION_WINDOW_MS  how long operations and the timeline are kept; the same on every node
//   LAB_CLOCK_AHEAD_MS       how far this host's wall clock is ahead
//   LAB_RELEASE              the release it says it is
#include "runtime/daemon/daemon.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "runtime/base/log.hpp"
#include "runtime/config/command_line.hpp"
#include "runtime/daemon/signals.hpp"

namespace {

using namespace mainstay;

class WrongClock final : public sys::Clock {
 public:
  explicit WrongClock(Millis ahead) : ahead_{ahead} {}
  MonotonicTime monotonic() const override { return sys::system_clock().monotonic(); }
  WallTime wall() const override { return sys::system_clock().wall() + ahead_; }

 private:
  const Millis ahead_;
};

std::string variable(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  daemon::take_signals();
  const auto invocation =
      config::parse_command_line(std::vector<std::string>(argv + 1, argv + argc),
                                 config::process_environment(), MAINSTAY_VERSION);
  if (!invocation.run) {
    std::fputs(invocation.output.c_str(), stderr);
    return invocation.exit_code;
  }
  start_logging({});
  const WrongClock clock{Millis{std::stoll(variable("LAB_CLOCK_AHEAD_MS", "0"))}};
  daemon::Surroundings around;
  around.release = variable("LAB_RELEASE", MAINSTAY_VERSION);
  around.clock = &clock;
  around.retention_window_ms =
      std::stoull(variable("LAB_RETENTION_WINDOW_MS", std::to_string(limits::retention_window_ms)));
  return daemon::run(invocation.loaded.config, around);
}
