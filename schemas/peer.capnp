# What nodes say to each other: one frame type. Grammar and rules: docs/formats/frame.md. Rules of numbering: as in record.capnp.
#
# History
#   0.5.0  first release, protocol version 1
@0xd1f0a6f35b2c8e03;

using Cxx = import "/capnp/c++.capnp";
using Log = import "log.capnp";
$Cxx.namespace("mainstay::schema");

struct Frame {
  version @0 :UInt32;
  cluster :group {
    high @1 :UInt64;
    low @2 :UInt64;
  }
  group @3 :UInt64;
  from @4 :UInt64;
  fromIncarnation @5 :UInt64;
  fromBoot @6 :UInt64;
  to @7 :UInt64;
  toIncarnation @8 :UInt64;
  body :union {
    # Stays readable for every protocol version: it is how two nodes find a common one.
    hello @9 :Hello;
    formationOffer @10 :FormationOffer;
    joinRequest @11 :JoinRequest;
    consensus @12 :ConsensusMessages;
    proposeRequest @13 :ProposeRequest;
    proposeReply @14 :ProposeReply;
    snapshotRequest @15 :SnapshotRequest;
    snapshotChunk @16 :SnapshotChunk;
    stateHashReport @17 :StateHashReport;
    adminRequest @18 :AdminRequest;
    adminReply @19 :AdminReply;
    goAway @20 :Void;
    clockReport @21 :ClockReport;
  }
}

struct Hello {
  versionMin @0 :UInt32;
  versionMax @1 :UInt32;
  release @2 :Text;
  formed @3 :Bool;
  peerAddress @4 :Text;
  apiAddress @5 :Text;
}

struct FormationOffer {
  cluster :group {
    high @0 :UInt64;
    low @1 :UInt64;
  }
  initial @2 :Log.Membership;
}

struct JoinRequest {
  member @0 :Log.Member;
}

struct ConsensusMessages {
  messages @0 :List(Message);
}

enum MessageType {
  preVote @0;
  preVoteReply @1;
  vote @2;
  voteReply @3;
  append @4;
  appendReply @5;
  heartbeat @6;
  heartbeatReply @7;
  snapshot @8;
  snapshotReply @9;
  timeoutNow @10;
  readIndex @11;
  readIndexReply @12;
}

# Which type uses which field: runtime/consensus/message.hpp.
struct Message {
  type @0 :MessageType;
  reject @1 :Bool;
  forced @2 :Bool;
  from @3 :UInt64;
  to @4 :UInt64;
  fromIncarnation @5 :UInt64;
  toIncarnation @6 :UInt64;
  term @7 :UInt64;
  index @8 :UInt64;
  logTerm @9 :UInt64;
  commit @10 :UInt64;
  applied @11 :UInt64;
  context @12 :UInt64;
  hintIndex @13 :UInt64;
  hintTerm @14 :UInt64;
  entries @15 :List(Log.Entry);
  snapshot @16 :Log.SnapshotMeta;
}

struct ProposeRequest {
  id @0 :UInt64;
  # A sealed Batch.
  batch @1 :Data;
}

struct ProposeReply {
  id @0 :UInt64;
  accepted @1 :Bool;
  term @2 :UInt64;
  index @3 :UInt64;
  # Name of the refusal in runtime/base/errc.def; empty when accepted.
  refused @4 :Text;
}

struct SnapshotRequest {
  id @0 :Text;
  offset @1 :UInt64;
  bytesMax @2 :UInt32;
}

struct SnapshotChunk {
  id @0 :Text;
  offset @1 :UInt64;
  crc32c @2 :UInt32;
  refused @3 :Bool;
  data @4 :Data;
}

struct StateHashReport {
  index @0 :UInt64;
  hash :group {
    high @1 :UInt64;
    low @2 :UInt64;
  }
}

enum AdminKind {
  addMember @0;
  removeMember @1;
  promoteMember @2;
  transfer @3;
}

struct AdminRequest {
  id @0 :UInt64;
  kind @1 :AdminKind;
  member @2 :Log.Member;
}

struct AdminReply {
  id @0 :UInt64;
  done @1 :Bool;
  # As in ProposeReply; empty when done.
  refused @2 :Text;
  message @3 :Text;
}

struct ClockReport {
  # The sender's wall clock: milliseconds since 1970.
  wallMillis @0 :UInt64;
}
