#include "runtime/torture/torture.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <system_error>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include "runtime/sys/clock.hpp"
#include "runtime/sys/file.hpp"
#include "runtime/torture/files.hpp"
#include "runtime/torture/load.hpp"

namespace mainstay::torture {

namespace fs = std::filesystem;

namespace {

namespace check {
using namespace torture::check;
constexpr const char* hashes = "state hashes equal";
constexpr const char* availability = "answered within 1 s";
constexpr const char* gaps = "no long gap without a write";
}  // namespace check

constexpr Millis start_within{60'000};
constexpr Millis agree_within{60'000};
constexpr Millis effect_after{1000};  // what a fault does shows until so long after it

std::string machine_text() {
  utsname name{};
  ::uname(&name);
  return fmt::format("{} {} {}, {} cores", name.sysname, name.release, name.machine,
                     std::thread::hardware_concurrency());
}

std::string time_text(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(seconds));
}

void expect_checks(Evidence& evidence) {
  evidence.expect(check::linearizable, "calls");
  evidence.expect(check::acknowledged, "rows");
  evidence.expect(check::doubled, "rows");
  evidence.expect(check::outcome, "writes");
  evidence.expect(check::atomic, "pairs");
  evidence.expect(check::feed, "changes");
  evidence.expect(check::ledger, "balances");
  evidence.expect(check::files, "orders");
  evidence.expect(check::hashes, "nodes");
  evidence.expect(check::images, "images");
  evidence.expect(check::ends, "starts");
  evidence.expect(check::recovers, "faults");
  evidence.expect(check::availability, "requests");
  evidence.expect(check::gaps, "gaps");
}

// Times in which no majority was up, and what they leave behind.
bool without_majority(const std::vector<Struck>& struck, Millis from, Millis to) {
  return std::any_of(struck.begin(), struck.end(), [&](const Struck& one) {
    return one.happened() && !leaves_majority(one.fault.kind) && one.from <= to &&
           one.well + effect_after >= from;
  });
}

void measure(Outcome& outcome, const Timeline& timeline) {
  outcome.seconds = timeline.seconds();
  outcome.requests = timeline.requests();
  outcome.late = timeline.late();
  outcome.latency = timeline.overall();
  for (std::size_t i = 0; i < outcome.seconds.size(); ++i) {
    const Millis from{static_cast<std::int64_t>(i) * 1000};
    if (without_majority(outcome.struck, from, from + Millis{1000})) continue;
    outcome.served_requests += outcome.seconds[i].latency.total();
    outcome.served_late += outcome.seconds[i].late;
  }
  for (const Gap& gap : timeline.gaps()) {
    if (gap.lasted >= in_time) outcome.gaps.push_back(gap);
    if (!without_majority(outcome.struck, gap.from, gap.from + gap.lasted))
      outcome.longest_gap = std::max(outcome.longest_gap, gap.lasted);
  }
  for (const Struck& struck : outcome.struck)
    outcome.effects.push_back(
        {timeline.longest_gap(struck.from, struck.healed + effect_after),
         timeline.longest_request(struck.from, struck.healed + effect_after)});
}

void judge_service(const Outcome& outcome, const TortureOptions& options, std::size_t gaps,
                   Evidence& evidence) {
  const double percent = percent_in_time(outcome.served_requests, outcome.served_late);
  evidence.looked(check::availability, outcome.served_requests);
  evidence.note(check::availability,
                fmt::format("{:.3f}%, at least {}%", percent, options.percent_in_time_min));
  if (percent < options.percent_in_time_min)
    evidence.wrong(check::availability, fmt::format("{:.3f}%", percent));
  evidence.looked(check::gaps, gaps);
  evidence.note(check::gaps, fmt::format("longest {} ms, at most {} ms",
                                         outcome.longest_gap.count(), options.gap_max.count()));
  if (outcome.longest_gap > options.gap_max)
    evidence.wrong(check::gaps, fmt::format("{} ms", outcome.longest_gap.count()));
}

class Torture {
 public:
  Torture(const TortureOptions& options, const std::atomic<bool>& interrupted,
          const std::function<void(const std::string&)>& tell)
      : options_{options}, interrupted_{interrupted}, tell_{tell} {
    expect_checks(evidence_);
    outcome_.version = options.version;
    outcome_.machine = machine_text();
    outcome_.began = time_text(sys::system_clock().wall());
    outcome_.seed = options.seed;
    outcome_.nodes = options.nodes;
    outcome_.length = options.length;
    outcome_.directory = options.directory.string();
    outcome_.replay =
        fmt::format("mainstay torture --replay {} --nodes {} --minutes {:g}", options.seed,
                    options.nodes, static_cast<double>(options.length.count()) / 60'000);
  }

  Result<Outcome> run() {
    TRY(prepare());
    outcome_.abilities = lab_->abilities();
    TRY(form());
    Timeline timeline{sys::system_clock().monotonic()};
    Courier courier{endpoints(), 0, timeline};
    Nemesis nemesis = make_nemesis(courier, timeline);
    Load load{endpoints(), timeline, evidence_, options_.seed, options_.directory / "plant"};
    if (options_.plant_lost_write) load.plant_lost_write();
    load.start();
    for (const Fault& fault : make_plan({options_.seed, options_.nodes, options_.length})) {
      // Faults that healed slowly, or crash images, may have taken the time of the last ones.
      const Millis now = timeline.since_begin(sys::system_clock().monotonic());
      if (interrupted_) break;
      if (now > std::max(options_.length, fault.at)) {
        ++outcome_.no_time;
        continue;
      }
      nemesis.strike(fault);
      if (interrupted_) break;
      tell_last(nemesis.struck());
    }
    nemesis.idle_until(options_.length);
    outcome_.interrupted = interrupted_;
    tell_("load ends; checking");
    load.stop();
    outcome_.ran = timeline.since_begin(sys::system_clock().monotonic());
    outcome_.struck = nemesis.struck();
    measure(outcome_, timeline);
    judge_service(outcome_, options_, timeline.gaps().size(), evidence_);
    if (!interrupted_) check_end(nemesis, load);
    if (lab_->network() != nullptr) outcome_.packets = lab_->network()->counts();
    outcome_.checks = evidence_.checks();
    TRY(finish());
    return std::move(outcome_);
  }

 private:
  Result<void> prepare() {
    std::error_code error;
    fs::create_directories(options_.directory, error);
    if (error) return fail(Errc::io_error, options_.directory.string() + ": " + error.message());
    TRY_ASSIGN(const fs::path adapters, make_plant(options_.directory / "plant"));
    LabOptions lab;
    lab.directory = options_.directory;
    lab.daemon = options_.daemon;
    lab.hook = options_.hook;
    lab.nodes = options_.nodes;
    lab.seed = options_.seed;
    lab.loopback = options_.loopback;
    lab.adapters = adapters;
    TRY_ASSIGN(lab_, Lab::make(lab));
    return {};
  }

  Nemesis make_nemesis(Courier& courier, const Timeline& timeline) {
    NemesisOptions wanted{options_.directory, options_.tool, options_.seed};
    // Building them takes seconds each; a short run has time for a few.
    wanted.images = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(options_.length / Millis{60'000}, 2, 4));
    return {*lab_, courier, evidence_, timeline, interrupted_, wanted};
  }

  // Starts the nodes and waits until they are a cluster.
  Result<void> form() {
    tell_(fmt::format("starting {} nodes", options_.nodes));
    Timeline timeline{sys::system_clock().monotonic()};
    Courier courier{endpoints(), 0, timeline};
    Nemesis nemesis = make_nemesis(courier, timeline);
    if (!nemesis.make_well(start_within))
      return fail(Errc::unavailable,
                  "the nodes did not get ready; their logs are in " + options_.directory.string());
    return declare_collections(courier);
  }

  std::vector<config::Endpoint> endpoints() const {
    std::vector<config::Endpoint> found;
    for (std::uint32_t node = 1; node <= options_.nodes; ++node)
      found.push_back(lab_->endpoint(node));
    return found;
  }

  void tell_last(const std::vector<Struck>& struck) const {
    const Struck& last = struck.back();
    tell_(to_string(last.fault) + (last.happened()
                                       ? fmt::format("; node {}; well again after {} ms{}",
                                                     last.node, (last.well - last.healed).count(),
                                                     last.note.empty() ? "" : "; " + last.note)
                                       : "; left out: " + last.left_out));
  }

  void check_end(Nemesis& nemesis, Load& load) {
    if (!nemesis.make_well(start_within))
      evidence_.wrong(check::recovers, "not all nodes are ready at the end");
    load.check();
    evidence_.looked(check::hashes, options_.nodes);
    if (!nemesis.agreed(agree_within))
      evidence_.wrong(check::hashes, "the nodes do not say that they hold the same");
  }

  // The report; and of a run that passed, nothing else but the logs.
  Result<void> finish() {
    if (options_.plant_lost_write) outcome_.replay += " --plant-lost-write";
    TRY(sys::write_file_durably(options_.directory / "torture.json",
                                to_text(verdict_document(outcome_)) + "\n"));
    TRY(sys::write_file_durably(options_.directory / "report.html", verdict_page(outcome_)));
    if (!outcome_.passed() && !outcome_.interrupted) {
      TRY(lab_->keep_small_disk());
      lab_.reset();
      return {};
    }
    lab_.reset();
    std::error_code ignored;  // what cannot be removed is for the owner of the directory
    for (std::uint32_t node = 1; node <= options_.nodes; ++node) {
      const fs::path home = options_.directory / fmt::format("node{}", node);
      fs::rename(home / "mainstayd.log", options_.directory / fmt::format("node{}.log", node),
                 ignored);
      fs::remove_all(home, ignored);
    }
    for (const char* name : {"certs", "plant", "images"})
      fs::remove_all(options_.directory / name, ignored);
    return {};
  }

  const TortureOptions options_;
  const std::atomic<bool>& interrupted_;
  const std::function<void(const std::string&)>& tell_;
  Evidence evidence_;
  Outcome outcome_;
  std::unique_ptr<Lab> lab_;
};

}  // namespace

Result<Outcome> run_torture(const TortureOptions& options, const std::atomic<bool>& interrupted,
                            const std::function<void(const std::string&)>& tell) {
  return Torture{options, interrupted, tell}.run();
}

}  // namespace mainstay::torture
