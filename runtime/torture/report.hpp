// What a run came to, told three ways: a page of text, JSON, and a page of HTML with plots.
// Pure but for what is given.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/torture/evidence.hpp"
#include "runtime/torture/lab.hpp"
#include "runtime/torture/nemesis.hpp"
#include "runtime/torture/timeline.hpp"

namespace mainstay::torture {

struct Outcome {
  std::string version, machine, began;  // began: UTC, as text
  std::uint64_t seed = 0;
  std::uint32_t nodes = 0;
  Millis length{};  // that was asked for
  Millis ran{};     // of the load
  bool interrupted = false;
  std::string replay;     // the command that runs the same plan again
  std::string directory;  // of logs and report
  Abilities abilities;
  std::vector<Struck> struck;
  std::size_t no_time = 0;  // planned faults that had none: others healed slowly
  std::vector<Check> checks;
  std::vector<Timeline::Second> seconds;
  std::uint64_t requests = 0, late = 0;  // all; late: no definite answer within a second
  std::uint64_t served_requests = 0, served_late = 0;  // while a majority was up
  Bands latency;
  Millis longest_gap{};   // while a majority was up
  std::vector<Gap> gaps;  // of a second and more, all of them
  // Of each fault, in the order of `struck`.
  struct Effect {
    Millis gap{}, request{};
  };
  std::vector<Effect> effects;
  SwitchCounts packets;

  bool passed() const;
};

double percent_in_time(std::uint64_t requests, std::uint64_t late);

std::string verdict_text(const Outcome& outcome);
json::Value verdict_document(const Outcome& outcome);
std::string verdict_page(const Outcome& outcome);  // HTML; report_page.cpp

}  // namespace mainstay::torture
