# The replicated log: entries, terms and votes, members, snapshots. Rules of numbering: as in record.capnp.
#
# History
#   0.5.0  first release
@0xd1f0a6f35b2c8e02;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("mainstay::schema");

enum MemberRole {
  learner @0;
  voter @1;
}

struct Member {
  id @0 :UInt64;
  incarnation @1 :UInt64;
  role @2 :MemberRole;
  autoPromote @3 :Bool;
  peerAddress @4 :Text;
  apiAddress @5 :Text;
}

# Sorted by id, each id once.
struct Membership {
  members @0 :List(Member);
}

enum EntryKind {
  noop @0;
  batch @1;
  membership @2;
  check @3;
}

struct Entry {
  index @0 :UInt64;
  term @1 :UInt64;
  kind @2 :EntryKind;
  # Kind batch: a sealed LogBatch.
  payload @3 :Data;
  # Kind membership only.
  membership @4 :Membership;
}

struct HardState {
  term @0 :UInt64;
  vote @1 :UInt64;
}

struct SnapshotMeta {
  index @0 :UInt64;
  term @1 :UInt64;
  bytes @2 :UInt64;
  checksum :group {
    high @3 :UInt64;
    low @4 :UInt64;
  }
  id @5 :Text;
  membership @6 :Membership;
}
