// The words of the replicated log: terms, entries, members, snapshots. Plain values without
// behaviour; runtime/wire gives them bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/checksum.hpp"
#include "runtime/base/ids.hpp"

namespace mainstay::consensus {

using Term = std::uint64_t;   // 0: before the first election
using Index = std::uint64_t;  // position in the log, the first entry has 1; 0 means "none"

// What must be durable before anything else may happen: the current term and the vote given in it
// (Raft paper, figure 2).
struct HardState {
  Term term = 0;
  NodeId vote;  // none: no vote given in this term

  bool operator==(const HardState&) const = default;
};

enum class MemberRole : std::uint8_t {
  learner = 0,  // receives the log, counts in no quorum, never campaigns
  voter = 1,
};

// A node as the cluster knows it. (id, incarnation) is the identity: messages of another
// incarnation of the same id are dropped.
struct Member {
  NodeId id;
  Incarnation incarnation;
  MemberRole role = MemberRole::voter;
  bool auto_promote = false;  // a learner that becomes a voter by itself once it has caught up
  std::string peer_address;   // host:port for other nodes
  std::string api_address;    // host:port for clients

  bool operator==(const Member&) const = default;
};

// Who belongs to the group, sorted by id, each id once. One change at a time differs in one member
// (Ongaro's thesis, section 4.1).
struct Membership {
  std::vector<Member> members;

  const Member* find(NodeId id) const {
    auto at =
        std::lower_bound(members.begin(), members.end(), id,
                         [](const Member& member, NodeId wanted) { return member.id < wanted; });
    return at != members.end() && at->id == id ? &*at : nullptr;
  }
  bool is_voter(NodeId id) const {
    const Member* member = find(id);
    return member != nullptr && member->role == MemberRole::voter;
  }
  std::vector<NodeId> voters() const {
    std::vector<NodeId> ids;
    for (const Member& member : members)
      if (member.role == MemberRole::voter) ids.push_back(member.id);
    return ids;
  }
  bool operator==(const Membership&) const = default;
};

using MembershipPtr = std::shared_ptr<const Membership>;

enum class EntryKind : std::uint8_t {
  noop = 0,        // a new leader's first entry
  batch = 1,       // payload: a wire::LogBatch of record commands, opaque here
  membership = 2,  // membership: the whole new membership
  check = 3,       // every replica takes its state hash here; all are compared (promise P6)
};

// One log entry. Cheap to copy: payload and membership are shared.
struct Entry {
  Index index = 0;
  Term term = 0;
  EntryKind kind = EntryKind::noop;
  Bytes payload;
  MembershipPtr membership;

  // What limits count: the payload and a fixed allowance for the rest.
  std::size_t bytes() const { return payload.size() + 64; }
};

// A snapshot as the core sees it: never its bytes. `id` names the file on the node that made it.
struct SnapshotMeta {
  Index index = 0;  // the last entry it covers; 0: no snapshot
  Term term = 0;
  Membership membership;  // as of `index`
  std::string id;
  std::uint64_t bytes = 0;
  Hash128 checksum{};

  bool operator==(const SnapshotMeta&) const = default;
};

}  // namespace mainstay::consensus
