// What concerns the integration hub: adapters, what they carry, and whether both sides agree.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "runtime/daemon/tool/doctor/findings.hpp"

namespace mainstay::tool::doctor {

namespace {

// An effect that waits longer than this is not just busy.
constexpr std::int64_t effect_seconds_max = 600;
// A reconciliation that missed so many of its times does not run.
constexpr std::uint64_t runs_missed_max = 3;

std::int64_t seconds_since(const Evidence& evidence, std::int64_t unix_seconds) {
  return std::chrono::duration_cast<std::chrono::seconds>(evidence.now.time_since_epoch()).count() -
         unix_seconds;
}

std::string subject_of(const AdapterSeen& adapter) {
  return "adapter " + adapter.name;
}

bool node_is_up(const Evidence& evidence, std::uint64_t id) {
  const NodeView* view = newest_view(evidence);
  if (view == nullptr) return true;
  return std::any_of(view->members.begin(), view->members.end(), [&](const MemberSeen& member) {
    return member.id == id && is_up(evidence, member);
  });
}

void adapter_without_node(const Evidence& evidence, Found& found) {
  for (const AdapterSeen& adapter : evidence.adapters) {
    if (adapter.node != 0 && node_is_up(evidence, adapter.node)) continue;
    std::string nodes;
    for (const auto& [node, hash] : adapter.hash_of)
      nodes += (nodes.empty() ? "" : ", ") + std::to_string(node);
    found.add(subject_of(adapter),
              adapter.node == 0 ? std::string{"it runs nowhere"}
                                : fmt::format("it ran on node {}, which is down", adapter.node),
              fmt::format("start one of the nodes that have its definition ({}), or put it into "
                          "adapters.directory of another and restart that",
                          nodes));
  }
}

void definitions_differ(const Evidence& evidence, Found& found) {
  for (const AdapterSeen& adapter : evidence.adapters) {
    std::map<std::string, std::string> nodes_of;
    for (const auto& [node, hash] : adapter.hash_of) {
      std::string& nodes = nodes_of[hash];
      nodes += (nodes.empty() ? "" : ", ") + std::to_string(node);
    }
    if (nodes_of.size() < 2) continue;
    std::string text;
    for (const auto& [hash, nodes] : nodes_of)
      text += fmt::format("{}nodes {} have {}", text.empty() ? "" : "; ", nodes, hash);
    found.add(subject_of(adapter), text,
              "copy its definition and mappings to every node, then restart one after the other");
  }
}

void dead_letters(const Evidence& evidence, Found& found) {
  for (const AdapterSeen& adapter : evidence.adapters)
    if (adapter.parked > 0)
      found.add(subject_of(adapter), fmt::format("{} dead letters wait", adapter.parked),
                "mainstay flow dead-letters " + adapter.name);
}

void lane_stuck(const Evidence& evidence, Found& found) {
  for (const AdapterSeen& adapter : evidence.adapters) {
    if (adapter.paused || adapter.oldest_pending == 0) continue;
    const std::int64_t age = seconds_since(evidence, adapter.oldest_pending);
    if (age <= effect_seconds_max) continue;
    found.add(subject_of(adapter),
              fmt::format("{} effects wait, the oldest for {} s", adapter.pending, age),
              "look at the counterpart; mainstay flow status " + adapter.name);
  }
}

std::string because(const std::string& trouble) {
  return trouble.empty() ? "" : ": " + trouble;
}

void heartbeat_overdue(const Evidence& evidence, Found& found) {
  for (const AdapterSeen& adapter : evidence.adapters)
    for (const PathSeen& path : adapter.paths)
      if (path.overdue && !adapter.paused)
        found.add(
            subject_of(adapter),
            fmt::format("{}: the newest heartbeat that came through is {} s old, one should "
                        "come every {} s{}",
                        path.name, path.age_ms / 1000, path.every_ms / 1000, because(path.trouble)),
            "look at the counterpart and at the log of the node that runs it; mainstay flow "
            "status " +
                adapter.name);
}

void counterpart_left_alone(const Evidence& evidence, Found& found) {
  for (const AdapterSeen& adapter : evidence.adapters)
    for (const PathSeen& path : adapter.paths)
      if (path.left_alone && !adapter.paused)
        found.add(
            subject_of(adapter),
            fmt::format("{}: too many calls failed in a row{}", path.name, because(path.trouble)),
            "mend the counterpart, it is tried again all the time; mainstay flow status " +
                adapter.name);
}

void adapter_paused(const Evidence& evidence, Found& found) {
  for (const AdapterSeen& adapter : evidence.adapters)
    if (adapter.paused)
      found.add(subject_of(adapter), "somebody paused it", "mainstay flow resume " + adapter.name);
}

void counterpart_differs(const Evidence& evidence, Found& found) {
  for (const AdapterSeen& adapter : evidence.adapters)
    for (const ReconciliationSeen& seen : adapter.reconciliations)
      if (seen.open > 0)
        found.add(subject_of(adapter),
                  fmt::format("{}: {} differences that nothing explains", seen.name, seen.open),
                  fmt::format("mainstay flow discrepancies {0} --name {1}; then mainstay flow "
                              "reconcile {0} --name {1} --repair --plan",
                              adapter.name, seen.name));
}

void reconciliation_old(const Evidence& evidence, Found& found) {
  for (const AdapterSeen& adapter : evidence.adapters)
    for (const ReconciliationSeen& seen : adapter.reconciliations) {
      if (adapter.paused || seen.every_ms == 0) continue;
      const std::int64_t age = seconds_since(evidence, seen.last_run);
      const auto allowed = static_cast<std::int64_t>(runs_missed_max * seen.every_ms / 1000) + 60;
      if (seen.last_run != 0 && age <= allowed && seen.detail.empty()) continue;
      const std::string why = seen.detail.empty() ? "" : ": " + seen.detail;
      found.add(subject_of(adapter),
                seen.last_run == 0 ? seen.name + " has never run" + why
                                   : fmt::format("{} ran {} s ago and should every {} s{}",
                                                 seen.name, age, seen.every_ms / 1000, why),
                "mainstay flow reconcile " + adapter.name + " --name " + seen.name);
    }
}

constexpr std::array table{
    Condition{"adapter-without-node", Severity::critical,
              "no node that is up runs an adapter of the integration hub",
              "nothing comes in from its counterpart and nothing goes out", adapter_without_node},
    Condition{"dead-letters", Severity::warning, "messages or effects are parked",
              "they wait for somebody, and so does what follows them in their subject",
              dead_letters},
    Condition{"lane-stuck", Severity::warning,
              "an effect has not been carried out for more than ten minutes",
              "the counterpart does not know what it should", lane_stuck},
    Condition{"heartbeat-overdue", Severity::warning,
              "no heartbeat has come through a path of an adapter for three of its periods",
              "what is on this path does not arrive, though everything seems to run",
              heartbeat_overdue},
    Condition{"counterpart-left-alone", Severity::warning,
              "a lane does not call its counterpart for a while, because calls failed",
              "its effects wait until the counterpart answers again", counterpart_left_alone},
    Condition{"definitions-differ", Severity::warning,
              "the nodes have different definitions of an adapter",
              "it behaves otherwise when another node takes it over", definitions_differ},
    Condition{"counterpart-differs", Severity::warning,
              "the records and a counterpart differ, and nothing under way explains it",
              "one of the two is wrong", counterpart_differs},
    Condition{"reconciliation-old", Severity::warning,
              "a comparison with a counterpart does not take place", "differences go unseen",
              reconciliation_old},
    Condition{"adapter-paused", Severity::note, "an adapter is paused",
              "what waits goes on waiting", adapter_paused},
};

}  // namespace

std::span<const Condition> flow_conditions() {
  return table;
}

}  // namespace mainstay::tool::doctor
