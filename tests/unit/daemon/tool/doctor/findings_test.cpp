// Every condition of doctor, each made by changing one thing of a healthy cluster.
#include "runtime/daemon/tool/doctor/findings.hpp"

#include <functional>
#include <set>

#include <gmock/gmock.h>

#include "runtime/base/limits.hpp"

namespace mainstay::tool::doctor {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t now_seconds = 1'800'000'000;
constexpr std::int64_t day = 24 * 3600;

NodeView healthy_view(std::uint64_t id) {
  NodeView view;
  view.cluster = "c1";
  view.node = id;
  view.incarnation = "inc" + std::to_string(id);
  view.role = id == 1 ? "leader" : "follower";
  view.leader = 1;
  view.term = 3;
  view.commit = view.applied = 1000;
  view.disk_free = 50ULL << 30;
  view.disk_total = 100ULL << 30;
  view.release = "0.5.0";
  view.fsync_ms = 2;
  view.peer_certificate_expires = now_seconds + 200 * day;
  for (std::uint64_t other = 1; other <= 3; ++other) {
    MemberSeen member;
    member.id = other;
    member.incarnation = "inc" + std::to_string(other);
    member.peer_address = "10.0.0." + std::to_string(other) + ":7401";
    member.api_address = "10.0.0." + std::to_string(other) + ":7400";
    member.match = id == 1 ? 1000 : 0;
    member.release = "0.5.0";
    view.members.push_back(member);
  }
  view.actors = {{"storage", "running", 0, ""}};
  return view;
}

NodeSeen healthy_node(std::uint64_t id) {
  NodeSeen node;
  node.id = id;
  node.address = "10.0.0." + std::to_string(id) + ":7400";
  node.view = node.before = healthy_view(id);
  node.ready = true;
  node.checks = {{"leader", true, ""}};
  node.metrics_before = {{"mainstay_uptime_seconds", 86400},
                         {"mainstay_leader_changes_total", 2},
                         {"mainstay_log_write_seconds_count", 10000},
                         {"mainstay_log_write_seconds_sum", 20},
                         {"mainstay_tick_lateness_seconds_count", 10000},
                         {"mainstay_ticks_late_total", 5}};
  node.metrics = node.metrics_before;
  node.metrics["mainstay_log_write_seconds_count"] += 100;
  node.metrics["mainstay_log_write_seconds_sum"] += 0.2;
  node.metrics["mainstay_tick_lateness_seconds_count"] += 200;
  return node;
}

HostSeen healthy_host() {
  HostSeen host;
  host.file = "/etc/mainstay/mainstayd.toml";
  config::Config config = config::default_config(NodeId{2});
  config.api_listen = "10.0.0.2:7400";
  config.peer_listen = "10.0.0.2:7401";
  config.api_tls_certificate = "api.pem";
  config.api_tls_key = "api.key";
  config.tls_certificate = "node-2.pem";
  host.config = config;
  host.certificates = {{"tls.ca", "ca.pem", now_seconds + 3000 * day},
                       {"tls.certificate", "node-2.pem", now_seconds + 200 * day}};
  DirectorySeen directory;
  directory.path = "/var/lib/mainstay";
  directory.exists = true;
  directory.node = 2;
  directory.cluster = "c1";
  directory.locked = true;
  directory.holder = 17;
  directory.holder_name = "mainstayd";
  directory.device = 5;
  host.directory = directory;
  host.files_max = 65536;
  host.answers = 2;
  return host;
}

Evidence healthy() {
  Evidence evidence;
  evidence.now = WallTime{std::chrono::seconds{now_seconds}};
  for (std::uint64_t id = 1; id <= 3; ++id) evidence.nodes.push_back(healthy_node(id));
  evidence.collections = {{"orders", {}}};
  AdapterSeen adapter;
  adapter.name = "wms";
  adapter.node = 1;
  adapter.hash_of = {{1, "h"}, {2, "h"}, {3, "h"}};
  adapter.reconciliations = {{"stock", true, 0, now_seconds - 30, 60'000, ""}};
  adapter.paths = {{"source", 3'000, 10'000, false, false, ""},
                   {"lane-0", 4'000, 10'000, false, false, ""}};
  evidence.adapters.push_back(adapter);
  evidence.hosts.push_back(healthy_host());
  return evidence;
}

// Node `id` as one that does not answer.
void lose(Evidence& evidence, std::uint64_t id) {
  NodeSeen& node = evidence.nodes.at(id - 1);
  node = NodeSeen{};
  node.id = id;
  node.address = "10.0.0." + std::to_string(id) + ":7400";
  node.problem = node.address + " cannot be reached";
  for (NodeSeen& other : evidence.nodes)
    for (const auto view : {&other.view, &other.before})
      if (*view) (*view)->members.at(id - 1).connected = false;
}

void each_view(Evidence& evidence, const std::function<void(NodeView&)>& change) {
  for (NodeSeen& node : evidence.nodes)
    for (const auto view : {&node.view, &node.before})
      if (*view) change(**view);
}

HostSeen& host(Evidence& evidence) {
  return evidence.hosts.at(0);
}

config::Config& config_of(Evidence& evidence) {
  return *host(evidence).config;
}

void stop_the_node(Evidence& evidence) {
  host(evidence).directory->locked = false;
  host(evidence).answers = 0;
}

struct Case {
  const char* title;
  std::function<void(Evidence&)> change;
  std::vector<std::string> conditions;  // in the order told
  const char* evidence;                 // stands in the first finding's evidence
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"nothing answers",
       [](Evidence& e) {
         for (std::uint64_t id = 1; id <= 3; ++id) lose(e, id);
       },
       {"nobody-answers"},
       "10.0.0.2:7400 cannot be reached"},
      {"two of three are down",
       [](Evidence& e) {
         lose(e, 2);
         lose(e, 3);
         each_view(e, [](NodeView& view) { view.leader = 0; });
       },
       {"no-quorum", "unreachable-node", "unreachable-node"},
       "1 of 3 voters are up, 2 are needed; down: node 2 (10.0.0.2:7400), node 3"},
      {"one of three is down",
       [](Evidence& e) { lose(e, 3); },
       {"one-failure-from-no-quorum", "unreachable-node"},
       "2 of 3 voters are up and 2 are needed; down: node 3"},
      {"not reached from here, but by the leader",
       [](Evidence& e) {
         e.nodes[2].view.reset();
         e.nodes[2].before.reset();
         e.nodes[2].metrics.clear();
         e.nodes[2].problem = "10.0.0.3:7400 cannot be reached";
       },
       {"unreachable-node"},
       "the leader reaches it"},
      {"one of three hangs: its link stands, and nothing goes through",
       [](Evidence& e) {
         e.nodes[2].view.reset();
         e.nodes[2].problem = "10.0.0.3:7400 did not answer in time";
         e.nodes[0].view->commit += 2;
         for (MemberSeen& member : e.nodes[0].view->members) member.match += member.id == 3 ? 0 : 2;
       },
       {"one-failure-from-no-quorum", "unreachable-node"},
       "2 of 3 voters are up"},
      {"nobody leads",
       [](Evidence& e) {
         each_view(e, [](NodeView& view) {
           view.leader = 0;
           view.role = "follower";
         });
       },
       {"no-leader"},
       "3 of 3 voters are up"},
      {"the leader changed while doctor looked",
       [](Evidence& e) { e.nodes[1].metrics["mainstay_leader_changes_total"] += 6; },
       {"leader-flapping"},
       "8 changes of leader in 24.0 h, 6 while doctor looked"},
      {"the leader changed often",
       [](Evidence& e) {
         for (auto* metrics : {&e.nodes[1].metrics, &e.nodes[1].metrics_before})
           (*metrics)["mainstay_leader_changes_total"] = 1000;
       },
       {"leader-flapping"},
       "1000 changes"},
      {"a node waits for its peers",
       [](Evidence& e) {
         e.nodes.push_back(healthy_node(4));
         e.nodes[3].view->formed = false;
       },
       {"not-formed"},
       "waits for the cluster to form"},
      {"a node of another cluster",
       [](Evidence& e) {
         e.nodes.push_back(healthy_node(4));
         e.nodes[3].view->cluster = "c2";
         e.nodes[3].view->term = 1;
       },
       {"wrong-cluster"},
       "it belongs to cluster c2, the others to c1"},
      {"a node of another cluster knocks",
       [](Evidence& e) {
         e.nodes[0].metrics["mainstay_links_refused_total{reason=\"wrong_cluster\"}"] = 3;
       },
       {"wrong-cluster"},
       "refused 3 connections"},
      {"a node that was removed",
       [](Evidence& e) {
         e.nodes.push_back(healthy_node(4));
         e.nodes[3].view->leader = 0;
       },
       {"not-a-member"},
       "incarnation inc4, which is not in the membership"},
      {"a former life of a node",
       [](Evidence& e) { e.nodes[1].view->incarnation = "inc9"; },
       {"not-a-member"},
       "incarnation inc9"},
      {"no link between two that answer",
       [](Evidence& e) { e.nodes[0].view->members[2].connected = false; },
       {"stuck-peer"},
       "it answers here, but leader node 1 has no link to 10.0.0.3:7401"},
      {"a voter that takes nothing",
       [](Evidence& e) {
         for (const auto view : {&e.nodes[0].view, &e.nodes[0].before})
           (*view)->members[2].match = 400;
       },
       {"stuck-peer"},
       "600 entries behind the leader and took none"},
      {"a learner that is not there",
       [](Evidence& e) {
         each_view(e, [](NodeView& view) {
           MemberSeen learner;
           learner.id = 4;
           learner.voter = false;
           learner.connected = false;
           learner.peer_address = "10.0.0.4:7401";
           view.members.push_back(learner);
         });
       },
       {"learner-stuck"},
       "the leader has no link to 10.0.0.4:7401"},
      {"a learner that never catches up",
       [](Evidence& e) {
         each_view(e, [](NodeView& view) {
           MemberSeen learner;
           learner.id = 4;
           learner.voter = false;
           learner.match = 10;
           view.members.push_back(learner);
         });
       },
       {"learner-stuck"},
       "it is a learner, 990 entries behind"},
      {"four voters",
       [](Evidence& e) {
         e.nodes.push_back(healthy_node(4));
         each_view(e, [](NodeView& view) {
           MemberSeen fourth = view.members[2];
           fourth.id = 4;
           fourth.incarnation = "inc4";
           fourth.peer_address = "10.0.0.4:7401";
           view.members.push_back(fourth);
         });
       },
       {"even-voters"},
       "4 voters: no more may fail than of 3"},
      {"one voter",
       [](Evidence& e) {
         e.nodes.resize(1);
         each_view(e, [](NodeView& view) { view.members.resize(1); });
       },
       {"single-voter"},
       "one voter"},
      {"two voters on one host",
       [](Evidence& e) {
         each_view(e, [](NodeView& view) { view.members[2].peer_address = "10.0.0.2:7501"; });
       },
       {"shared-host"},
       "nodes 2 and 3 are both on 10.0.0.2"},
      {"two releases",
       [](Evidence& e) { e.nodes[2].view->release = "0.6.0"; },
       {"version-mix"},
       "nodes 1, 2 run 0.5.0; nodes 3 run 0.6.0"},
      {"a quarantined node",
       [](Evidence& e) { e.nodes[2].view->quarantined = true; },
       {"replica-differs"},
       "it has taken itself out"},
      {"hashes that differ",
       [](Evidence& e) { e.nodes[0].view->hashes_agree = false; },
       {"replica-differs"},
       "state hashes that differ"},
      {"no majority of hashes",
       [](Evidence& e) { e.nodes[0].metrics["mainstay_state_hash_no_majority"] = 1; },
       {"no-hash-majority"},
       "no state hash is shared"},
      {"an index that is being built",
       [](Evidence& e) { e.collections[0].unready_indexes = {"by-item"}; },
       {"index-not-ready"},
       "its index by-item"},
      {"an adapter that runs nowhere",
       [](Evidence& e) { e.adapters[0].node = 0; },
       {"adapter-without-node"},
       "it runs nowhere"},
      {"an adapter on a node that is no member",
       [](Evidence& e) { e.adapters[0].node = 9; },
       {"adapter-without-node"},
       "it ran on node 9"},
      {"parked letters",
       [](Evidence& e) { e.adapters[0].parked = 3; },
       {"dead-letters"},
       "3 dead letters wait"},
      {"effects that nobody carries out",
       [](Evidence& e) {
         e.adapters[0].pending = 2;
         e.adapters[0].oldest_pending = now_seconds - 601;
       },
       {"lane-stuck"},
       "2 effects wait, the oldest for 601 s"},
      {"a heartbeat that does not come through",
       [](Evidence& e) { e.adapters[0].paths[0] = {"source", 61'000, 10'000, true, false, "no"}; },
       {"heartbeat-overdue"},
       "heartbeat that came through is 61 s old, one should come every 10 s: no"},
      {"a counterpart that is left alone",
       [](Evidence& e) { e.adapters[0].paths[1].left_alone = true; },
       {"counterpart-left-alone"},
       "lane-0: too many calls failed in a row"},
      {"two definitions of one adapter",
       [](Evidence& e) { e.adapters[0].hash_of[3] = "other"; },
       {"definitions-differ"},
       "nodes 3 have other"},
      {"a counterpart that differs",
       [](Evidence& e) {
         e.adapters[0].reconciliations[0].open = 4;
         e.adapters[0].reconciliations[0].passed = false;
       },
       {"counterpart-differs"},
       "stock: 4 differences"},
      {"a comparison that does not take place",
       [](Evidence& e) { e.adapters[0].reconciliations[0].last_run = now_seconds - 241; },
       {"reconciliation-old"},
       "stock ran 241 s ago and should every 60 s"},
      {"a comparison that cannot be made",
       [](Evidence& e) { e.adapters[0].reconciliations[0].detail = "connection refused"; },
       {"reconciliation-old"},
       "connection refused"},
      {"an adapter that rests",
       [](Evidence& e) {
         e.adapters[0].paused = true;
         e.adapters[0].oldest_pending = now_seconds - 10'000;
         e.adapters[0].paths[0].overdue = e.adapters[0].paths[1].left_alone = true;
       },
       {"adapter-paused"},
       "somebody paused it"},
      {"a drain that nobody ended",
       [](Evidence& e) {
         e.nodes[1].view->draining = true;
         e.nodes[1].ready = false;
       },
       {"forgotten-drain"},
       "it is draining"},
      {"a clock ahead",
       [](Evidence& e) {
         each_view(e, [](NodeView& view) { view.members[2].clock_offset_ms = 2500; });
       },
       {"clock-skew"},
       "its clock is 2500 ms ahead of that of node 1"},
      {"slow flushes",
       [](Evidence& e) { e.nodes[2].metrics["mainstay_log_write_seconds_sum"] += 30; },
       {"slow-disk"},
       "302 ms in the mean"},
      {"two slow seconds",
       [](Evidence& e) { e.nodes[2].view->fsync_ms = e.nodes[2].before->fsync_ms = 250; },
       {"slow-disk"},
       "250 ms at worst"},
      {"a full disk",
       [](Evidence& e) {
         e.nodes[2].view->disk_low = true;
         e.nodes[2].view->disk_free = 100ULL << 20;
       },
       {"disk-low"},
       "100.0 MiB free"},
      {"a disk that fills up",
       [](Evidence& e) { e.nodes[2].view->disk_free = 2ULL << 30; },
       {"disk-filling"},
       "2.0 GiB free of 100.0 GiB"},
      {"an expiring certificate",
       [](Evidence& e) { e.nodes[1].view->peer_certificate_expires = now_seconds + 5 * day + 60; },
       {"certificate-expiring"},
       "expires in 5 days, at 2027-01-20T08:01:00Z"},
      {"an expired certificate",
       [](Evidence& e) { e.nodes[1].view->api_certificate_expires = now_seconds - 1; },
       {"certificate-expired"},
       "the certificate of its API expired at 2027-01-15T07:59:59Z"},
      {"an expired certificate on a dead host",
       [](Evidence& e) { host(e).certificates[1].expires = now_seconds - day; },
       {"certificate-expired"},
       "tls.certificate (node-2.pem) expired"},
      {"a full queue",
       [](Evidence& e) {
         e.nodes[0].metrics["mainstay_gateway_requests_waiting"] =
             static_cast<double>(limits::gateway_requests_max);
       },
       {"queue-saturated"},
       "65536 requests of"},
      {"requests refused with busy",
       [](Evidence& e) { e.nodes[0].metrics["mainstay_requests_busy_total"] = 7; },
       {"queue-saturated"},
       "7 were refused"},
      {"writes without an outcome",
       [](Evidence& e) { e.nodes[0].metrics["mainstay_writes_unknown_total"] = 2; },
       {"writes-unknown"},
       "2 writes reached their deadline"},
      {"damage found by a scrub",
       [](Evidence& e) { e.nodes[0].metrics["mainstay_storage_damaged"] = 1; },
       {"scrub-damage"},
       "fail their checksums"},
      {"an actor that fails",
       [](Evidence& e) {
         e.nodes[0].view->actors[0] = {"metrics", "running", 4, "planted"};
       },
       {"actor-restarting"},
       "actor metrics is running after 4 restarts; last: planted"},
      {"apply that lags",
       [](Evidence& e) { e.nodes[2].view->apply_lag = e.nodes[2].before->apply_lag = 20000; },
       {"apply-lag"},
       "20000 committed entries"},
      {"a host without processor time",
       [](Evidence& e) { e.nodes[2].metrics["mainstay_ticks_late_total"] += 100; },
       {"starved-host"},
       "100 of 200 ticks"},
      {"strangers",
       [](Evidence& e) {
         e.nodes[2].metrics["mainstay_links_refused_total{reason=\"stranger\"}"] = 9;
       },
       {"strangers-at-the-door"},
       "it refused 9 connections"},
      {"not ready for another reason",
       [](Evidence& e) {
         e.nodes[2].ready = false;
         e.nodes[2].checks = {{"applied", false, "99 entries behind"}};
       },
       {"not-ready"},
       "its /readyz fails: applied: 99 entries behind"},
      {"a misspelt option",
       [](Evidence& e) {
         host(e).config.reset();
         host(e).problems = {"a.toml:3:1: there is no option api.lisen; did you mean api.listen?"};
       },
       {"configuration-wrong"},
       "did you mean api.listen?"},
      {"a file that is not there",
       [](Evidence& e) {
         host(e).missing = {{"tls.key", "node-2.key", "no such file"}};
       },
       {"file-missing"},
       "tls.key names node-2.key: no such file"},
      {"the certificate of another node",
       [](Evidence& e) { host(e).identity_problem = "the certificate is of node 3"; },
       {"certificate-mismatch"},
       "of node 3"},
      {"a taken port",
       [](Evidence& e) {
         stop_the_node(e);
         host(e).taken = {{"api.listen", "10.0.0.2:7400", "pid 17 (nginx)"}};
       },
       {"port-taken", "not-running"},
       "api.listen 10.0.0.2:7400 is taken by pid 17 (nginx)"},
      {"a node that is down", stop_the_node, {"not-running"}, "node 2 does not run"},
      {"the directory of another node",
       [](Evidence& e) { host(e).directory->node = 3; },
       {"directory-of-another-node"},
       "is the data directory of node 3"},
      {"the directory of another cluster",
       [](Evidence& e) { host(e).directory->cluster = "c2"; },
       {"directory-of-another-cluster"},
       "belongs to cluster c2, the nodes asked to c1"},
      {"a damaged directory",
       [](Evidence& e) { host(e).directory->damage = "identity.json fails its check value"; },
       {"directory-damaged"},
       "identity.json fails"},
      {"a directory that a hanging process holds",
       [](Evidence& e) { host(e).answers = 0; },
       {"directory-locked"},
       "process 17 (mainstayd) uses /var/lib/mainstay, and nobody answers"},
      {"too few open files",
       [](Evidence& e) { host(e).files_max = 1024; },
       {"open-file-limit"},
       "1024 open files are allowed; 20000 client connections need 20256"},
      {"authentication off on a network",
       [](Evidence& e) { config_of(e).auth_enabled = false; },
       {"auth-off"},
       "api.listen is 10.0.0.2:7400"},
      {"no TLS on a network",
       [](Evidence& e) { config_of(e).api_tls_certificate.clear(); },
       {"tls-off"},
       "api.tls_certificate is not set"},
      {"two directories on one disk",
       [](Evidence& e) { e.hosts.push_back(healthy_host()); },
       {"shared-disk"},
       "are on one disk"},
      {"a network disk",
       [](Evidence& e) { host(e).directory->network_disk = "nfs"; },
       {"network-disk"},
       "/var/lib/mainstay is on nfs"},
      {"evidence of a former life",
       [](Evidence& e) { host(e).directory->evidence = true; },
       {"evidence-kept"},
       "/evidence holds the state"},
  };
  return all;
}

std::vector<std::string> names_of(const std::vector<Finding>& findings) {
  std::vector<std::string> names;
  names.reserve(findings.size());
  for (const Finding& finding : findings) names.emplace_back(finding.condition->name);
  return names;
}

TEST(Findings, AHealthyClusterHasNone) {
  EXPECT_THAT(names_of(examine(healthy())), IsEmpty());
  EXPECT_THAT(names_of(examine(Evidence{})), IsEmpty()) << "nothing asked, nothing found";
}

TEST(Findings, EachConditionIsFoundAloneWithItsEvidence) {
  for (const Case& each : cases()) {
    Evidence evidence = healthy();
    each.change(evidence);
    const auto findings = examine(evidence);
    EXPECT_THAT(names_of(findings), ElementsAreArray(each.conditions)) << each.title;
    if (findings.empty()) continue;
    EXPECT_THAT(findings[0].evidence, HasSubstr(each.evidence)) << each.title;
    for (const Finding& finding : findings) {
      EXPECT_NE(finding.subject, "") << each.title;
      EXPECT_NE(finding.mend, "") << each.title;
    }
  }
}

TEST(Findings, NoConditionIsWithoutACase) {
  std::set<std::string> shown;
  for (const Case& each : cases()) shown.insert(each.conditions.begin(), each.conditions.end());
  std::set<std::string> names;
  for (const Condition* condition : conditions()) {
    EXPECT_TRUE(names.insert(std::string{condition->name}).second) << "twice: " << condition->name;
    EXPECT_FALSE(condition->means.empty() || condition->risk.empty()) << condition->name;
  }
  EXPECT_EQ(shown, names);
  EXPECT_GE(names.size(), 20U);
}

TEST(Findings, TheWorstComesFirst) {
  Evidence evidence = healthy();
  lose(evidence, 3);
  evidence.nodes[0].view->disk_low = true;
  evidence.collections[0].unready_indexes = {"by-item"};
  EXPECT_THAT(names_of(examine(evidence)),
              testing::ElementsAre("disk-low", "one-failure-from-no-quorum", "unreachable-node",
                                   "index-not-ready"));
}

TEST(Findings, AClusterOnLoopbackIsNotBlamedForIt) {
  Evidence evidence = healthy();
  each_view(evidence, [](NodeView& view) {
    for (MemberSeen& member : view.members) member.peer_address = "127.0.0.1:7401";
  });
  config_of(evidence).api_listen = "127.0.0.1:7400";
  config_of(evidence).peer_listen = "127.0.0.1:7401";
  config_of(evidence).api_tls_certificate.clear();
  config_of(evidence).auth_enabled = false;
  evidence.hosts.push_back(evidence.hosts[0]);
  EXPECT_THAT(names_of(examine(evidence)), IsEmpty());
}

}  // namespace
}  // namespace mainstay::tool::doctor
