# Records, commands and their outcomes, as they stand in the log and in the record store.
# Rules: a number is never used again, a type never changes, a field that is no longer written keeps its place under the name unusedN.
# Every value is sealed (docs/formats/frame.md, "The seal"): checksum, kind and format stand in front of the message.
#
# History
#   0.5.0  first release
@0xd1f0a6f35b2c8e01;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("mainstay::schema");

# A row of a collection. A tombstone has no value.
struct Record {
  version @0 :UInt64;
  revision @1 :UInt64;
  createdRevision @2 :UInt64;
  stampMillis @3 :UInt64;
  stampCounter @4 :UInt32;
  originRegion @5 :UInt32;
  tombstone @6 :Bool;
  value @7 :Data;
}

# A row of the deduplication table.
struct Operation {
  requestHash :group {
    high @0 :UInt64;
    low @1 :UInt64;
  }
  recordedMillis @2 :UInt64;
  version @3 :UInt64;
  revision @4 :UInt64;
  created @5 :Bool;
  # Name of the refusal in runtime/base/errc.def; empty: done.
  refused @6 :Text;
}

# The state machine's own numbers.
struct Counters {
  appliedIndex @0 :UInt64;
  appliedTerm @1 :UInt64;
  revision @2 :UInt64;
  stampMillis @3 :UInt64;
  stampCounter @4 :UInt32;
  hash :group {
    high @5 :UInt64;
    low @6 :UInt64;
  }
  liveRecords @7 :UInt64;
  tombstones @8 :UInt64;
  operations @9 :UInt64;
}

enum CommandKind {
  put @0;
  remove @1;
}

struct Condition {
  hasVersionIs @0 :Bool;
  mustExist @1 :Bool;
  mustBeAbsent @2 :Bool;
  versionIs @3 :UInt64;
  versionIsNot @4 :List(UInt64);
}

struct Command {
  kind @0 :CommandKind;
  requestHash :group {
    high @1 :UInt64;
    low @2 :UInt64;
  }
  operation @3 :Text;
  collection @4 :Text;
  key @5 :Text;
  value @6 :Data;
  # Absent: no condition.
  condition @7 :Condition;
}

# What one accepting node sends in one piece.
struct Batch {
  origin @0 :UInt64;
  originBoot @1 :UInt64;
  sequence @2 :UInt64;
  commands @3 :List(Command);
}

# The payload of a log entry of kind `batch`.
struct LogBatch {
  wallMillis @0 :UInt64;
  # Each a sealed Batch, byte for byte as its origin made it.
  batches @1 :List(Data);
}
