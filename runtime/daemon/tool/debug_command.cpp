// debug bundle: everything that helps to find out afterwards, in one file, without secrets and
// without records.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "runtime/daemon/tool/commands.hpp"
#include "runtime/daemon/tool/debug/archive.hpp"
#include "runtime/daemon/tool/debug/redact.hpp"
#include "runtime/daemon/tool/doctor/collect_host.hpp"
#include "runtime/daemon/tool/doctor/collect_nodes.hpp"
#include "runtime/daemon/tool/doctor/data_directory.hpp"
#include "runtime/daemon/tool/doctor/findings.hpp"
#include "runtime/daemon/tool/look.hpp"
#include "runtime/daemon/tool/print.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::tool {

namespace {

namespace fs = std::filesystem;

constexpr Millis wait_max{2000};
constexpr Millis dump_wait_max{1500};
constexpr Millis dump_poll{50};
constexpr std::size_t small_file_bytes_max = 1 << 20;
constexpr std::size_t dump_bytes_max = 64U << 20;

struct BundleOptions {
  std::string output, configuration, data, unit = "mainstayd";
  bool offline = false;
};

class Bundle {
 public:
  Bundle(Run& run, const BundleOptions& options, Archive archive)
      : run_{run}, options_{options}, archive_{std::move(archive)} {}

  Result<void> all() {
    evidence_.now = run_.world.clock.wall();
    TRY(add("bundle.txt",
            "mainstay " + run_.version + ", made " + time_text(evidence_.now) + "\n"));
    if (!options_.offline) TRY(add_nodes());
    TRY(add_host());
    TRY(add_doctor());
    if (!missing_.empty()) TRY(add("missing.txt", missing_));
    return archive_.close();
  }

  const std::vector<std::string>& names() const { return names_; }

 private:
  Result<void> add(const std::string& name, const std::string& content) {
    names_.push_back(name);
    return archive_.add("mainstay-debug/" + name, redacted(content));
  }

  // As it is: of a form of its own, without secrets and records by its making.
  Result<void> add_binary(const std::string& name, const std::string& content) {
    names_.push_back(name);
    return archive_.add("mainstay-debug/" + name, content);
  }

  void miss(const std::string& what, const std::string& why) {
    missing_ += what + ": " + why + "\n";
  }

  Result<void> add_nodes() {
    auto session = run_.session();
    if (!session) {
      miss("nodes", session.error().message);
      return {};
    }
    const Look seen = look(**session, wait_max, true);
    evidence_.nodes = doctor::nodes_seen(seen, seen);
    for (const NodeStatus& node : seen.nodes) {
      const std::string place =
          "nodes/" + (node.id == 0 ? node.address : "node-" + std::to_string(node.id)) + "/";
      if (node.view) TRY(add(place + "cluster.json", json::to_text(*node.view) + "\n"));
      if (!node.metrics.empty()) TRY(add(place + "metrics.txt", node.metrics));
      std::string checks;
      for (const CheckStatus& check : node.checks)
        checks += (check.ok ? "ok      " : "failing ") + check.name + " " + check.detail + "\n";
      if (!checks.empty()) TRY(add(place + "readyz.txt", checks));
      if (!node.problem.empty()) miss(node.address, node.problem);
    }
    return {};
  }

  Result<void> add_host() {
    std::string data = options_.data;
    if (!options_.configuration.empty()) {
      evidence_.hosts.push_back(doctor::look_at_host(options_.configuration));
      const doctor::HostSeen& host = evidence_.hosts.back();
      TRY(add_file("host/mainstayd.toml", options_.configuration));
      if (data.empty() && host.config) data = host.config->data_directory;
    }
    if (!data.empty()) {
      if (evidence_.hosts.empty()) evidence_.hosts.push_back(doctor::look_at_data(data));
      TRY(add_directory(data));
    }
    TRY(add_file("host/limits.txt", "/proc/self/limits"));
    TRY(add_file("host/meminfo.txt", "/proc/meminfo"));
    TRY(add_file("host/loadavg.txt", "/proc/loadavg"));
    TRY(add_file("host/version.txt", "/proc/version"));
    return add_journal();
  }

  Result<void> add_file(const std::string& name, const std::string& path) {
    auto content = read_whole(path);
    if (!content) {
      miss(path, content.error().message);
      return {};
    }
    return add(name, *content);
  }

  // Files of /proc tell no size; the others are bounded.
  static Result<std::string> read_whole(const std::string& path) {
    TRY_ASSIGN(const sys::File file, sys::File::open(path, sys::File::Mode::read));
    return file.read_at(0, small_file_bytes_max);
  }

  Result<void> add_directory(const std::string& data) {
    const doctor::DirectorySeen seen = doctor::look_at_directory(data);
    if (!seen.exists) {
      miss(data, "there is no such directory");
      return {};
    }
    TRY(add_file("data/identity.json", data + "/identity.json"));
    TRY(add("data/files.txt", files_of(data)));
    TRY(add("data/state.txt", state_of(seen)));
    std::error_code error;
    for (fs::directory_iterator at{fs::path{data} / "evidence", error}, end; !error && at != end;
         at.increment(error))
      TRY(add_file("data/evidence/" + at->path().filename().string() + "-reason.txt",
                   (at->path() / "reason.txt").string()));
    return add_inputs(data, seen);
  }

  static std::string files_of(const std::string& data) {
    std::string text;
    std::error_code error;
    for (fs::recursive_directory_iterator at{data, error}, end; !error && at != end;
         at.increment(error)) {
      std::error_code gone;
      const std::uint64_t size = at->is_regular_file(gone) ? at->file_size(gone) : 0;
      text += fmt::format("{:>16} {}\n", gone ? 0 : size,
                          fs::relative(at->path(), data, gone).string());
    }
    return text;
  }

  static std::string state_of(const doctor::DirectorySeen& seen) {
    std::string text = fmt::format(
        "node {}\ncluster {}\ndamage: {}\nlocked: {}{}\nfree {} of {}\n", seen.node, seen.cluster,
        seen.damage.empty() ? "none found" : seen.damage, seen.locked ? "by process " : "no",
        seen.locked ? std::to_string(seen.holder) + " " + seen.holder_name : "",
        size_text(seen.free_bytes), size_text(seen.total_bytes));
    for (const char* part : {"log", "records"}) {
      const auto header = doctor::read_environment(fs::path{seen.path} / part / "data.mdb");
      text += fmt::format("{}: transaction {}, {} pages of {} B, file {}, map {}{}\n", part,
                          header.transaction, header.pages, header.page_bytes,
                          size_text(header.file_bytes), size_text(header.map_bytes),
                          header.problem.empty() ? "" : "; " + header.problem);
    }
    return text;
  }

  // The core's last inputs: what a dead node left, or what a running one writes when it is asked;
  // beside it those of a crash.
  Result<void> add_inputs(const std::string& data, const doctor::DirectorySeen& seen) {
    if (const auto crash = sys::read_file(fs::path{data} / "input-ring.dump", dump_bytes_max))
      TRY(add_binary("data/input-ring.dump", *crash));
    const fs::path dump = fs::path{data} / "inputs.dump";
    if (seen.locked && seen.holder != 0 && seen.holder_name == "mainstayd")
      ask_for_dump(dump, seen);
    auto content = sys::read_file(dump, dump_bytes_max);
    if (!content) {
      miss("inputs.dump", content.error().message);
      return {};
    }
    return add_binary("data/inputs.dump", *content);
  }

  void ask_for_dump(const fs::path& dump, const doctor::DirectorySeen& seen) {
    std::error_code error;
    const auto before = fs::last_write_time(dump, error);
    if (::kill(static_cast<::pid_t>(seen.holder), SIGUSR1) != 0) return;
    for (Millis waited{0}; waited < dump_wait_max; waited += dump_poll) {
      run_.world.pause(dump_poll);
      std::error_code none;
      const auto now = fs::last_write_time(dump, none);
      if (!none && (error || now != before)) return;
    }
    miss("inputs.dump", "the node did not write it in time");
  }

  // The end of the node's log, when it runs under systemd.
  Result<void> add_journal() {
    const std::string command =
        "timeout 3 journalctl --no-pager -n 2000 -u '" + options_.unit + "' 2>/dev/null";
    const auto close = [](std::FILE* pipe) { ::pclose(pipe); };
    const std::unique_ptr<std::FILE, decltype(close)> pipe{::popen(command.c_str(), "r"), close};
    std::string text;
    char buffer[4096];
    while (pipe && text.size() < 8 * small_file_bytes_max) {
      const std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe.get());
      if (got == 0) break;
      text.append(buffer, got);
    }
    if (!text.empty()) return add("host/journal.txt", text);
    miss("journal of " + options_.unit, "there is none to be read");
    return {};
  }

  Result<void> add_doctor() {
    std::string text;
    for (const doctor::Finding& finding : doctor::examine(evidence_))
      text += fmt::format("{}: {}: {}\n  {}\n  {}\n", to_string(finding.condition->severity),
                          finding.condition->name, finding.subject, finding.evidence, finding.mend);
    return add("doctor.txt", text.empty() ? "nothing found\n" : text);
  }

  Run& run_;
  const BundleOptions& options_;
  Archive archive_;
  doctor::Evidence evidence_;
  std::vector<std::string> names_;
  std::string missing_;
};

Result<int> make_bundle(Run& run, BundleOptions options) {
  const bool plain = std::all_of(options.unit.begin(), options.unit.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '@' ||
           c == '.';
  });
  if (!plain) return fail(Errc::invalid_argument, "--unit is the name of a systemd unit");
  if (options.output.empty()) {
    options.output = "mainstay-debug-" + time_text(run.world.clock.wall()) + ".tar.zst";
    std::replace(options.output.begin(), options.output.end(), ':', '-');
  }
  TRY_ASSIGN(Archive archive, Archive::create(options.output, run.world.clock.wall()));
  Bundle bundle{run, options, std::move(archive)};
  TRY(bundle.all());
  json::Array names;
  for (const std::string& name : bundle.names()) names.push_back(text(name));
  return print(run,
               json::Value::object({{"file", text(options.output)},
                                    {"contents", json::Value::array(std::move(names))}}),
               "wrote " + options.output + ", " + std::to_string(bundle.names().size()) + " files");
}

}  // namespace

void add_debug_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<BundleOptions>();
  CLI::App* debug = app.add_subcommand("debug", "Collect what helps to find a fault");
  debug->require_subcommand(1);
  debug->fallthrough();
  CLI::App* bundle = debug->add_subcommand(
      "bundle",
      "Write status, metrics, configuration, identity, sizes and logs into one .tar.zst, without "
      "secrets and records; works beside a dead node");
  bundle->add_option("--output", options->output, "The file; without it by the time.");
  bundle->add_option("--config", options->configuration,
                     "A node's configuration file on this host.");
  bundle->add_option("--data", options->data,
                     "A node's data directory; without it as the configuration says.");
  bundle->add_option("--unit", options->unit, "Its systemd unit.")->capture_default_str();
  bundle->add_flag("--offline", options->offline, "Ask no node.");
  on(run, bundle, [&run, options] { return make_bundle(run, *options); });
}

}  // namespace mainstay::tool
