// What doctor knows before it judges: plain values, filled in by the collectors (collect_nodes.hpp,
// collect_host.hpp) or by a test. Nothing in here asks anybody.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/config/config.hpp"

namespace mainstay::tool::doctor {

// A member, as one node's /v1/cluster tells of it.
struct MemberSeen {
  std::uint64_t id = 0;
  std::string incarnation;
  bool voter = true;
  std::string peer_address, api_address;
  bool connected = true;    // that node has a live link to it
  std::uint64_t match = 0;  // as the leader sees it; 0 elsewhere
  std::string release;      // "" unknown
  std::int64_t clock_offset_ms = 0;
};

struct ActorSeen {
  std::string name, state;
  std::uint64_t restarts = 0;
  std::string last_end;
};

// One node's /v1/cluster. Members that an older node does not send keep the values here.
struct NodeView {
  std::string cluster;
  bool formed = true;
  std::uint64_t node = 0;
  std::string incarnation, role;
  std::uint64_t leader = 0;  // 0: unknown to it
  std::uint64_t term = 0, commit = 0, applied = 0;
  bool hashes_agree = true, quarantined = false, draining = false;
  std::uint64_t disk_free = 0, disk_total = 0;  // bytes; total 0: unknown
  bool disk_low = false;
  std::string release;
  double fsync_ms = 0;
  std::uint64_t apply_lag = 0, queue_depth = 0;
  std::int64_t peer_certificate_expires = 0, api_certificate_expires = 0;  // Unix seconds; 0: none
  std::vector<MemberSeen> members;
  std::vector<ActorSeen> actors;
};

struct CheckSeen {
  std::string name;
  bool ok = false;
  std::string detail;
};

// Samples of the Prometheus text by their names with labels: "mainstay_link_up{peer=\"2\"}".
using Metrics = std::map<std::string, double, std::less<>>;

// A node's API, asked twice with a pause between.
struct NodeSeen {
  std::string address;
  std::uint64_t id = 0;          // 0: an endpoint that did not say
  std::optional<NodeView> view;  // the later answer
  std::optional<NodeView> before;
  std::string problem;  // why there is no view
  bool ready = false;
  std::vector<CheckSeen> checks;
  Metrics metrics, metrics_before;  // empty: not to be had
};

struct CollectionSeen {
  std::string name;
  std::vector<std::string> unready_indexes;
};

// Of a reconciliation of an adapter.
struct ReconciliationSeen {
  std::string name;
  bool passed = true;
  std::uint64_t open = 0;     // differences that nothing explains
  std::int64_t last_run = 0;  // Unix seconds; 0: never
  std::uint64_t every_ms = 0;
  std::string detail;  // why the last run could not be made
};

// An adapter of the integration hub.
// A path of an adapter: its source, its export, a lane.
struct PathSeen {
  std::string name;
  std::uint64_t age_ms = 0;    // of its newest heartbeat
  std::uint64_t every_ms = 0;  // one should come so often
  bool overdue = false;
  bool left_alone = false;  // its breaker is open
  std::string trouble;      // with the counterpart
};

struct AdapterSeen {
  std::string name;
  std::uint64_t node = 0;  // where it runs; 0: nowhere
  bool paused = false;
  std::map<std::uint64_t, std::string> hash_of;  // of its definition, by candidate node
  std::uint64_t parked = 0;                      // in and out
  std::uint64_t pending = 0;                     // out
  std::int64_t oldest_pending = 0;               // out, Unix seconds; 0: none
  std::vector<PathSeen> paths;
  std::vector<ReconciliationSeen> reconciliations;
};

struct FileMissing {
  std::string option, path, problem;
};

struct CertificateSeen {
  std::string option;  // "tls.certificate"
  std::string path;
  std::int64_t expires = 0;  // Unix seconds
};

struct PortTaken {
  std::string option, address;
  std::string holder;  // "pid 17 (nginx)", "" unknown
};

// The data directory, looked at without changing it.
struct DirectorySeen {
  std::string path;
  bool exists = false;
  std::string damage;        // what is wrong with it; "" nothing that was found
  std::uint64_t node = 0;    // of identity.json; 0: there is none
  std::string cluster;       // 32 hexadecimal digits; "" there is none, or not formed
  bool locked = false;       // a process holds its lock file
  std::uint64_t holder = 0;  // the process that holds it, as it wrote itself; 0 unknown
  std::string holder_name;   // its program
  bool evidence = false;     // it keeps what a former life of the node differed in
  std::string network_disk;  // "nfs" and the like; "" local
  std::uint64_t free_bytes = 0, total_bytes = 0;
  std::uint64_t device = 0;  // of the file system
};

// One node as its host shows it: its configuration file and what that names.
struct HostSeen {
  std::string file;                      // of the configuration
  std::vector<std::string> problems;     // what is wrong with it, a line each
  std::optional<config::Config> config;  // when there are no problems
  std::vector<FileMissing> missing;
  std::vector<CertificateSeen> certificates;
  std::string identity_problem;  // certificates that do not belong to this node or to each other
  std::optional<DirectorySeen> directory;
  std::vector<PortTaken> taken;
  std::uint64_t files_max = 0;  // open files allowed; 0 unknown
  // Who answers at the API address: a node id; 0: nobody.
  std::uint64_t answers = 0;
};

struct Evidence {
  WallTime now;
  std::vector<NodeSeen> nodes;  // the members, then endpoints of nobody
  std::vector<CollectionSeen> collections;
  std::vector<AdapterSeen> adapters;
  std::vector<HostSeen> hosts;
};

// The view with the highest term that knows a leader, else any; null when no node answered.
const NodeView* newest_view(const Evidence& evidence);
// The leader's own view, else null.
const NodeView* leader_view(const Evidence& evidence);
const NodeSeen* find_node(const Evidence& evidence, std::uint64_t id);
// What the leader holds and `member` does not, as the leader tells in its `view`.
std::uint64_t behind(const NodeView& view, const MemberSeen& member);
// `member` lacks entries of the leader and took none between the two looks at it.
bool stands_still(const Evidence& evidence, const NodeView& leader, const MemberSeen& member);
// Reached from here, or by the leader, with entries going through.
bool is_up(const Evidence& evidence, const MemberSeen& member);
std::size_t voters_of(const NodeView& view);
std::size_t voters_up(const Evidence& evidence, const NodeView& view);

// 0 when there is no such sample.
double sample(const Metrics& metrics, std::string_view name);
// How much a counter grew between the two times the node was asked.
double growth(const NodeSeen& node, std::string_view name);

bool is_loopback(std::string_view host);

}  // namespace mainstay::tool::doctor
