// One run: a lab of real nodes, load at every node, the planned faults, and then the checks.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/torture/report.hpp"

namespace mainstay::torture {

struct TortureOptions {
  std::uint64_t seed = 1;
  std::uint32_t nodes = 3;
  Millis length{600'000};           // of the load
  std::filesystem::path directory;  // must not exist; report and logs stay, the rest if it fails
  std::filesystem::path tool, daemon, hook;
  std::string version;
  bool loopback = false;
  // A write that nobody sent is taken for acknowledged, to see the verdict fail.
  bool plant_lost_write = false;
  double percent_in_time_min = 99.0;  // of the requests made while a majority was up
  Millis gap_max{5000};               // without an acknowledged write, while a majority was up
};

// Writes report.html and torture.json into the directory; every process, namespace and mount is
// gone when it returns. `interrupted` ends it early, within seconds. `tell` gets a line for people
// at each step. REQUIRES: this process has one thread. Errors: it could not begin.
Result<Outcome> run_torture(const TortureOptions& options, const std::atomic<bool>& interrupted,
                            const std::function<void(const std::string&)>& tell);

}  // namespace mainstay::torture
