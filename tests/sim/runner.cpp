#include "tests/sim/runner.hpp"

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/mutant.hpp"
#include "tests/harness/replay_recording.hpp"

namespace mainstay::sim {

namespace {

using harness::SeedOptions;
using harness::SeedResult;

// How many seeds a worker runs before it is replaced: forking anew costs little and keeps its
// memory small.
constexpr std::uint64_t seeds_per_worker = 50;
constexpr double seed_seconds_max = 120;

struct Worker {
  pid_t pid = 0;
  int results = -1;        // lines of text from the worker
  int errors = -1;         // what it wrote to standard error: the assertion, should one fail
  std::uint64_t seed = 0;  // in progress
  std::uint64_t next = 0, end = 0;
  std::string partial;
  std::string error_text;
  std::chrono::steady_clock::time_point seed_begun;
};

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

void activate(const std::string& mutant) {
#ifdef MAINSTAY_MUTANTS
  static std::string name;
  name = mutant;
  active_mutant = name.c_str();
#else
  ASSERT_MSG(mutant.empty(), "this program was built without planted bugs");
#endif
}

SeedResult run_one(const RunOptions& options, std::uint64_t seed) {
  SeedOptions seed_options{seed, options.nodes, options.liveness, nullptr};
  SeedResult result = harness::run_seed(seed_options);
  if (!options.twice) return result;
  const SeedResult again = harness::run_seed(seed_options);
  if (!result.failed && again.trace_hash != result.trace_hash) {
    result.failed = true;
    result.invariant = "same seed, same trace";
    result.what = "same seed, same trace: the second run went another way";
  }
  return result;
}

void write_line(int fd, std::string line) {
  line += '\n';
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = ::write(fd, line.data() + done, line.size() - done);
    if (written <= 0) ::_exit(3);
    done += static_cast<std::size_t>(written);
  }
}

std::string one_line(std::string text) {
  for (char& letter : text)
    if (letter == '\n') letter = '\x1f';
  return text;
}

[[noreturn]] void work(const RunOptions& options, std::uint64_t first, std::uint64_t end, int fd) {
  activate(options.mutant);
  for (std::uint64_t seed = first; seed < end; ++seed) {
    write_line(fd, "begin " + std::to_string(seed));
    const SeedResult r = run_one(options, seed);
    write_line(fd, fmt::format("end {} {} {} {} {} {} {} {} {} {} {} {}", seed, r.failed ? 1 : 0,
                               r.events, r.simulated, r.committed, r.elections, r.calls,
                               r.acknowledged, r.undecided, r.faults, r.changes, r.quarantines));
    if (r.failed) write_line(fd, "why " + one_line(r.invariant + "\x1e" + r.what));
  }
  ::_exit(0);
}

class Pool {
 public:
  Pool(const RunOptions& options, std::ostream* progress)
      : options_{options},
        progress_{progress},
        next_{options.first},
        end_{options.first + options.seeds} {}

  RunSummary run() {
    while (true) {
      while (workers_.size() < options_.jobs && next_ < end_ && !finished()) spawn(take());
      if (workers_.empty()) break;
      wait_for_news();
    }
    summary_.seconds = seconds_since(begun_);
    return std::move(summary_);
  }

 private:
  std::pair<std::uint64_t, std::uint64_t> take() {
    // Small portions at the end, so that no worker is left alone with many.
    const std::uint64_t left = end_ - next_;
    const std::uint64_t portion_max = options_.stop_on_failure ? 2 : seeds_per_worker;
    const std::uint64_t portion =
        std::max<std::uint64_t>(1, std::min(portion_max, left / (2 * options_.jobs)));
    const std::uint64_t first = next_;
    next_ += portion;
    return {first, next_};
  }

  bool finished() const {
    if (options_.stop_on_failure && summary_.failures > 0) return true;
    return options_.seconds_max > 0 && seconds_since(begun_) > options_.seconds_max;
  }

  void spawn(std::pair<std::uint64_t, std::uint64_t> range) {
    int results[2];
    int errors[2];
    ASSERT(::pipe2(results, O_CLOEXEC) == 0 && ::pipe2(errors, O_CLOEXEC) == 0);
    const pid_t pid = ::fork();
    ASSERT_MSG(pid >= 0, "fork");
    if (pid == 0) {
      ::dup2(errors[1], STDERR_FILENO);
      work(options_, range.first, range.second, results[1]);
    }
    ::close(results[1]);
    ::close(errors[1]);
    Worker worker;
    worker.pid = pid;
    worker.results = results[0];
    worker.errors = errors[0];
    worker.seed = worker.next = range.first;
    worker.end = range.second;
    worker.seed_begun = std::chrono::steady_clock::now();
    workers_.emplace(pid, std::move(worker));
  }

  void wait_for_news() {
    std::vector<pollfd> polled;
    std::vector<std::pair<pid_t, bool>> owners;
    for (auto& [pid, worker] : workers_) {
      if (worker.results >= 0) {
        polled.push_back({worker.results, POLLIN, 0});
        owners.emplace_back(pid, true);
      }
      if (worker.errors >= 0) {
        polled.push_back({worker.errors, POLLIN, 0});
        owners.emplace_back(pid, false);
      }
    }
    ::poll(polled.data(), polled.size(), 500);
    for (std::size_t i = 0; i < polled.size(); ++i)
      if (polled[i].revents != 0) read_from(workers_.at(owners[i].first), owners[i].second);
    for (auto at = workers_.begin(); at != workers_.end();) {
      Worker& worker = at->second;
      if (seconds_since(worker.seed_begun) > seed_seconds_max) ::kill(worker.pid, SIGKILL);
      const bool stop = finished() && options_.stop_on_failure;
      if (stop) ::kill(worker.pid, SIGKILL);
      if (worker.results < 0 && worker.errors < 0) {
        bury(worker, stop);
        at = workers_.erase(at);
      } else {
        ++at;
      }
    }
  }

  void read_from(Worker& worker, bool results) {
    char buffer[8192];
    int& fd = results ? worker.results : worker.errors;
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got <= 0) {
      ::close(fd);
      fd = -1;
      return;
    }
    if (!results) {
      worker.error_text.append(buffer, static_cast<std::size_t>(got));
      return;
    }
    worker.partial.append(buffer, static_cast<std::size_t>(got));
    for (std::size_t end = worker.partial.find('\n'); end != std::string::npos;
         end = worker.partial.find('\n')) {
      const std::string line = worker.partial.substr(0, end);
      worker.partial.erase(0, end + 1);
      on_line(worker, line);
    }
  }

  void on_line(Worker& worker, const std::string& line) {
    if (line.compare(0, 6, "begin ") == 0) {
      worker.seed = std::stoull(line.substr(6));
      worker.next = worker.seed;
      worker.seed_begun = std::chrono::steady_clock::now();
    } else if (line.compare(0, 4, "why ") == 0) {
      const std::size_t split = line.find('\x1e');
      failed(worker.seed, line.substr(4, split - 4), line.substr(split + 1));
    } else {
      on_end(worker, line);
    }
  }

  void on_end(Worker& worker, const std::string& line) {
    unsigned long long seed = 0, bad = 0, events = 0, simulated = 0, committed = 0, elections = 0;
    unsigned long long calls = 0, acknowledged = 0, undecided = 0, faults = 0;
    unsigned long long changes = 0, quarantines = 0;
    std::sscanf(line.c_str(), "end %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu",
                &seed, &bad, &events, &simulated, &committed, &elections, &calls, &acknowledged,
                &undecided, &faults, &changes, &quarantines);
    worker.next = seed + 1;
    ++summary_.seeds;
    summary_.events += events;
    summary_.simulated_us += simulated;
    summary_.committed += committed;
    summary_.elections += elections;
    summary_.calls += calls;
    summary_.acknowledged += acknowledged;
    summary_.undecided += undecided;
    summary_.faults += faults;
    summary_.changes += changes;
    summary_.quarantines += quarantines;
  }

  // A worker that died in the middle of a seed: that seed failed; the rest of its portion goes on
  // elsewhere.
  void bury(Worker& worker, bool stopped) {
    int status = 0;
    ::waitpid(worker.pid, &status, 0);
    remove_leftovers(worker.pid);
    if (stopped || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) return;
    ++summary_.seeds;
    std::string why = worker.error_text;
    const std::size_t at = why.find("assertion failed");
    const std::string invariant = at != std::string::npos ? "assertion" : "crash";
    if (at != std::string::npos) why = why.substr(why.rfind('\n', at) + 1);
    if (why.empty())
      why = WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status)) : "exit";
    failed(worker.seed, invariant, why);
    if (worker.seed + 1 < worker.end && !finished()) spawn({worker.seed + 1, worker.end});
  }

  static void remove_leftovers(pid_t pid) {
    std::error_code ignored;  // files of a dead worker on a memory file system
    const std::filesystem::path base =
        std::filesystem::exists("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
    const std::string prefix = "mainstay-sim-" + std::to_string(pid) + "-";
    for (const auto& entry : std::filesystem::directory_iterator(base, ignored))
      if (entry.path().filename().string().compare(0, prefix.size(), prefix) == 0)
        std::filesystem::remove_all(entry.path(), ignored);
  }

  void failed(std::uint64_t seed, const std::string& invariant, std::string what) {
    for (char& letter : what)
      if (letter == '\x1f') letter = '\n';
    ++summary_.failures;
    if (progress_ != nullptr)
      *progress_ << "seed " << seed << " FAILED: "
                 << (what.compare(0, invariant.size(), invariant) == 0 ? "" : invariant + ": ")
                 << what << "\n  replay: " << replay_command(options_, seed) << std::endl;
    summary_.failed.push_back({seed, invariant, std::move(what)});
  }

  const RunOptions& options_;
  std::ostream* progress_;
  std::uint64_t next_, end_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::map<pid_t, Worker> workers_;
  RunSummary summary_;
};

}  // namespace

RunSummary run(const RunOptions& options, std::ostream* progress) {
  if (progress != nullptr) progress->flush();
  return Pool{options, progress}.run();
}

std::string closing_line(const RunSummary& s) {
  return fmt::format(
      "{} seeds, {} failed; {} events, {:.2f} simulated hours, {} elections, {} faults, {} "
      "commits, {} calls, {} acknowledged, {} changes read, {} quarantined, {} histories "
      "undecided; "
      "{:.1f} s, {:.1f} seeds/s",
      s.seeds, s.failures, s.events, static_cast<double>(s.simulated_us) / 3.6e9, s.elections,
      s.faults, s.committed, s.calls, s.acknowledged, s.changes, s.quarantines, s.undecided,
      s.seconds, s.seconds > 0 ? static_cast<double>(s.seeds) / s.seconds : 0.0);
}

std::string replay_command(const RunOptions& options, std::uint64_t seed) {
  std::string command =
      options.mutant.empty() ? "mainstay-sim" : "mainstay-sim-mutants --mutant " + options.mutant;
  command += " --replay " + std::to_string(seed);
  if (options.nodes != 0) command += " --nodes " + std::to_string(options.nodes);
  if (options.liveness) command += " --liveness";
  return command;
}

int replay(std::uint64_t seed, const RunOptions& options, std::ostream& out) {
  activate(options.mutant);
  harness::Simulation simulation{{seed, options.nodes, options.liveness, &out}};
  const SeedResult result = harness::run(simulation);
  out << fmt::format("seed {}: {} events, {} ms simulated, trace {:016x}: {}\n", seed,
                     result.events, result.simulated / harness::sim_ms, result.trace_hash,
                     result.failed ? "FAILED: " + result.what : "good");
  if (!options.dump_to.empty()) {
    for (const NodeId id : simulation.node_ids()) {
      const std::string path = options.dump_to + "/n" + to_string(id) + ".inputs";
      std::ofstream{path, std::ios::binary} << consensus::encode(simulation.node(id).recording());
      out << path << " replays with: mainstay-sim --replay-dump " << path << "\n";
    }
  }
  return result.failed ? 1 : 0;
}

int replay_dump(const std::string& path, std::ostream& out) {
  std::ifstream file{path, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  const Result<consensus::Recording> recording = consensus::decode_recording(bytes);
  if (!recording) {
    out << path << ": " << to_string(recording.error()) << "\n";
    return 1;
  }
  harness::replay(*recording, out);
  return 0;
}

}  // namespace mainstay::sim
