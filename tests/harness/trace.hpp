// What happened in one simulation: a running hash over every event, equal for equal seeds, and a
// readable transcript when one is wanted.
#pragma once

#include <cstdint>
#include <ostream>
#include <string_view>

#include <fmt/format.h>

#include "tests/harness/scheduler.hpp"

namespace mainstay::harness {

class Trace {
 public:
  // `text` may be null: hash only.
  Trace(const Scheduler& scheduler, std::ostream* text) : scheduler_{scheduler}, text_{text} {}

  template <class... Numbers>
  void mark(std::string_view what, Numbers... numbers) {
    for (char letter : what) mix(static_cast<std::uint64_t>(static_cast<unsigned char>(letter)));
    mix(scheduler_.now());
    (mix(static_cast<std::uint64_t>(numbers)), ...);
  }

  bool wanted() const { return text_ != nullptr; }

  // "    12.345 ms  n2  becomes leader of term 3"; node 0: the world.
  template <class... Args>
  void say(std::uint64_t node, fmt::format_string<Args...> format, Args&&... args) {
    if (!wanted()) return;
    *text_ << fmt::format("{:>10.3f} ms  {:<4}", static_cast<double>(scheduler_.now()) / 1000.0,
                          node == 0 ? std::string{"--"} : "n" + std::to_string(node))
           << fmt::format(format, std::forward<Args>(args)...) << '\n';
  }

  std::uint64_t hash() const { return hash_; }

 private:
  void mix(std::uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15;
    hash_ ^= hash_ >> 29;
  }

  const Scheduler& scheduler_;
  std::ostream* text_;
  std::uint64_t hash_ = 0x6d61696e73746179;
};

}  // namespace mainstay::harness
