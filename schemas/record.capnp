# Records, commands and their outcomes, as they stand in the log and in the record store.
# Rules: a number is never used again, a type never changes, a field that is no longer written keeps its place under the name unusedN.
# Every value is sealed (docs/formats/frame.md, "The seal"): checksum, kind and format stand in front of the message.
#
# History
#   0.5.0  first release
@0xd1f0a6f35b2c8e01;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("mainstay::schema");

# A version of a record: a row of the tables `records` and `history`. A tombstone has no value.
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

# An integer of 128 bits (two's complement) and how many of its decimal digits stand behind the point.
struct Decimal {
  high @0 :Int64;
  low @1 :UInt64;
  scale @2 :UInt8;
}

struct ActionResult {
  version @0 :UInt64;
  created @1 :Bool;
  changed @2 :Bool;
}

enum Part {
  whole @0;
  check @1;
  balance @2;
  action @3;
}

# A row of the deduplication table.
struct Operation {
  requestHash :group {
    high @0 :UInt64;
    low @1 :UInt64;
  }
  recordedMillis @2 :UInt64;
  revision @3 :UInt64;
  # Done: one for each action.
  results @4 :List(ActionResult);
  # Name of the refusal in runtime/base/errc.def; empty: done. The rest is for refusals only.
  refused @5 :Text;
  detail @6 :Text;
  part @7 :Part;
  position @8 :UInt32;
  foundVersion @9 :UInt64;
}

enum ChangeKind {
  put @0;
  remove @1;
}

struct Change {
  kind @0 :ChangeKind;
  version @1 :UInt64;
  # Revision of the version that went to the history; 0: none did.
  previous @2 :UInt64;
  collection @3 :Text;
  key @4 :Text;
}

# A row of the timeline. At least one change.
struct Commit {
  revision @0 :UInt64;
  stampMillis @1 :UInt64;
  stampCounter @2 :UInt32;
  operation @3 :Text;
  changes @4 :List(Change);
}

struct IndexState {
  id @0 :UInt16;
  ready @1 :Bool;
  name @2 :Text;
  builtTo @3 :Text;
}

# The state machine's own row of a collection.
struct Collection {
  id @0 :UInt32;
  nextIndex @1 :UInt16;
  declared @2 :UInt64;
  live @3 :UInt64;
  tombstones @4 :UInt64;
  bytes @5 :UInt64;
  indexes @6 :List(IndexState);
}

struct Balance {
  quantity @0 :Decimal;
  revision @1 :UInt64;
}

# The state machine's own numbers.
struct Counters {
  appliedIndex @0 :UInt64;
  appliedTerm @1 :UInt64;
  revision @2 :UInt64;
  floor @3 :UInt64;
  stampMillis @4 :UInt64;
  stampCounter @5 :UInt32;
  nextCollection @6 :UInt32;
  hash :group {
    high @7 :UInt64;
    low @8 :UInt64;
  }
  liveRecords @9 :UInt64;
  tombstones @10 :UInt64;
  operations @11 :UInt64;
  history @12 :UInt64;
  balances @13 :UInt64;
}

# What must hold of one field: `equals` is a JSON text.
struct FieldCondition {
  pointer @0 :Text;
  equals @1 :Data;
}

struct Condition {
  hasVersionIs @0 :Bool;
  mustExist @1 :Bool;
  mustBeAbsent @2 :Bool;
  versionIs @3 :UInt64;
  versionIsNot @4 :List(UInt64);
  fields @5 :List(FieldCondition);
}

struct RecordCheck {
  collection @0 :Text;
  key @1 :Text;
  condition @2 :Condition;
}

struct Dimension {
  name @0 :Text;
  value @1 :Text;
}

struct BalanceCheck {
  collection @0 :Text;
  dimensions @1 :List(Dimension);
  atLeast @2 :Decimal;
}

enum ActionKind {
  put @0;
  patch @1;
  remove @2;
  post @3;
  declare @4;
  undeclare @5;
}

struct Action {
  kind @0 :ActionKind;
  collection @1 :Text;
  key @2 :Text;
  value @3 :Data;
}

enum CommandKind {
  transaction @0;
  fence @1;
}

struct Command {
  kind @0 :CommandKind;
  requestHash :group {
    high @1 :UInt64;
    low @2 :UInt64;
  }
  operation @3 :Text;
  checks @4 :List(RecordCheck);
  balances @5 :List(BalanceCheck);
  actions @6 :List(Action);
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
