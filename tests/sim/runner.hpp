// Runs many seeds in worker processes: a broken assertion aborts one seed, not the run. Used by
// mainstay-sim and by the mutation gate.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "tests/harness/simulation.hpp"

namespace mainstay::sim {

struct RunOptions {
  std::uint64_t first = 1;
  std::uint64_t seeds = 100;
  std::uint32_t nodes = 0;  // 0: mixed
  bool liveness = false;
  bool stop_on_failure = false;
  bool twice = false;
  std::uint32_t jobs = 1;
  double seconds_max = 0;  // no new seed after this long; 0: no limit
  std::string dump_to;     // replay: folder for the nodes' recordings
  std::string mutant;      // only with MAINSTAY_MUTANTS
};

struct Failure {
  std::uint64_t seed = 0;
  std::string invariant;
  std::string what;
};

struct RunSummary {
  std::uint64_t seeds = 0, failures = 0;
  std::uint64_t events = 0, committed = 0, elections = 0, calls = 0, acknowledged = 0,
                undecided = 0;
  std::uint64_t faults = 0, simulated_us = 0;
  std::uint64_t changes = 0, quarantines = 0;  // of the feed; replicas that put themselves out
  double seconds = 0;
  std::vector<Failure> failed;  // in the order in which they were found
};

// `progress` may be null.
RunSummary run(const RunOptions& options, std::ostream* progress);
std::string closing_line(const RunSummary& summary);
std::string replay_command(const RunOptions& options, std::uint64_t seed);

// Runs one seed in this process with a transcript; the exit code.
int replay(std::uint64_t seed, const RunOptions& options, std::ostream& out);

// Replays a node's recording of its last inputs; the exit code.
int replay_dump(const std::string& path, std::ostream& out);

}  // namespace mainstay::sim
