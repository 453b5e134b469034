// What concerns the cluster as a whole: quorum, leader, membership, agreement.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "runtime/config/values.hpp"
#include "runtime/daemon/tool/doctor/findings.hpp"

namespace mainstay::tool::doctor {

namespace {

// An election counts as two or three changes: nobody, perhaps a candidate that fails, the new
// leader.
constexpr double flapping_growth_min = 6;
constexpr double flapping_changes_min = 12;
constexpr double flapping_per_hour = 24;

std::string node_name(std::uint64_t id) {
  return "node " + std::to_string(id);
}

std::string host_of(const std::string& address) {
  const auto endpoint = config::parse_endpoint(address);
  return endpoint ? endpoint->host : address;
}

std::string down_list(const Evidence& evidence, const NodeView& view) {
  std::string list;
  for (const MemberSeen& member : view.members)
    if (member.voter && !is_up(evidence, member))
      list +=
          fmt::format("{}node {} ({})", list.empty() ? "" : ", ", member.id, member.api_address);
  return list;
}

std::string start_command(const Evidence& evidence, const NodeView& view) {
  for (const MemberSeen& member : view.members)
    if (member.voter && !is_up(evidence, member))
      return fmt::format("ssh {} systemctl restart mainstayd   # node {}",
                         host_of(member.peer_address), member.id);
  return "mainstay status";
}

void nobody_answers(const Evidence& evidence, Found& found) {
  if (evidence.nodes.empty() || newest_view(evidence) != nullptr) return;
  std::string why;
  for (const NodeSeen& node : evidence.nodes) why += (why.empty() ? "" : "; ") + node.problem;
  found.add("cluster", why,
            "on each host: mainstay doctor --config /etc/mainstay/mainstayd.toml; "
            "systemctl restart mainstayd");
}

bool has_quorum(const Evidence& evidence, const NodeView& view) {
  return voters_up(evidence, view) >= voters_of(view) / 2 + 1;
}

void no_quorum(const Evidence& evidence, Found& found) {
  const NodeView* view = newest_view(evidence);
  if (view == nullptr || voters_of(*view) == 0 || has_quorum(evidence, *view)) return;
  found.add(
      "cluster",
      fmt::format("{} of {} voters are up, {} are needed; down: {}", voters_up(evidence, *view),
                  voters_of(*view), voters_of(*view) / 2 + 1, down_list(evidence, *view)),
      start_command(evidence, *view));
}

void one_failure_away(const Evidence& evidence, Found& found) {
  const NodeView* view = newest_view(evidence);
  if (view == nullptr || voters_of(*view) < 2) return;
  const std::size_t up = voters_up(evidence, *view);
  if (up != voters_of(*view) / 2 + 1) return;
  const std::string down = down_list(evidence, *view);
  found.add("cluster",
            fmt::format("{} of {} voters are up and {} are needed{}", up, voters_of(*view), up,
                        down.empty() ? "" : "; down: " + down),
            down.empty() ? "mainstay member add ID PEER-ADDRESS API-ADDRESS"
                         : start_command(evidence, *view));
}

void no_leader(const Evidence& evidence, Found& found) {
  const NodeView* view = newest_view(evidence);
  if (view == nullptr || !view->formed || view->leader != 0 || !has_quorum(evidence, *view)) return;
  found.add("cluster",
            fmt::format("no node that answers knows a leader (term {}), although {} of {} voters "
                        "are up",
                        view->term, voters_up(evidence, *view), voters_of(*view)),
            "mainstay status --watch; then check that the nodes reach each other at their peer "
            "addresses: mainstay member list");
}

void leader_flapping(const Evidence& evidence, Found& found) {
  constexpr const char* changes = "mainstay_leader_changes_total";
  for (const NodeSeen& node : evidence.nodes) {
    const double all = sample(node.metrics, changes);
    const double hours = sample(node.metrics, "mainstay_uptime_seconds") / 3600;
    const bool often = all >= flapping_changes_min && hours > 0 && all / hours > flapping_per_hour;
    if (growth(node, changes) < flapping_growth_min && !often) continue;
    found.add("cluster",
              fmt::format("{} saw {} changes of leader in {:.1f} h, {} while doctor looked",
                          node_name(node.id), all, hours, growth(node, changes)),
              "compare mainstay_log_write_seconds and mainstay_tick_lateness_seconds of the nodes; "
              "raise raft.election_min and raft.election_max if the network is slow");
    return;  // all nodes see the same changes
  }
}

void not_formed(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes)
    if (node.view && !node.view->formed)
      found.add(node_name(node.view->node), "it waits for the cluster to form",
                "start every node of its cluster.peers, with empty data directories; it forms when "
                "all are up");
}

void wrong_cluster(const Evidence& evidence, Found& found) {
  const NodeView* newest = newest_view(evidence);
  if (newest == nullptr || !newest->formed) return;
  for (const NodeSeen& node : evidence.nodes) {
    if (node.view && node.view->formed && node.view->cluster != newest->cluster)
      found.add(
          node_name(node.view->node) + " at " + node.address,
          "it belongs to cluster " + node.view->cluster + ", the others to " + newest->cluster,
          "take " + node.address +
              " out of the endpoints, or start that node with an empty "
              "data directory and this cluster's peers");
    const double refused = growth(node, "mainstay_links_refused_total{reason=\"wrong_cluster\"}");
    if (refused > 0)
      found.add(node_name(node.id),
                fmt::format("it refused {} connections of nodes of another cluster while doctor "
                            "looked",
                            refused),
                "journalctl -u mainstayd | grep refused   # names the address");
  }
}

void not_a_member(const Evidence& evidence, Found& found) {
  const NodeView* newest = newest_view(evidence);
  if (newest == nullptr || !newest->formed) return;
  for (const NodeSeen& node : evidence.nodes) {
    if (!node.view || !node.view->formed || node.view->cluster != newest->cluster) continue;
    const bool member =
        std::any_of(newest->members.begin(), newest->members.end(), [&](const MemberSeen& other) {
          return other.id == node.view->node &&
                 (other.incarnation.empty() || other.incarnation == node.view->incarnation);
        });
    if (!member)
      found.add(node_name(node.view->node),
                "it runs at " + node.address + " with incarnation " + node.view->incarnation +
                    ", which is not in the membership",
                fmt::format("mainstay member add {} PEER-ADDRESS {} --incarnation {}, or stop it",
                            node.view->node, node.address, node.view->incarnation));
  }
}

void unreachable_node(const Evidence& evidence, Found& found) {
  const NodeView* newest = newest_view(evidence);
  if (newest == nullptr) return;  // nobody-answers says it
  for (const NodeSeen& node : evidence.nodes) {
    if (node.view) continue;
    const auto member =
        std::find_if(newest->members.begin(), newest->members.end(),
                     [&](const MemberSeen& other) { return node.id != 0 && other.id == node.id; });
    const bool known = member != newest->members.end();
    const bool linked = known && is_up(evidence, *member);
    found.add(known ? node_name(node.id) : node.address,
              node.problem + (linked  ? "; the leader reaches it"
                              : known ? "; nothing goes from the leader to it either"
                                      : ""),
              fmt::format("ssh {} systemctl restart mainstayd", host_of(node.address)));
  }
}

void stuck_peer(const Evidence& evidence, Found& found) {
  const NodeView* leader = leader_view(evidence);
  if (leader == nullptr) return;
  for (const MemberSeen& member : leader->members) {
    if (!member.voter || member.id == leader->node) continue;
    const NodeSeen* node = find_node(evidence, member.id);
    const bool answers = node != nullptr && node->view;
    if (!member.connected && answers)
      found.add(
          node_name(member.id),
          fmt::format("it answers here, but leader node {} has no link to {}", leader->node,
                      member.peer_address),
          fmt::format("ssh {} nc -vz {}   # firewall, address, certificates",
                      host_of(find_node(evidence, leader->node)->address), member.peer_address));
    else if (member.connected && answers && stands_still(evidence, *leader, member))
      found.add(node_name(member.id),
                fmt::format("it is {} entries behind the leader and took none while doctor looked",
                            behind(*leader, member)),
                fmt::format("ssh {} systemctl restart mainstayd", host_of(member.peer_address)));
  }
}

void learner_stuck(const Evidence& evidence, Found& found) {
  const NodeView* leader = leader_view(evidence);
  if (leader == nullptr) return;
  for (const MemberSeen& member : leader->members) {
    if (member.voter) continue;
    if (!member.connected)
      found.add(node_name(member.id),
                "it is a learner, and the leader has no link to " + member.peer_address,
                fmt::format("start node {}, or: mainstay member remove {}", member.id, member.id));
    else if (stands_still(evidence, *leader, member))
      found.add(
          node_name(member.id),
          fmt::format("it is a learner, {} entries behind, and took none while doctor looked",
                      behind(*leader, member)),
          fmt::format("look at the disk and the log of node {}, or: mainstay member remove {}",
                      member.id, member.id));
  }
}

void even_voters(const Evidence& evidence, Found& found) {
  const NodeView* view = newest_view(evidence);
  if (view == nullptr || voters_of(*view) == 0 || voters_of(*view) % 2 != 0) return;
  found.add(
      "cluster",
      fmt::format("{} voters: no more may fail than of {}", voters_of(*view), voters_of(*view) - 1),
      "mainstay member add ID PEER-ADDRESS API-ADDRESS, or mainstay member remove ID");
}

void single_voter(const Evidence& evidence, Found& found) {
  const NodeView* view = newest_view(evidence);
  if (view == nullptr || !view->formed || voters_of(*view) != 1) return;
  found.add("cluster", "one voter", "mainstay member add ID PEER-ADDRESS API-ADDRESS, twice");
}

void shared_host(const Evidence& evidence, Found& found) {
  const NodeView* view = newest_view(evidence);
  if (view == nullptr) return;
  std::map<std::string, std::vector<std::uint64_t>> by_host;
  for (const MemberSeen& member : view->members) {
    const std::string host = host_of(member.peer_address);
    // A cluster on loopback is for trying out; nobody takes it for one that survives a host.
    if (member.voter && !is_loopback(host)) by_host[host].push_back(member.id);
  }
  for (const auto& [host, ids] : by_host) {
    if (ids.size() < 2) continue;
    found.add("cluster", fmt::format("nodes {} and {} are both on {}", ids[0], ids[1], host),
              fmt::format("mainstay member remove {}, and add it on a host of its own", ids[1]));
  }
}

void version_mix(const Evidence& evidence, Found& found) {
  std::map<std::string, std::string> nodes_of;
  for (const NodeSeen& node : evidence.nodes) {
    if (!node.view || node.view->release.empty()) continue;
    std::string& nodes = nodes_of[node.view->release];
    nodes += (nodes.empty() ? "" : ", ") + std::to_string(node.id);
  }
  if (nodes_of.size() < 2) return;
  std::string text;
  for (const auto& [release, nodes] : nodes_of)
    text += fmt::format("{}nodes {} run {}", text.empty() ? "" : "; ", nodes, release);
  found.add("cluster", text,
            "finish the upgrade: one node after the other, systemctl restart mainstayd, each when "
            "mainstay status shows the one before ready");
}

void replica_differs(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes) {
    if (!node.view || !node.view->formed) continue;
    if (node.view->quarantined)
      found.add(
          node_name(node.id), "it has taken itself out: its state differed from the majority's",
          "keep its evidence/ directory, look at its disk and memory, then: systemctl restart "
          "mainstayd");
    else if (!node.view->hashes_agree)
      found.add(node_name(node.id), "it sees state hashes that differ between the replicas",
                "mainstay status; the node that differs takes itself out and starts over");
  }
}

void no_hash_majority(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes)
    if (sample(node.metrics, "mainstay_state_hash_no_majority") != 0)
      found.add(node_name(node.id), "no state hash is shared by a majority of the replicas",
                "stop writing; mainstay debug bundle from every node; keep all data directories");
}

void index_not_ready(const Evidence& evidence, Found& found) {
  for (const CollectionSeen& collection : evidence.collections)
    for (const std::string& index : collection.unready_indexes)
      found.add("collection " + collection.name,
                "its index " + index + " is declared and not ready yet",
                "mainstay collection show " + collection.name +
                    "   # if it stays so, declare the collection without the index, then with it");
}

void forgotten_drain(const Evidence& evidence, Found& found) {
  for (const NodeSeen& node : evidence.nodes)
    if (node.view && node.view->draining)
      found.add(node_name(node.id), "it is draining: it takes no clients and never leads",
                fmt::format("ssh {} systemctl restart mainstayd   # ends the drain",
                            host_of(node.address)));
}

constexpr std::array table{
    Condition{"nobody-answers", Severity::critical, "none of the nodes asked gives an answer",
              "nothing is served, or this host cannot reach the cluster", nobody_answers},
    Condition{"no-quorum", Severity::critical, "fewer voters are up than a majority",
              "no writes and no linearizable reads until one comes back", no_quorum},
    Condition{"no-leader", Severity::critical, "a majority is up and nobody leads",
              "no writes and no linearizable reads", no_leader},
    Condition{"wrong-cluster", Severity::critical, "nodes of two clusters are mixed up",
              "clients may read and write in the wrong cluster", wrong_cluster},
    Condition{
        "replica-differs", Severity::critical, "a replica holds other data than the majority",
        "a fault of disk, memory or program: the node serves nothing until it has started over",
        replica_differs},
    Condition{"no-hash-majority", Severity::critical,
              "the replicas differ and no majority of them agrees",
              "nobody can say which data is right", no_hash_majority},
    Condition{"not-formed", Severity::critical, "a node waits for its cluster to form",
              "it serves nothing", not_formed},
    Condition{"one-failure-from-no-quorum", Severity::warning,
              "as many voters are up as are needed, and not one more",
              "the next failure stops the cluster", one_failure_away},
    Condition{"unreachable-node", Severity::warning, "a member does not answer",
              "one node less that may fail; clients lose time asking it", unreachable_node},
    Condition{"stuck-peer", Severity::warning,
              "a voter has no link to the leader, or takes no entries",
              "it counts as a voter and does not help the majority", stuck_peer},
    Condition{"learner-stuck", Severity::warning, "a new member does not catch up",
              "it never becomes a voter; the next change of membership waits for it",
              learner_stuck},
    Condition{"leader-flapping", Severity::warning, "the leader changes again and again",
              "each change delays requests", leader_flapping},
    Condition{"not-a-member", Severity::warning, "a node runs that the cluster does not count",
              "what is sent to it waits; its disk protects nothing", not_a_member},
    Condition{"forgotten-drain", Severity::warning, "a node is draining",
              "one node less that serves and leads", forgotten_drain},
    Condition{"version-mix", Severity::warning, "the nodes run different releases",
              "meant for the hours of an upgrade: new features stay off", version_mix},
    Condition{"even-voters", Severity::warning, "the number of voters is even",
              "one more host that can fail, and no more failures survived", even_voters},
    Condition{"shared-host", Severity::warning, "two voters are on one host",
              "one failing host takes both", shared_host},
    Condition{"single-voter", Severity::note, "the cluster has one voter",
              "every failure of it stops the cluster; a lost disk loses the data", single_voter},
    Condition{"index-not-ready", Severity::note, "a declared index is still being built",
              "reads through it are refused with not_ready", index_not_ready},
};

}  // namespace

std::span<const Condition> cluster_conditions() {
  return table;
}

}  // namespace mainstay::tool::doctor
