#include "tests/sim/corruption_matrix.hpp"

#include <map>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/assert.hpp"
#include "tests/harness/simulation.hpp"

namespace mainstay::sim {

using harness::Corruption;
using harness::Damage;
using harness::DamagedFile;
using harness::DamageMoment;
using harness::DamageOutcome;

namespace {

constexpr unsigned case_seconds_max = 120;

std::vector<MatrixCase> cases_of(const MatrixOptions& options) {
  std::vector<MatrixCase> cases;
  std::uint64_t number = 0;
  for (std::uint32_t round = 0; round < options.rounds; ++round)
    for (std::size_t file = 0; file < harness::damaged_file_count; ++file)
      for (std::size_t damage = 0; damage < harness::damage_count; ++damage)
        for (std::size_t moment = 0; moment < harness::damage_moment_count; ++moment)
          for (const std::uint32_t victims : {1u, 2u}) {
            MatrixCase one;
            one.corruption = {static_cast<DamagedFile>(file), static_cast<Damage>(damage),
                              static_cast<DamageMoment>(moment), victims};
            one.nodes = 2 * victims + 1;
            if (!makes_sense(one.corruption)) continue;
            one.seed = options.seed + number++;
            if ((number + round) % options.one_in == 0) cases.push_back(one);
          }
  return cases;
}

// What a case says to its parent: outcomes, acknowledged, failure; one line.
std::string run_case(const MatrixCase& one) {
  harness::SeedOptions options;
  options.seed = one.seed;
  options.nodes = one.nodes;
  options.corruption = &one.corruption;
  const harness::SeedResult result = harness::run_seed(options);
  std::string line = std::to_string(result.acknowledged) + " ";
  for (const DamageOutcome outcome : result.outcomes)
    line += static_cast<char>('0' + static_cast<int>(outcome));
  line += ' ';
  for (const char letter : result.failed ? result.what : "") line += letter == '\n' ? ';' : letter;
  return line;
}

struct Child {
  pid_t pid = 0;
  int from = -1;
};

Child start(const MatrixCase& one) {
  std::array<int, 2> ends{};
  ASSERT(::pipe(ends.data()) == 0);
  Child child;
  child.from = ends[0];
  child.pid = ::fork();
  if (child.pid != 0) {
    ::close(ends[1]);
    return child;
  }
  ::alarm(case_seconds_max);
  const std::string line = run_case(one);
  const bool told = ::write(ends[1], line.data(), line.size()) == static_cast<ssize_t>(line.size());
  ::_exit(told ? 0 : 1);
}

MatrixResult finish(const MatrixCase& one, const Child& child) {
  MatrixResult result;
  result.which = one;
  std::string line;
  std::array<char, 4096> piece{};
  for (ssize_t got = 0; (got = ::read(child.from, piece.data(), piece.size())) > 0;)
    line.append(piece.data(), static_cast<std::size_t>(got));
  ::close(child.from);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string::npos ? first : line.find(' ', first + 1);
  if (WIFSIGNALED(status) || second == std::string::npos) {
    result.failure = WIFSIGNALED(status)
                         ? fmt::format("the process ended by signal {}", WTERMSIG(status))
                         : std::string{"the process said nothing"};
    return result;
  }
  result.acknowledged = std::stoull(line.substr(0, first));
  for (const char digit : line.substr(first + 1, second - first - 1))
    result.outcomes.push_back(static_cast<DamageOutcome>(digit - '0'));
  result.failure = line.substr(second + 1);
  return result;
}

std::string describe(const MatrixCase& one) {
  return fmt::format("{}, {}, {}, {} of {} nodes, seed {}", to_string(one.corruption.file),
                     to_string(one.corruption.damage), to_string(one.corruption.moment),
                     one.corruption.victims, one.nodes, one.seed);
}

}  // namespace

std::vector<MatrixResult> run_matrix(const MatrixOptions& options, std::ostream* progress) {
  std::vector<MatrixResult> results;
  std::vector<std::pair<MatrixCase, Child>> running;
  const auto take = [&] {
    results.push_back(finish(running.front().first, running.front().second));
    running.erase(running.begin());
    if (progress != nullptr && !results.back().failure.empty())
      *progress << "FAILED: " << describe(results.back().which) << ": " << results.back().failure
                << std::endl;
  };
  for (const MatrixCase& one : cases_of(options)) {
    if (running.size() >= options.jobs) take();
    running.emplace_back(one, start(one));
  }
  while (!running.empty()) take();
  return results;
}

std::string table_of(const std::vector<MatrixResult>& results) {
  struct Row {
    std::uint64_t cases = 0, victims = 0, failed = 0;
    std::array<std::uint64_t, harness::damage_outcome_count> outcomes{};
  };
  std::map<std::pair<DamagedFile, Damage>, Row> rows;
  for (const MatrixResult& result : results) {
    Row& row = rows[{result.which.corruption.file, result.which.corruption.damage}];
    row.cases += 1;
    row.victims += result.outcomes.size();
    row.failed += result.failure.empty() ? 0 : 1;
    for (const DamageOutcome outcome : result.outcomes)
      row.outcomes.at(static_cast<std::size_t>(outcome)) += 1;
  }
  std::string text = "| file | damage | cases | victims |";
  std::string rule = "|---|---|---|---|";
  for (std::size_t i = 0; i < harness::damage_outcome_count; ++i) {
    text += fmt::format(" {} |", to_string(static_cast<DamageOutcome>(i)));
    rule += "---|";
  }
  text += " failed |\n" + rule + "---|\n";
  for (const auto& [key, row] : rows) {
    text += fmt::format("| `{}` | {} | {} | {} |", to_string(key.first), to_string(key.second),
                        row.cases, row.victims);
    for (const std::uint64_t count : row.outcomes)
      text += count == 0 ? std::string{" |"} : fmt::format(" {} |", count);
    text += fmt::format(" {} |\n", row.failed);
  }
  return text;
}

std::string summary_of(const std::vector<MatrixResult>& results) {
  std::array<std::uint64_t, harness::damage_outcome_count> outcomes{};
  std::uint64_t victims = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;
  for (const MatrixResult& result : results) {
    victims += result.outcomes.size();
    acknowledged += result.acknowledged;
    failed += result.failure.empty() ? 0 : 1;
    for (const DamageOutcome outcome : result.outcomes)
      outcomes.at(static_cast<std::size_t>(outcome)) += 1;
  }
  std::string text = fmt::format("{} cases, {} damaged nodes:", results.size(), victims);
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    text += fmt::format(" {} {},", outcomes.at(i), to_string(static_cast<DamageOutcome>(i)));
  return text + fmt::format(" {} acknowledged writes, {} failed", acknowledged, failed);
}

}  // namespace mainstay::sim
