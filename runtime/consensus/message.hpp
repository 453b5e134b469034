// What the cores of a group say to each other. One struct for all types: most fields are shared,
// and the table below says which type uses which. Cluster and group are checked by the frame around
// it; node identity (id and incarnation) is checked by the core.
//
//  type              index            log_term    commit      other
//  pre_vote          last log index   its term    -           term = the one it would campaign in
//  pre_vote_reply    -                -           -           reject; term = the voter's real term
//                                                             when rejecting
//  vote              last log index   its term    -           forced: a transfer target asks,
//                                                             leader stickiness does not apply
//  vote_reply        -                -           -           reject
//  append            prev index       prev term   leader's    entries (none: a probe); context =
//                                                             newest read round
//  append_reply      match index      -           -           reject: index = rejected prev,
//                                                             hint_index/hint_term = where to try;
//                                                             context echoed; applied = how far the
//                                                             follower has applied
//  heartbeat         -                -           min(match,  context = newest read round
//                                                 commit)
//  heartbeat_reply   -                -           -           context echoed; applied
//  snapshot          -                -           -           snapshot: pull it from `from`
//  snapshot_reply    match index      -           -           reject: the pull failed, try again
//  timeout_now       -                -           -           campaign at once (transfer)
//  read_index        -                -           -           context = the asker's read id
//  read_index_reply  read index       -           -           context; reject: not leader or no
//                                                             quorum, ask again
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/consensus/types.hpp"

namespace mainstay::consensus {

enum class MessageType : std::uint8_t {
  pre_vote = 0,
  pre_vote_reply = 1,
  vote = 2,
  vote_reply = 3,
  append = 4,
  append_reply = 5,
  heartbeat = 6,
  heartbeat_reply = 7,
  snapshot = 8,
  snapshot_reply = 9,
  timeout_now = 10,
  read_index = 11,
  read_index_reply = 12,
};

struct Message {
  MessageType type = MessageType::heartbeat;
  NodeId from;
  NodeId to;
  Incarnation from_incarnation;
  Incarnation to_incarnation;
  Term term = 0;
  Index index = 0;
  Term log_term = 0;
  Index commit = 0;
  Index applied = 0;
  std::uint64_t context = 0;
  bool reject = false;
  bool forced = false;
  Index hint_index = 0;
  Term hint_term = 0;
  std::vector<Entry> entries;
  SnapshotMeta snapshot;
};

}  // namespace mainstay::consensus
