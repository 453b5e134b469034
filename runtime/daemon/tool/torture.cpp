// torture: a cluster of its own under load and faults, and what became of its promises.
#include "runtime/torture/torture.hpp"

#include <atomic>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <ostream>

#include <fmt/format.h>

#include "runtime/daemon/tool/commands.hpp"
#include "runtime/torture/open_image.hpp"

namespace mainstay::tool {

namespace {

namespace fs = std::filesystem;

constexpr int not_passed = 1;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

// Ctrl-C ends the run and removes what it made; a second one ends the process at once.
void on_interrupt(int number) {
  interrupted = true;
  std::signal(number, SIG_DFL);
}

struct Options {
  double minutes = 10;
  std::uint32_t nodes = 3;
  std::uint64_t seed = 0, replay = 0;
  std::string directory, daemon, image;
  std::uint32_t image_node = 0;
  double in_time = 99.0;
  bool loopback = false, lost_write = false;
};

// Beside this program in the build and where it is installed.
Result<void> find_programs(const Options& options, torture::TortureOptions& wanted) {
  std::error_code error;
  wanted.tool = fs::read_symlink("/proc/self/exe", error);
  if (error) return fail(Errc::internal, "cannot find this program: " + error.message());
  const fs::path bin = wanted.tool.parent_path();
  wanted.daemon = options.daemon.empty() ? bin / "mainstayd" : fs::absolute(options.daemon);
  if (!fs::exists(wanted.daemon))
    return fail(Errc::not_found, "there is no " + wanted.daemon.string());
  for (const char* lib : {"lib", MAINSTAY_LIBDIR})
    if (const fs::path hook = bin.parent_path() / lib / "mainstay/mainstay_torture_hook.so";
        fs::exists(hook))
      wanted.hook = hook;
  return {};
}

Result<int> open_one_image(const Run& run, const Options& options) {
  TRY_ASSIGN(const torture::Opened opened, torture::open_image(options.image, options.image_node));
  run.world.out << torture::to_line(opened) << "\n";
  return 0;
}

// What would be done, and nothing else.
int tell_faults(const Run& run, const torture::TortureOptions& wanted) {
  json::Array faults;
  std::string lines = fmt::format("seed {}", wanted.seed);
  for (const torture::Fault& fault :
       torture::make_plan({wanted.seed, wanted.nodes, wanted.length})) {
    faults.push_back(text(torture::to_string(fault)));
    lines.append("\n").append(torture::to_string(fault));
  }
  return print(run,
               json::Value::object({{"seed", number(wanted.seed)},
                                    {"faults", json::Value::array(std::move(faults))}}),
               lines);
}

Result<int> torture(const Run& run, const Options& options) {
  if (!options.image.empty()) return open_one_image(run, options);
  torture::TortureOptions wanted;
  TRY(find_programs(options, wanted));
  wanted.seed = options.replay != 0 ? options.replay
                : options.seed != 0 ? options.seed
                                    : 1 + run.world.random.next() % 1'000'000'000;
  wanted.nodes = options.nodes;
  wanted.length = Millis{std::llround(options.minutes * 60'000)};
  wanted.version = run.version;
  wanted.loopback = options.loopback;
  wanted.plant_lost_write = options.lost_write;
  wanted.percent_in_time_min = options.in_time;
  wanted.directory = fs::absolute(options.directory.empty() ? fmt::format("torture-{}", wanted.seed)
                                                            : options.directory);
  if (run.plan) return tell_faults(run, wanted);
  if (fs::exists(wanted.directory))
    return fail(Errc::already_exists,
                wanted.directory.string() + " exists: name another --directory");
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  run.world.err << "seed " << wanted.seed << ", in " << wanted.directory.string() << "\n";
  const auto outcome = torture::run_torture(
      wanted, interrupted, [&run](const std::string& line) { run.world.err << line << std::endl; });
  if (!outcome) return fail(outcome.error().code, outcome.error().message);
  if (run.json)
    run.world.out << json::to_text(torture::verdict_document(*outcome)) << "\n";
  else
    run.world.out << torture::verdict_text(*outcome);
  return outcome->passed() ? 0 : not_passed;
}

}  // namespace

void add_torture_command(CLI::App& app, Run& run) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "torture",
      "Start a cluster of its own on this machine, load it, do faults to it, and judge what became "
      "of its promises; exit code 0 only if all held");
  command->add_option("--minutes", options->minutes, "How long the load lasts.")
      ->check(CLI::Range(0.1, 100'000.0))
      ->capture_default_str();
  command->add_option("--nodes", options->nodes, "Nodes: 3 or 5.")
      ->check(CLI::IsMember({3U, 5U}))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "What the faults are drawn from. Default: chance.")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000}));
  command
      ->add_option("--replay", options->replay,
                   "The same faults again as in the run with this seed, with the same --nodes and "
                   "--minutes.")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000}));
  command->add_option("--directory", options->directory,
                      "Where the report and the logs go. Default: torture-SEED, here.");
  command
      ->add_option(
          "--in-time", options->in_time,
          "The least share of requests, in percent, that must be answered within a second.")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command->add_flag("--loopback", options->loopback,
                    "Without hosts of their own, as where namespaces are not permitted.");
  add_plan(run, command);
  // For tests, and for the run itself: not shown.
  command->add_option("--daemon", options->daemon)->group("");
  command->add_flag("--plant-lost-write", options->lost_write)->group("");
  command->add_option("--open-image", options->image)->group("");
  command->add_option("--image-node", options->image_node)->group("");
  on(run, command, [&run, options] { return torture(run, *options); });
}

}  // namespace mainstay::tool
