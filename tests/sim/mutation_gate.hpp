// Is the simulator good enough? Each planted bug of mutants.def is switched on alone and must be
// caught. Only in mainstay-sim-mutants.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tests/sim/runner.hpp"

namespace mainstay::sim {

struct Mutant {
  std::string name;
  std::string kind;      // safety or liveness
  std::string sentence;  // what the bug does
};
std::vector<Mutant> all_mutants();

// Runs seeds against each of `names` (empty: all) until one fails, at most options.seeds. Prints a
// table; true if all were caught.
bool run_gate(const std::vector<std::string>& names, const RunOptions& options, std::ostream& out);

}  // namespace mainstay::sim
