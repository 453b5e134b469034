// What must hold after every event of a simulation. Fed with what the cores decide, what the disks
// made durable and what leaves the nodes; keeps a shadow of every log. Each check costs about as
// much as the event it follows. A broken one throws Violation.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/consensus/core.hpp"
#include "runtime/record/types.hpp"
#include "tests/harness/trace.hpp"
#include "tests/harness/violation.hpp"

namespace mainstay::harness {

// A member: one life of one disk.
using MemberKey = std::pair<NodeId, Incarnation>;

class Invariants {
 public:
  // The membership that the cluster was formed with. Before anything else.
  void set_initial(consensus::Membership initial) { initial_ = std::move(initial); }

  // A process opened its log. Everything that was ever reported durable must be there.
  void opened(MemberKey who, const consensus::LogReader& log,
              const consensus::HardState& hard_state);
  // A log write is about to begin, or it returned. Between the two a crash may leave either state,
  // but nothing else.
  void writing(MemberKey who, const std::vector<const consensus::Persist*>& persists);
  void written(MemberKey who);
  // The process ended; a write under way may or may not have happened.
  void crashed(MemberKey who);
  // The disk is gone, with all promises given on it.
  void disk_lost(MemberKey who);

  // After every input of a core.
  void after_input(MemberKey who, const consensus::Core& core);
  void on_ready(MemberKey who, const consensus::Core& core, const consensus::Ready& ready);
  // A message leaves the node.
  void on_send(MemberKey who, const consensus::Message& message);
  void on_applied(MemberKey who, const record::Counters& counters);
  // Whether another node was seen with the same state at the same index.
  bool is_known_state(const record::Counters& counters) const;
  void on_compacted(MemberKey who, consensus::Index first, consensus::Index durable_applied);

  // The highest index that any core has called committed: what a read that starts now must see.
  consensus::Index committed() const { return committed_.size(); }
  void on_read(consensus::Index committed_at_start, consensus::Index read_index) const;

  std::uint64_t leaders_seen() const { return leaders_.size(); }
  // The last committed membership, and where.
  const consensus::Membership& membership() const;

 private:
  struct Place {
    consensus::Term term = 0;
    Hash128 hash{};
    bool membership = false;
    bool operator==(const Place&) const = default;
  };
  // A log as places, from base + 1 on.
  struct Shadow {
    consensus::Index base = 0;
    consensus::Term base_term = 0;
    std::vector<Place> places;
    consensus::HardState hard_state;

    consensus::Index last() const { return base + places.size(); }
    std::optional<consensus::Term> term(consensus::Index index) const;
    void apply(const consensus::Persist& persist);
  };
  struct Node {
    Shadow believed;  // as the core has decided
    Shadow durable;   // as the disk has confirmed
    std::optional<Shadow> in_flight;
    consensus::CoreRole role = consensus::CoreRole::follower;
    consensus::Term term = 0;
    consensus::Index commit_at_election = 0;
    consensus::MembershipPtr appended;  // the last one that it put into its log as a leader
  };
  struct Committed {
    Place place;
    consensus::Term commit_term = 0;  // no earlier than the term in which it was committed
  };

  static Place place_of(const consensus::Entry& entry);
  static bool same(const Shadow& shadow, const Shadow& found);
  void check_appended(MemberKey who, const Node& node, const consensus::Persist& persist);
  void check_leader_appends(MemberKey who, const consensus::Core& core,
                            const consensus::Persist& persist);
  void check_counted_own_term(MemberKey who, const consensus::Core& core,
                              const consensus::Ready& ready) const;
  bool majority_holds(const consensus::Membership& members, const consensus::Entry& entry) const;
  bool leaders_majority_holds(consensus::Term term, const consensus::Entry& entry) const;
  void check_committed(MemberKey who, const consensus::Core& core, const consensus::Ready& ready);
  void check_durable_on_majority(MemberKey who, const consensus::Core& core,
                                 const consensus::Entry& entry);
  void check_new_leader(MemberKey who, const Node& node);
  void check_vote(MemberKey who, consensus::Term term, NodeId candidate);
  void check_membership(const consensus::Entry& entry);
  void check_candidate(MemberKey who, const consensus::Message& message) const;
  void check_append_reply(MemberKey who, const consensus::Message& message);

  consensus::Membership initial_;
  std::map<MemberKey, Node> nodes_;
  std::map<consensus::Term, MemberKey> leaders_;
  std::map<std::pair<MemberKey, consensus::Term>, NodeId> votes_;
  struct Made {
    Hash128 hash{};
    consensus::Term term_before = 0;
  };
  std::map<std::pair<consensus::Index, consensus::Term>, Made> made_;  // every entry that ever was
  std::vector<Committed> committed_;                                   // [i] is index i + 1
  std::vector<std::pair<consensus::Index, consensus::MembershipPtr>>
      memberships_;                                                  // committed ones
  std::map<consensus::Index, std::pair<Hash128, HlcStamp>> states_;  // after applying up to here
};

}  // namespace mainstay::harness
