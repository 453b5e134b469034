#include "runtime/daemon/tool/doctor/collect_nodes.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace mainstay::tool::doctor {

namespace {

MemberSeen member_of(const json::Value& member) {
  MemberSeen seen;
  seen.id = number_at(member, "id");
  seen.incarnation = text_at(member, "incarnation");
  seen.voter = text_at(member, "role") != "learner";
  seen.peer_address = text_at(member, "peer_address");
  seen.api_address = text_at(member, "api_address");
  seen.connected = flag_at(member, "connected", true);
  seen.match = number_at(member, "match");
  seen.release = text_at(member, "release");
  seen.clock_offset_ms = signed_at(member, "clock_offset_ms");
  return seen;
}

void read_node(const json::Value& cluster, NodeView& view) {
  view.disk_free = number_at(cluster, "disk_free_bytes");
  view.disk_total = number_at(cluster, "disk_total_bytes");
  view.disk_low = flag_at(cluster, "disk_low");
  view.release = text_at(cluster, "release");
  view.fsync_ms = real_at(cluster, "fsync_ms");
  view.apply_lag = number_at(cluster, "apply_lag");
  view.queue_depth = number_at(cluster, "queue_depth");
  view.peer_certificate_expires = time_at(cluster, "peer_certificate_expires");
  view.api_certificate_expires = time_at(cluster, "api_certificate_expires");
  for (const json::Value& actor : items_at(cluster, "actors"))
    view.actors.push_back({text_at(actor, "name"), text_at(actor, "state"),
                           number_at(actor, "restarts"), text_at(actor, "last_end")});
}

const NodeStatus* same_node(const Look& look, const NodeStatus& node) {
  const auto at = std::find_if(look.nodes.begin(), look.nodes.end(), [&](const NodeStatus& other) {
    return node.id != 0 ? other.id == node.id : other.address == node.address;
  });
  return at == look.nodes.end() ? nullptr : &*at;
}

}  // namespace

NodeView view_of(const json::Value& cluster) {
  NodeView view;
  view.cluster = text_at(cluster, "cluster");
  view.formed = flag_at(cluster, "formed");
  view.node = number_at(cluster, "node");
  view.incarnation = text_at(cluster, "incarnation");
  view.role = text_at(cluster, "role");
  view.leader = number_at(cluster, "leader");
  view.term = number_at(cluster, "term");
  view.commit = number_at(cluster, "commit");
  view.applied = number_at(cluster, "applied");
  view.hashes_agree = flag_at(cluster, "hashes_agree", true);
  view.quarantined = flag_at(cluster, "quarantined");
  view.draining = flag_at(cluster, "draining");
  for (const json::Value& member : items_at(cluster, "members"))
    view.members.push_back(member_of(member));
  read_node(cluster, view);
  return view;
}

Metrics parse_metrics(const std::string& text) {
  Metrics metrics;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = line.rfind(' ');
    if (line.empty() || line[0] == '#' || space == std::string::npos) continue;
    metrics[line.substr(0, space)] = std::strtod(line.c_str() + space, nullptr);
  }
  return metrics;
}

std::vector<NodeSeen> nodes_seen(const Look& before, const Look& after) {
  std::vector<NodeSeen> nodes;
  for (const NodeStatus& node : after.nodes) {
    NodeSeen seen;
    seen.address = node.address;
    seen.id = node.id;
    seen.problem = node.problem;
    seen.ready = node.ready;
    for (const CheckStatus& check : node.checks)
      seen.checks.push_back({check.name, check.ok, check.detail});
    if (node.view) seen.view = view_of(*node.view);
    seen.metrics = parse_metrics(node.metrics);
    if (const NodeStatus* earlier = same_node(before, node)) {
      if (earlier->view) seen.before = view_of(*earlier->view);
      seen.metrics_before = parse_metrics(earlier->metrics);
    }
    nodes.push_back(std::move(seen));
  }
  return nodes;
}

CollectionSeen collection_of(const json::Value& collection) {
  CollectionSeen seen{text_at(collection, "name"), {}};
  for (const json::Value& index : items_at(collection, "indexes"))
    if (!flag_at(index, "ready")) seen.unready_indexes.push_back(text_at(index, "name"));
  return seen;
}

AdapterSeen adapter_of(const json::Value& adapter) {
  AdapterSeen seen;
  seen.name = text_at(adapter, "adapter");
  seen.node = number_at(adapter, "node");
  seen.paused = flag_at(adapter, "paused");
  for (const json::Value& candidate : items_at(adapter, "candidates"))
    seen.hash_of[number_at(candidate, "node")] = text_at(candidate, "hash");
  for (const char* side : {"in", "out"})
    if (const json::Value* counts = adapter.find(side)) seen.parked += number_at(*counts, "parked");
  if (const json::Value* out = adapter.find("out")) {
    seen.pending = number_at(*out, "pending");
    seen.oldest_pending = time_at(*out, "oldest_pending");
  }
  for (const json::Value& path : items_at(adapter, "paths"))
    seen.paths.push_back({text_at(path, "path"), number_at(path, "age_ms"),
                          number_at(path, "every_ms"), flag_at(path, "overdue"),
                          text_at(path, "breaker") == "open", text_at(path, "trouble")});
  return seen;
}

ReconciliationSeen reconciliation_of(const json::Value& reconciliation) {
  ReconciliationSeen seen;
  seen.name = text_at(reconciliation, "name");
  seen.passed = flag_at(reconciliation, "passed");
  seen.open = number_at(reconciliation, "open");
  seen.last_run = time_at(reconciliation, "last_run");
  seen.every_ms = number_at(reconciliation, "every_ms");
  seen.detail = text_at(reconciliation, "detail");
  return seen;
}

}  // namespace mainstay::tool::doctor
