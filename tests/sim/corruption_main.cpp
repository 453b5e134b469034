// mainstay-corruption: the corruption matrix, printed as a table.
#include <iostream>

#include <CLI/CLI.hpp>

#include "runtime/base/log.hpp"
#include "tests/sim/corruption_matrix.hpp"

int main(int argc, char** argv) {
  using namespace mainstay;
  CLI::App app{
      "Damages files of simulated nodes, every file in every way, and demands that no acknowledged "
      "write is lost, no answer is wrong, and every node is whole again at the end."};
  sim::MatrixOptions options;
  app.add_option("--seed", options.seed, "the first case's seed")->capture_default_str();
  app.add_option("--rounds", options.rounds, "how often each case is run, at other places")
      ->capture_default_str();
  app.add_option("--one-in", options.one_in, "only one in so many cases")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--jobs", options.jobs, "worker processes")->check(CLI::Range(1, 64));
  CLI11_PARSE(app, argc, argv);
  start_logging({LogLevel::error, false});
  const auto results = sim::run_matrix(options, &std::cout);
  std::cout << sim::table_of(results) << "\n" << sim::summary_of(results) << std::endl;
  for (const sim::MatrixResult& result : results)
    if (!result.failure.empty()) return 1;
  return 0;
}
