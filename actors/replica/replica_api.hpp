// What the replica says and understands: the actor that owns the Raft core of one group on this
// node.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <caf/actor.hpp>

#include "actors/kit/type_ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/consensus/core.hpp"
#include "runtime/record/types.hpp"
#include "runtime/wire/frame.hpp"

namespace mainstay::replica {

// From this node's gateway: an encoded record::Batch. Answered to the gateway by BatchAnswered with
// the same id.
struct ProposeBatch {
  std::uint64_t id = 0;
  Bytes batch;
  std::size_t commands = 0;
  bool needs_space = false;
};
// Such a command is refused while the disk is nearly full. Removals and fences go through, and what
// Mainstay keeps for itself: it is small, and operators need it to mend the shortage.
inline bool needs_space(const record::Command& command) {
  return std::any_of(
      command.actions.begin(), command.actions.end(), [](const record::Action& action) {
        return action.kind != record::ActionKind::remove && !action.collection.starts_with('_');
      });
}
inline bool needs_space(const record::Batch& batch) {
  return std::any_of(batch.commands.begin(), batch.commands.end(),
                     [](const record::Command& command) { return needs_space(command); });
}
struct BatchAnswered {
  wire::ProposeReply reply;
};

// From the gateway: a linearizable read point is wanted. Answered by ReadPoints, not always (ask
// again after a time-out).
struct AskReadPoint {
  std::uint64_t context = 0;
};
struct ReadPoints {
  std::vector<consensus::ReadState> points;
};

// To the gateway: who leads now, as this node knows it. none: nobody.
struct LeaderChanged {
  NodeId leader;
  Incarnation incarnation;  // of the leader
  consensus::Term term = 0;
};

// From the admin actor: what only the leader can do. Answered to it by AdministerReply, once the
// change is committed.
struct Administer {
  wire::AdminRequest request;
};
struct AdministerReply {
  wire::AdminReply reply;
};

// Give leadership away and do not take it again.
struct StartDraining {};

// The last inputs of the core, as bytes that the simulator replays; `done` is called once, soon, on
// the replica's thread.
struct DumpInputs {
  std::function<void(std::string)> done;
};

// To the node: this replica's state differs from the majority's: it has stopped serving and voting.
struct Quarantined {
  std::string evidence;
};

// What the replica shows to everyone: a new value at most every 50 ms and at each change of
// leadership.
struct View {
  consensus::Status status;
  Incarnation incarnation;
  std::vector<NodeId> connected;   // peers with a live link
  MonotonicTime leader_contact{};  // last time a leader was known
  MonotonicTime published{};       // when this view was made; old: the replica does not run
  consensus::Index checked_index = 0;
  bool hashes_agree = true;
  bool no_majority = false;
  bool quarantined = false;
  bool draining = false;
  bool member = false;  // this (id, incarnation) is in the membership
};

// A value that one actor replaces and any thread reads.
template <class T>
class Published {
 public:
  std::shared_ptr<const T> get() const {
    const std::lock_guard lock{mutex_};
    return value_;
  }
  void set(std::shared_ptr<const T> value) {
    const std::lock_guard lock{mutex_};
    value_.swap(value);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_ = std::make_shared<const T>();
};

// Self-message of the replica: everything that was in the mailbox has been taken in; run the core's
// effects.
struct RunEffects {};

}  // namespace mainstay::replica

MAINSTAY_BEGIN_MESSAGES(replica)
MAINSTAY_MESSAGE(replica, mainstay::replica::Administer)
MAINSTAY_MESSAGE(replica, mainstay::replica::AdministerReply)
MAINSTAY_MESSAGE(replica, mainstay::replica::AskReadPoint)
MAINSTAY_MESSAGE(replica, mainstay::replica::BatchAnswered)
MAINSTAY_MESSAGE(replica, mainstay::replica::DumpInputs)
MAINSTAY_MESSAGE(replica, mainstay::replica::LeaderChanged)
MAINSTAY_MESSAGE(replica, mainstay::replica::ProposeBatch)
MAINSTAY_MESSAGE(replica, mainstay::replica::Quarantined)
MAINSTAY_MESSAGE(replica, mainstay::replica::ReadPoints)
MAINSTAY_MESSAGE(replica, mainstay::replica::RunEffects)
MAINSTAY_MESSAGE(replica, mainstay::replica::StartDraining)
MAINSTAY_END_MESSAGES(replica)
