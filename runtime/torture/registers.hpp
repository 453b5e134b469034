// Reads, writes and removals of a few records by all clients at once, and whether an order explains
// what they saw (runtime/history). The records change every few seconds: what is judged is the
// history of one record within one such window, so that neither memory nor time grow with the run.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/history/linearizability.hpp"
#include "runtime/torture/courier.hpp"
#include "runtime/torture/evidence.hpp"
#include "runtime/torture/worker.hpp"

namespace mainstay::torture {

inline constexpr std::size_t registers_count = 6;
inline constexpr Millis register_window{5000};

// What all clients saw. Thread-safe.
class RegisterHistory {
 public:
  explicit RegisterHistory(Evidence& evidence) : evidence_{evidence} {}

  // A call into the window of this moment begins; it must be given to end().
  struct Begun {
    std::uint64_t window = 0;
    std::size_t record = 0;
  };
  Begun begin(Millis since_start, std::size_t record);
  // `call` as it was seen; judges the windows that nobody calls into any more.
  void end(const Begun& begun, history::Call call);
  // What is left at the end. REQUIRES: every call has ended.
  void judge_rest();

 private:
  struct Window {
    std::size_t open = 0;
    std::array<std::vector<history::Call>, registers_count> calls;
  };
  void judge(std::uint64_t number, const Window& window);

  Evidence& evidence_;
  std::mutex mutex_;
  std::map<std::uint64_t, Window> windows_;
  std::uint64_t newest_ = 0;
};

std::unique_ptr<Worker> register_client(Courier& courier, Evidence& evidence,
                                        RegisterHistory& history, const Timeline& timeline,
                                        const std::string& name, std::uint64_t seed);

// The call that an answer stands for: `call` with what was seen.
history::Call seen(history::Call call, const Answer& answer);

}  // namespace mainstay::torture
