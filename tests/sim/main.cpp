// mainstay-sim: whole clusters in virtual time, many seeds, one line of result. A failing seed
// prints the command that replays it.
#include <iostream>

#include <CLI/CLI.hpp>

#include "runtime/base/log.hpp"
#include "tests/sim/runner.hpp"
#ifdef MAINSTAY_MUTANTS
#include "tests/sim/mutation_gate.hpp"
#endif

int main(int argc, char** argv) {
  using namespace mainstay;
  CLI::App app{
      "Runs simulated clusters: real core, real stores, simulated disks, network and time."};
  sim::RunOptions options;
  std::string nodes = "mix";
  std::uint64_t replay = 0;
  bool quiet = false;
  app.add_option("--seeds", options.seeds, "how many seeds to run")->capture_default_str();
  app.add_option("--first", options.first, "the first seed")->capture_default_str();
  app.add_option("--nodes", nodes, "3, 4, 5, 7 or mix")
      ->check(CLI::IsMember({"1", "2", "3", "4", "5", "7", "mix"}));
  app.add_flag("--liveness", options.liveness,
               "demand progress of a healed majority in every seed");
  app.add_option("--jobs", options.jobs, "worker processes")->check(CLI::Range(1, 64));
  app.add_flag("--stop-on-failure", options.stop_on_failure, "stop at the first failing seed");
  app.add_flag("--twice", options.twice, "run every seed twice and compare the trace hashes");
  app.add_flag("--quiet", quiet, "only the closing line");
  app.add_option("--replay,--transcript", replay, "run this one seed and print what happens");
#ifdef MAINSTAY_MUTANTS
  // The mutation gate: this program has the planted bugs in it.
  std::vector<std::string> mutants;
  bool gate = false;
  bool list = false;
  app.add_option("--mutant", mutants, "switch this planted bug on (with --gate: several)");
  app.add_flag("--gate", gate,
               "every planted bug, or those named, must be caught within --seeds seeds");
  app.add_flag("--list-mutants", list, "name the planted bugs");
  options.seeds = 10'000;
#endif
  std::string dump;
  std::string dump_to;
  app.add_option("--replay-dump", dump, "replay a node's dump of its last inputs")
      ->check(CLI::ExistingFile);
  app.add_option("--dump-to", dump_to,
                 "with --replay: write each node's last inputs to this folder")
      ->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  start_logging({LogLevel::error, false});
  options.nodes = nodes == "mix" ? 0 : static_cast<std::uint32_t>(std::stoul(nodes));
#ifdef MAINSTAY_MUTANTS
  if (list) {
    for (const sim::Mutant& mutant : sim::all_mutants())
      std::cout << mutant.name << " (" << mutant.kind << "): " << mutant.sentence << "\n";
    return 0;
  }
  if (gate) return sim::run_gate(mutants, options, std::cout) ? 0 : 1;
  if (!mutants.empty()) options.mutant = mutants.front();
#endif
  if (!dump.empty()) return sim::replay_dump(dump, std::cout);
  options.dump_to = dump_to;
  if (replay != 0) return sim::replay(replay, options, std::cout);
  const sim::RunSummary summary = sim::run(options, quiet ? nullptr : &std::cout);
  std::cout << sim::closing_line(summary) << std::endl;
  return summary.failures == 0 ? 0 : 1;
}
