// What the HTTP API needs of a node, as an interface: implemented by actors/gateway, and by a fake
// in the API's tests. All calls are thread-safe and return at once; `done` is called exactly once,
// on any thread, possibly before the call returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/record/state.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::api {

// What a read may show (promise P2).
enum class ReadLevel {
  linearizable,  // everything acknowledged anywhere before the request
  session,       // everything up to ReadNeed::at_least, which the client saw before
  local,         // what this node has applied
};

struct ReadNeed {
  ReadLevel level = ReadLevel::linearizable;
  record::Revision at_least = 0;  // session only
};

struct MemberView {
  NodeId id;
  Incarnation incarnation;
  bool voter = false;
  std::string peer_address;
  std::string api_address;
  // leader only: heard within the last two election times
  bool active = false;
  bool connected = false;   // this node has a live link to it (itself: true)
  std::uint64_t match = 0;  // as the leader sees it; 0 elsewhere
  std::uint64_t applied = 0;
  std::string release;         // "0.5.0"; "" while there was no link to it
  std::uint32_t protocol = 0;  // version spoken with it; 0: no link; itself: the newest it knows
  // its wall clock minus this node's, as the best of the last reports says; itself: 0
  std::int64_t clock_offset_ms = 0;
};

// An actor of this node, as its supervisor knows it.
struct ActorView {
  std::string name;
  std::string state;           // running, stopped, stopping, ended
  std::uint64_t restarts = 0;  // since the node started
  std::string last_end;        // why it last ended; "" if it never did
};

struct ClusterView {
  ClusterId cluster;
  bool formed = false;
  NodeId self;
  Incarnation incarnation;
  std::string role;  // leader, follower, candidate, learner …
  NodeId leader;     // none: unknown
  std::uint64_t term = 0;
  std::uint64_t commit = 0;
  std::uint64_t applied = 0;
  std::uint64_t revision = 0;
  // newest index at which the state hashes of a majority were compared
  std::uint64_t checked_index = 0;
  bool hashes_agree = true;
  bool quarantined = false;
  bool draining = false;
  std::uint64_t disk_free_bytes = 0;
  std::uint64_t disk_total_bytes = 0;  // of the data directory's file system
  bool disk_low = false;
  std::string release;             // of this node
  double fsync_ms = 0;             // slowest durable write of the log in the last second
  std::uint64_t log_bytes = 0;     // on disk
  std::uint64_t record_bytes = 0;  // on disk
  std::uint64_t apply_lag = 0;     // committed entries that are not applied here yet
  std::uint64_t queue_depth = 0;   // requests that wait in this node
  // when certificates end, Unix time in seconds; 0: none
  std::int64_t peer_certificate_expires = 0;
  std::int64_t api_certificate_expires = 0;
  std::vector<MemberView> members;
  std::vector<ActorView> actors;  // in the order of their start
};

// One line of /readyz and /livez.
struct Check {
  std::string name;
  bool ok = false;
  std::string detail;
};

struct AdminCommand {
  enum class Kind { add_member, remove_member, promote_member, transfer, drain };
  Kind kind = Kind::transfer;
  NodeId node;               // transfer: none = the most caught-up voter
  Incarnation incarnation;   // add_member
  std::string peer_address;  // add_member
  std::string api_address;   // add_member
};

class Backend {
 public:
  virtual ~Backend() = default;

  // Runs a validated command at most once. Buffers and re-sends through elections until `deadline`
  // (promise P4). Errors: busy, storage_full, outcome_unknown (deadline passed, may still happen),
  // not_ready (draining). A refusal by the state machine is an Outcome.
  virtual void submit(record::Command command, MonotonicTime deadline,
                      std::function<void(Result<record::Outcome>)> done) = 0;

  // Completes when view() shows at least what `need` asks for. Errors: deadline_exceeded, busy,
  // not_ready (quarantined).
  virtual void read_barrier(ReadNeed need, MonotonicTime deadline,
                            std::function<void(Result<void>)> done) = 0;

  // For feeds: completes when this node has applied a revision above `after` (at once if it has),
  // or at the deadline, with the newest applied revision. Errors: busy, not_ready (the node stops).
  virtual void wait_revision(record::Revision after, MonotonicTime deadline,
                             std::function<void(Result<record::Revision>)> done) = 0;

  // A consistent view of the node's applied state, for the calling thread, to be dropped soon.
  // Errors: busy, not_ready.
  virtual Result<std::shared_ptr<const record::StateReader>> view() = 0;

  // The newest revision that this node has applied. Never waits, unlike view().
  virtual record::Revision revision() = 0;

  virtual void administer(AdminCommand command, MonotonicTime deadline,
                          std::function<void(Result<std::string>)> done) = 0;

  virtual ClusterView cluster() = 0;
  virtual std::vector<Check> liveness() = 0;
  virtual std::vector<Check> readiness() = 0;
  virtual bool started() = 0;
  // Prometheus text format, from the metrics actor.
  virtual void metrics(MonotonicTime deadline, std::function<void(Result<std::string>)> done) = 0;

  // Makes operation ids for requests without Idempotency-Key: unique for this boot.
  virtual std::string make_operation_id() = 0;
};

}  // namespace mainstay::api
