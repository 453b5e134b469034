// doctor: finds out what is wrong, how it is known, what it risks, and what mends it.
#include <algorithm>
#include <ostream>

#include "runtime/daemon/tool/commands.hpp"
#include "runtime/daemon/tool/doctor/collect_host.hpp"
#include "runtime/daemon/tool/doctor/collect_nodes.hpp"
#include "runtime/daemon/tool/doctor/findings.hpp"
#include "runtime/daemon/tool/doctor/processes.hpp"
#include "runtime/daemon/tool/look.hpp"
#include "runtime/http/target.hpp"

namespace mainstay::tool {

namespace {

constexpr Millis wait_max{2000};

struct DoctorOptions {
  std::vector<std::string> configurations, directories;
  std::string interval = "2s";
  bool offline = false, list = false;
};

void look_online(Session& session, const Run& run, Millis interval, doctor::Evidence& evidence) {
  const Look before = look(session, wait_max, true);
  run.world.pause(interval);
  evidence.nodes = doctor::nodes_seen(before, look(session, wait_max, true));
}

// A cluster that does not answer is judged by its nodes; then there is nothing to add here.
void look_at_collections(Run& run, doctor::Evidence& evidence) {
  if (doctor::newest_view(evidence) == nullptr) return;
  auto reply = run.get("/v1/collections?limit=1000&level=local");
  if (!reply) return;
  for (const json::Value& collection : items_at(*reply, "collections"))
    evidence.collections.push_back(doctor::collection_of(collection));
}

// The same of the integration hub; a token that may not see it sees none.
void look_at_adapters(Run& run, doctor::Evidence& evidence) {
  if (doctor::newest_view(evidence) == nullptr) return;
  auto reply = run.get("/v1/adapters?limit=1000&level=local");
  if (!reply) return;
  for (const json::Value& adapter : items_at(*reply, "adapters")) {
    doctor::AdapterSeen& seen = evidence.adapters.emplace_back(doctor::adapter_of(adapter));
    auto list = run.get("/v1/adapters/" + http::percent_encode(seen.name) +
                        "/reconciliations?limit=1000&level=local");
    if (!list) continue;
    for (const json::Value& one : items_at(*list, "reconciliations"))
      seen.reconciliations.push_back(doctor::reconciliation_of(one));
  }
}

// Which node answers at the API address of a configuration: asked for when it is of this context,
// else whoever takes connections there counts as that node.
std::uint64_t who_answers(const doctor::Evidence& evidence, const config::Config& config) {
  const std::string address = config.api_address();
  for (const doctor::NodeSeen& node : evidence.nodes)
    if (node.address == address || node.address == config.api_listen)
      return node.view ? node.view->node : 0;
  auto endpoint = config::parse_endpoint(config.api_listen);
  if (!endpoint) return 0;
  if (endpoint->host == "0.0.0.0") endpoint->host = "127.0.0.1";
  if (endpoint->host == "::") endpoint->host = "::1";
  return doctor::takes_connections(*endpoint) ? config.node_id : 0;
}

void look_at_hosts(const DoctorOptions& options, doctor::Evidence& evidence) {
  for (const std::string& file : options.configurations)
    evidence.hosts.push_back(doctor::look_at_host(file));
  for (const std::string& directory : options.directories)
    evidence.hosts.push_back(doctor::look_at_data(directory));
  for (doctor::HostSeen& host : evidence.hosts)
    if (host.config && host.directory && host.directory->locked)
      host.answers = who_answers(evidence, *host.config);
}

json::Value document_of(const std::vector<doctor::Finding>& findings,
                        const doctor::Evidence& evidence, bool healthy) {
  json::Array items;
  for (const doctor::Finding& finding : findings)
    items.push_back(json::Value::object({{"condition", text(finding.condition->name)},
                                         {"severity", text(to_string(finding.condition->severity))},
                                         {"subject", text(finding.subject)},
                                         {"evidence", text(finding.evidence)},
                                         {"risk", text(finding.condition->risk)},
                                         {"mend", text(finding.mend)}}));
  return json::Value::object({{"healthy", json::Value::boolean(healthy)},
                              {"nodes", number(std::uint64_t{evidence.nodes.size()})},
                              {"hosts", number(std::uint64_t{evidence.hosts.size()})},
                              {"findings", json::Value::array(std::move(items))}});
}

void print_findings(std::ostream& out, const std::vector<doctor::Finding>& findings) {
  for (const doctor::Finding& finding : findings)
    out << to_string(finding.condition->severity) << ": " << finding.condition->name << ": "
        << finding.subject << "\n  evidence: " << finding.evidence
        << "\n  risk:     " << finding.condition->risk << "\n  mend:     " << finding.mend << "\n";
}

Result<int> examine(Run& run, const DoctorOptions& options) {
  if (options.list) {
    run.world.out << doctor::conditions_document();
    return 0;
  }
  TRY_ASSIGN(const Millis interval, config::parse_duration(options.interval));
  doctor::Evidence evidence;
  evidence.now = run.world.clock.wall();
  if (!options.offline) {
    TRY_ASSIGN(Session * session, run.session());
    look_online(*session, run, interval, evidence);
    look_at_collections(run, evidence);
    look_at_adapters(run, evidence);
  }
  look_at_hosts(options, evidence);
  const auto findings = doctor::examine(evidence);
  const bool healthy =
      std::all_of(findings.begin(), findings.end(), [](const doctor::Finding& finding) {
        return finding.condition->severity == doctor::Severity::note;
      });
  if (run.json)
    run.world.out << json::to_text(document_of(findings, evidence, healthy)) << "\n";
  else
    print_findings(run.world.out, findings);
  return healthy ? 0 : 1;
}

}  // namespace

void add_doctor_command(CLI::App& app, Run& run) {
  const auto options = std::make_shared<DoctorOptions>();
  CLI::App* command = app.add_subcommand(
      "doctor",
      "Find out what is wrong: evidence, risk and the command that mends it; silent, with exit "
      "code 0, when nothing is, else exit code 1");
  command
      ->add_option("--config", options->configurations,
                   "Also look at this host by a node's configuration file, files and data "
                   "directory, whether the node runs or not; may be repeated.")
      ->allow_extra_args(false);
  command
      ->add_option("--data", options->directories,
                   "Also look at this data directory; may be repeated.")
      ->allow_extra_args(false);
  command->add_flag("--offline", options->offline, "Ask no node; only --config and --data.");
  command->add_option("--interval", options->interval, "Time between the two looks at each node.")
      ->capture_default_str();
  command->add_flag("--list", options->list, "Print every condition there is, and end.");
  on(run, command, [&run, options] { return examine(run, *options); });
}

}  // namespace mainstay::tool
