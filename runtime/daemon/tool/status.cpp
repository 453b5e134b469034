// status: every node of the cluster on one screen. Asks the given endpoints, then the members they
// name.
#include <algorithm>
#include <chrono>
#include <map>
#include <ostream>
#include <thread>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "runtime/daemon/tool/commands.hpp"

namespace mainstay::tool {

namespace json = boost::json;

namespace {

constexpr Millis wait_max{2000};

// What is known of one node.
struct NodeStatus {
  std::uint64_t id = 0;  // 0: an endpoint that did not say
  std::string address;
  std::string role = "-";            // as a member: voter, learner
  std::optional<json::object> view;  // its /v1/cluster
  bool ready = false;
  std::vector<std::string> failing;  // names of the checks that fail
  std::string problem;               // why there is no view
};

struct ClusterStatus {
  std::vector<NodeStatus> nodes;  // by id
  const json::object* newest =
      nullptr;  // the view with the highest term that knows a leader, else any

  std::size_t ready() const {
    return static_cast<std::size_t>(std::count_if(
        nodes.begin(), nodes.end(), [](const NodeStatus& node) { return node.ready; }));
  }
  bool whole() const { return !nodes.empty() && ready() == nodes.size(); }
};

std::uint64_t number(const json::object& object, json::string_view name) {
  const json::value* value = object.if_contains(name);
  json::error_code error;
  const auto result =
      value != nullptr && value->is_number() ? value->to_number<std::uint64_t>(error) : 0;
  return error ? 0 : result;
}

std::string text(const json::object& object, json::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string{std::string_view{value->as_string()}}
                                                : std::string{};
}

bool flag(const json::object& object, json::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->as_bool();
}

std::optional<json::object> object_of(const std::string& body) {
  json::error_code error;
  json::value value = json::parse(body, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

const json::array& array_of(const json::object& object, json::string_view name) {
  static const json::array none;
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_array() ? value->as_array() : none;
}

void read_readiness(NodeStatus& node, const http::Reply& reply) {
  node.ready = reply.status == 200;
  const auto body = object_of(reply.body);
  if (!body) return;
  for (const json::value& check : array_of(*body, "checks"))
    if (check.is_object() && !flag(check.as_object(), "ok"))
      node.failing.push_back(text(check.as_object(), "name"));
}

// Asks each endpoint for its view and its readiness, all at once.
std::vector<NodeStatus> ask(Session& session, const std::vector<config::Endpoint>& endpoints,
                            Millis wait) {
  std::vector<std::pair<config::Endpoint, std::string>> targets;
  for (const config::Endpoint& endpoint : endpoints) {
    targets.emplace_back(endpoint, "/v1/cluster");
    targets.emplace_back(endpoint, "/readyz");
  }
  const auto replies = session.ask_each(targets, wait);
  std::vector<NodeStatus> nodes;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    NodeStatus node;
    node.address = to_string(endpoints[i]);
    const auto& view = replies[2 * i];
    if (!view)
      node.problem = view.error().message;
    else if (view->status != 200)
      node.problem = problem_of(*view).message;
    else
      node.view = object_of(view->body);
    if (node.view) node.id = number(*node.view, "node");
    if (replies[2 * i + 1]) read_readiness(node, *replies[2 * i + 1]);
    nodes.push_back(std::move(node));
  }
  return nodes;
}

const json::object* newest_view(const std::vector<NodeStatus>& nodes) {
  const json::object* newest = nullptr;
  const auto rank = [](const json::object& view) {
    return std::pair{number(view, "leader") != 0, number(view, "term")};
  };
  for (const NodeStatus& node : nodes)
    if (node.view && (newest == nullptr || rank(*node.view) > rank(*newest))) newest = &*node.view;
  return newest;
}

// The members of the newest view, with what each said of itself; endpoints of nobody at the end.
ClusterStatus look(Session& session, Millis wait) {
  std::vector<NodeStatus> asked = ask(session, session.endpoints(), wait);
  std::map<std::uint64_t, NodeStatus> by_id;
  std::vector<NodeStatus> strangers;
  std::vector<config::Endpoint> more;
  const json::object* first = newest_view(asked);
  if (first != nullptr) {
    for (const json::value& entry : array_of(*first, "members")) {
      if (!entry.is_object()) continue;
      NodeStatus& node = by_id[number(entry.as_object(), "id")];
      node.id = number(entry.as_object(), "id");
      node.role = text(entry.as_object(), "role");
      node.address = text(entry.as_object(), "api_address");
      const bool known = std::any_of(asked.begin(), asked.end(), [&](const NodeStatus& other) {
        return other.id == node.id || (other.id == 0 && other.address == node.address);
      });
      auto endpoint = config::parse_endpoint(node.address);
      if (!known && endpoint) more.push_back(*endpoint);
    }
  }
  for (NodeStatus& node : ask(session, more, wait)) asked.push_back(std::move(node));
  for (NodeStatus& node : asked) {
    auto at = std::find_if(by_id.begin(), by_id.end(), [&](const auto& member) {
      return node.id != 0 ? member.first == node.id : member.second.address == node.address;
    });
    if (at == by_id.end()) {
      strangers.push_back(std::move(node));
      continue;
    }
    if (at->second.view) continue;  // two endpoints of one node
    node.role = at->second.role;
    node.id = at->second.id;
    at->second = std::move(node);
  }
  ClusterStatus status;
  for (auto& [id, node] : by_id) status.nodes.push_back(std::move(node));
  for (NodeStatus& node : strangers) status.nodes.push_back(std::move(node));
  status.newest = newest_view(status.nodes);
  return status;
}

std::string state_of(const NodeStatus& node) {
  if (!node.view) return "unreachable";
  if (flag(*node.view, "quarantined")) return "quarantined";
  if (flag(*node.view, "draining")) return "draining";
  if (node.ready) return "ready";
  std::string checks;
  for (const std::string& name : node.failing) checks += (checks.empty() ? "" : ",") + name;
  return checks.empty() ? "not ready" : "not ready: " + checks;
}

std::string size_text(std::uint64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1ULL << 30));
}

using Row = std::vector<std::string>;

Row row_of(const NodeStatus& node, std::uint64_t commit) {
  const std::string id = node.id == 0 ? "?" : std::to_string(node.id);
  if (!node.view) return {id, node.role, state_of(node), node.address, "-", "-", "-", "-"};
  const json::object& view = *node.view;
  const std::uint64_t applied = number(view, "applied");
  return {id,
          text(view, "role"),
          state_of(node),
          node.address,
          std::to_string(applied),
          std::to_string(commit - std::min(commit, applied)),
          flag(view, "hashes_agree") ? "agree" : "DIFFER",
          size_text(number(view, "disk_free_bytes")) + (flag(view, "disk_low") ? " LOW" : "")};
}

std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string result;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + "\n";
  }
  return result;
}

std::string screen(const ClusterStatus& status) {
  std::string result;
  std::uint64_t commit = 0;
  for (const NodeStatus& node : status.nodes)
    if (node.view) commit = std::max(commit, number(*node.view, "commit"));
  if (status.newest != nullptr) {
    const json::object& view = *status.newest;
    const std::uint64_t leader = number(view, "leader");
    result = fmt::format("cluster {}: {}, term {}, revision {}, {} of {} nodes ready\n\n",
                         flag(view, "formed") ? text(view, "cluster") : "(not formed yet)",
                         leader == 0 ? "NO LEADER" : "leader node " + std::to_string(leader),
                         number(view, "term"), number(view, "revision"), status.ready(),
                         status.nodes.size());
  }
  std::vector<Row> rows{
      {"NODE", "ROLE", "STATE", "API", "APPLIED", "BEHIND", "HASHES", "DISK FREE"}};
  for (const NodeStatus& node : status.nodes) rows.push_back(row_of(node, commit));
  result += table(rows);
  for (const NodeStatus& node : status.nodes)
    if (!node.problem.empty()) result += "\n" + node.problem;
  return result + (result.back() == '\n' ? "" : "\n");
}

std::string document(const ClusterStatus& status) {
  json::array nodes;
  for (const NodeStatus& node : status.nodes) {
    json::object object{
        {"address", node.address}, {"state", state_of(node)}, {"ready", node.ready}};
    if (node.id != 0) object["id"] = node.id;
    if (node.view) object["view"] = *node.view;
    if (!node.problem.empty()) object["problem"] = node.problem;
    nodes.push_back(std::move(object));
  }
  const std::uint64_t leader = status.newest == nullptr ? 0 : number(*status.newest, "leader");
  json::object object{{"ready", status.whole()}, {"nodes", std::move(nodes)}};
  object["leader"] = leader == 0 ? json::value(nullptr) : json::value(leader);
  return json::serialize(object) + "\n";
}

struct StatusOptions {
  bool watch = false;
  std::uint64_t count = 0;
  std::string interval = "1s";
};

Result<int> show(Run& run, const StatusOptions& options) {
  TRY_ASSIGN(const Millis deadline, config::parse_duration(run.deadline_text));
  TRY_ASSIGN(const Millis interval, config::parse_duration(options.interval));
  for (std::uint64_t shown = 1;; ++shown) {
    const ClusterStatus status = look(*run.session, std::min(deadline, wait_max));
    if (options.watch && run.world.terminal) run.world.out << "\x1b[H\x1b[2J";
    run.world.out << (run.json ? document(status) : screen(status)) << std::flush;
    if (!options.watch || shown == options.count)
      return status.whole() ? 0 : exit_code_of(Errc::not_ready);
    std::this_thread::sleep_for(interval);
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
  status->callback(
      [&run, options] { run.action = [&run, options] { return show(run, *options); }; });
}

}  // namespace mainstay::tool
