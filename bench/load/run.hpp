// What all clients of a run share: its clock, its counts, its figures.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/load/options.hpp"
#include "runtime/base/histogram.hpp"

namespace mainstay::bench {

using SteadyTime = std::chrono::steady_clock::time_point;
using Nanoseconds = std::chrono::nanoseconds;

struct Run {
  explicit Run(const Options& asked) : options{asked} {}

  const Options& options;
  SteadyTime counted_from;
  SteadyTime ends;
  Histogram latencies;
  std::uint64_t failures = 0;  // attempts that failed, within the counted time
  std::uint64_t late_answers = 0;
  SteadyTime last_success;  // of any client
  Nanoseconds longest_gap{0};
  std::vector<Nanoseconds> client_gaps;  // the longest of each client
  std::size_t active = 0;                // clients that may still send
  std::uint64_t next_key = 0;            // of a fill
  Histogram interval_latencies;          // since the last line of figures
  std::uint64_t interval_failures = 0;

  bool counted(SteadyTime at) const { return at >= counted_from && at < ends; }
  bool fills() const { return options.operation == "fill"; }

  // `since`: when the request was due. `weight`: records written by it.
  void succeeded(SteadyTime now, SteadyTime since, std::uint64_t weight);
  void failed(SteadyTime now);

  // The last line of the program's output, a JSON object. `cpu_seconds`: of this process within the
  // counted time.
  std::string result(double seconds, double cpu_seconds) const;
  // A line for the interval that ends; begins the next one.
  std::string interval_line(SteadyTime now);
};

}  // namespace mainstay::bench
