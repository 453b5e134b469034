#include "tests/sim/mutation_gate.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace mainstay::sim {

std::vector<Mutant> all_mutants() {
  return {
#define X(name, kind, sentence) Mutant{#name, #kind, sentence},
#include "tests/sim/mutants.def"
#undef X
  };
}

namespace {

// Seeds it took: workers finish out of order, but each seed's verdict depends on the seed alone.
std::uint64_t seeds_until(const RunSummary& summary, const RunOptions& options) {
  std::uint64_t first = options.first + options.seeds;
  for (const Failure& failure : summary.failed) first = std::min(first, failure.seed);
  return first - options.first + 1;
}

std::string first_line(const std::string& text) {
  const std::string line = text.substr(0, text.find('\n'));
  return line.size() > 110 ? line.substr(0, 107) + "..." : line;
}

}  // namespace

bool run_gate(const std::vector<std::string>& names, const RunOptions& options, std::ostream& out) {
  std::size_t wanted = 0;
  std::size_t caught = 0;
  out << fmt::format("{:<44} {:>6} {:>8}  {}", "mutant", "seeds", "seconds", "caught by")
      << std::endl;
  for (const Mutant& mutant : all_mutants()) {
    if (!names.empty() && std::find(names.begin(), names.end(), mutant.name) == names.end())
      continue;
    ++wanted;
    RunOptions one = options;
    one.mutant = mutant.name;
    one.stop_on_failure = true;
    const RunSummary summary = run(one, nullptr);
    const bool found = !summary.failed.empty();
    caught += found ? 1 : 0;
    out << fmt::format(
               "{:<44} {:>6} {:>8.1f}  {}", mutant.name,
               found ? seeds_until(summary, one) : summary.seeds, summary.seconds,
               found ? first_line(summary.failed.front().what) : "NOT CAUGHT: " + mutant.sentence)
        << std::endl;
  }
  out << caught << " of " << wanted << " mutants caught" << std::endl;
  return wanted > 0 && caught == wanted;
}

}  // namespace mainstay::sim
