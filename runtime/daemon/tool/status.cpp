// status: every node of the cluster on one screen.
#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "runtime/daemon/tool/commands.hpp"
#include "runtime/daemon/tool/look.hpp"
#include "runtime/daemon/tool/print.hpp"

namespace mainstay::tool {

namespace {

constexpr Millis wait_max{2000};

std::string state_of(const NodeStatus& node) {
  if (!node.view) return "unreachable";
  if (flag_at(*node.view, "quarantined")) return "quarantined";
  if (flag_at(*node.view, "draining")) return "draining";
  if (node.ready) return "ready";
  std::string failing;
  for (const CheckStatus& check : node.checks)
    if (!check.ok) failing += (failing.empty() ? "" : ",") + check.name;
  return failing.empty() ? "not ready" : "not ready: " + failing;
}

Row row_of(const NodeStatus& node, std::uint64_t commit) {
  const std::string id = node.id == 0 ? "?" : std::to_string(node.id);
  if (!node.view) return {id, node.role, state_of(node), node.address, "-", "-", "-", "-", "-"};
  const json::Value& view = *node.view;
  const std::uint64_t applied = number_at(view, "applied");
  const std::uint64_t total = number_at(view, "disk_total_bytes");
  return {id,
          text_at(view, "role"),
          state_of(node),
          node.address,
          std::to_string(applied),
          std::to_string(commit - std::min(commit, applied)),
          flag_at(view, "hashes_agree") ? "agree" : "DIFFER",
          size_text(number_at(view, "disk_free_bytes")) +
              (total == 0 ? "" : " of " + size_text(total)) +
              (flag_at(view, "disk_low") ? " LOW" : ""),
          fmt::format("{:.1f} ms", real_at(view, "fsync_ms"))};
}

std::string screen(const Look& seen) {
  std::string result;
  std::uint64_t commit = 0;
  for (const NodeStatus& node : seen.nodes)
    if (node.view) commit = std::max(commit, number_at(*node.view, "commit"));
  if (const json::Value* view = seen.newest()) {
    const std::uint64_t leader = number_at(*view, "leader");
    result = fmt::format("cluster {}: {}, term {}, revision {}, {} of {} nodes ready\n\n",
                         flag_at(*view, "formed") ? text_at(*view, "cluster") : "(not formed yet)",
                         leader == 0 ? "NO LEADER" : "leader node " + std::to_string(leader),
                         number_at(*view, "term"), number_at(*view, "revision"), seen.ready(),
                         seen.nodes.size());
  }
  std::vector<Row> rows{
      {"NODE", "ROLE", "STATE", "API", "APPLIED", "BEHIND", "HASHES", "DISK FREE", "FSYNC"}};
  for (const NodeStatus& node : seen.nodes) rows.push_back(row_of(node, commit));
  result += table_text(rows);
  for (const NodeStatus& node : seen.nodes)
    if (!node.problem.empty()) result += "\n" + node.problem;
  return result + (result.back() == '\n' ? "" : "\n");
}

json::Value document(const Look& seen) {
  json::Array nodes;
  for (const NodeStatus& node : seen.nodes) {
    json::Value object = json::Value::object({{"address", text(node.address)},
                                              {"state", text(state_of(node))},
                                              {"ready", json::Value::boolean(node.ready)}});
    if (node.id != 0) object.set("id", number(node.id));
    if (node.view) object.set("view", *node.view);
    if (!node.problem.empty()) object.set("problem", text(node.problem));
    nodes.push_back(std::move(object));
  }
  const json::Value* newest = seen.newest();
  const std::uint64_t leader = newest == nullptr ? 0 : number_at(*newest, "leader");
  return json::Value::object({{"ready", json::Value::boolean(seen.whole())},
                              {"nodes", json::Value::array(std::move(nodes))},
                              {"leader", leader == 0 ? json::Value{} : number(leader)}});
}

struct StatusOptions {
  bool watch = false;
  std::uint64_t count = 0;
  std::string interval = "1s";
};

Result<int> show(Run& run, const StatusOptions& options) {
  TRY_ASSIGN(const Millis deadline, config::parse_duration(run.deadline_text));
  TRY_ASSIGN(const Millis interval, config::parse_duration(options.interval));
  TRY_ASSIGN(Session * session, run.session());
  for (std::uint64_t shown = 1;; ++shown) {
    const Look seen = look(*session, std::min(deadline, wait_max));
    if (options.watch && run.world.terminal) run.world.out << "\x1b[H\x1b[2J";
    run.world.out << (run.json ? json::to_text(document(seen)) + "\n" : screen(seen)) << std::flush;
    if (!options.watch || shown == options.count)
      return seen.whole() ? 0 : exit_code_of(Errc::not_ready);
    run.world.pause(interval);
  }
}

}  // namespace

void add_status_command(CLI::App& app, Run& run) {
  const auto options = std::make_shared<StatusOptions>();
  CLI::App* status = app.add_subcommand(
      "status", "Show every node of the cluster; exit code 5 unless all are ready");
  status->add_flag("--watch", options->watch, "Again and again, until Ctrl-C.");
  status->add_option("--interval", options->interval, "With --watch: how often.")
      ->capture_default_str();
  status->add_option("--count", options->count, "With --watch: end after so many times.");
  on(run, status, [&run, options] { return show(run, *options); });
}

}  // namespace mainstay::tool
