// The corruption matrix: every file of a node × every kind of damage × every moment, on one of
// three nodes and on two of five; each case a simulated cluster in a process of its own.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "tests/harness/corruption.hpp"

namespace mainstay::sim {

struct MatrixCase {
  harness::Corruption corruption;
  std::uint32_t nodes = 3;
  std::uint64_t seed = 0;
};

struct MatrixResult {
  MatrixCase which;
  std::vector<harness::DamageOutcome> outcomes;  // by victim
  std::uint64_t acknowledged = 0;
  std::string failure;  // "": all demands hold
};

struct MatrixOptions {
  std::uint64_t seed = 1;
  std::uint32_t rounds = 1;  // each with every case, other places in the files
  std::uint32_t jobs = 1;
  std::uint32_t one_in = 1;  // only so many of the cases, others in each round
};

// `progress`: a line for each failure as it is found; may be null.
std::vector<MatrixResult> run_matrix(const MatrixOptions& options, std::ostream* progress);

// As a table of docs/reports/corruption.md: file × damage, with how often each outcome was met.
std::string table_of(const std::vector<MatrixResult>& results);
// One line: cases, victims, outcomes, acknowledged writes, failures.
std::string summary_of(const std::vector<MatrixResult>& results);

}  // namespace mainstay::sim
