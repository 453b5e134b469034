// The words of the record state machine: records, commands, batches, outcomes. Plain values;
// runtime/wire gives them bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/checksum.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::record {

using Revision = std::uint64_t;  // cluster-wide number of a commit; the first has 1
// number of writes to one record, deletions included; the first has 1; 0: never written
using Version = std::uint64_t;

// A document record. A deleted one stays as a tombstone (empty value) until its retention ends, so
// that its version goes on.
struct Record {
  Bytes value;  // JSON text as the client sent it, validated at the edge
  Version version = 0;
  Revision revision = 0;          // of its last change
  Revision created_revision = 0;  // of its creation (after a tombstone: of the re-creation)
  HlcStamp stamp;                 // replicated time of its last change
  std::uint32_t origin_region = 0;
  bool tombstone = false;

  bool operator==(const Record&) const = default;
};

enum class CommandKind : std::uint8_t { put = 0, remove = 1 };

// What must hold for a command to run; checked in the apply step. All given conditions must hold.
struct Condition {
  std::optional<Version> version_is;    // If-Match: exactly this version of a live record
  std::vector<Version> version_is_not;  // If-None-Match with versions
  bool must_exist = false;              // If-Match: *
  bool must_be_absent = false;          // If-None-Match: *

  bool operator==(const Condition&) const = default;
};

// One client request that changes state. `operation` is its identity: applied at most once (promise
// P3).
struct Command {
  // Idempotency-Key, or made by the accepting node: limits::operation_id_bytes_max
  std::string operation;
  // of everything the client asked; the same operation id with another hash is refused
  Hash128 request_hash{};
  CommandKind kind = CommandKind::put;
  std::string collection;
  std::string key;
  Bytes value;  // put only
  Condition condition;

  bool operator==(const Command&) const = default;
};

// What one accepting node sends in one piece. `origin` routes the outcomes back to the waiting
// requests on that node.
struct Batch {
  NodeId origin;
  BootId origin_boot;
  std::uint64_t sequence = 0;  // per origin_boot, increasing; a re-sent batch may have another one
  std::vector<Command> commands;

  bool operator==(const Batch&) const = default;
};

// The payload of one log entry: batches of several nodes under one replicated time, set by the
// leader.
struct LogBatch {
  // the leader's wall clock; replicated time never goes back whatever this says
  std::uint64_t wall_millis = 0;
  std::vector<Batch> batches;

  bool operator==(const LogBatch&) const = default;
};

// What became of a command. Kept in the deduplication table, so that a repetition gets the same
// answer.
struct Outcome {
  std::optional<Errc> refused;  // none: done
  // of the record afterwards (done), or as found (precondition_failed)
  Version version = 0;
  Revision revision = 0;  // of the commit; 0 if nothing changed
  bool created = false;   // the record did not exist before
  bool replayed = false;  // answered from the deduplication table; not stored

  bool operator==(const Outcome&) const = default;
};

// A row of the deduplication table.
struct Operation {
  Hash128 request_hash{};
  Outcome outcome;
  std::uint64_t recorded_millis = 0;  // replicated time

  bool operator==(const Operation&) const = default;
};

// The state machine's own numbers, one row, written with every apply.
struct Counters {
  std::uint64_t applied_index = 0;
  std::uint64_t applied_term = 0;
  Revision revision = 0;
  HlcStamp stamp;  // replicated time
  Hash128 hash{};  // sum over all rows, see state_hash.hpp
  std::uint64_t live_records = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t operations = 0;

  bool operator==(const Counters&) const = default;
};

// Something to be removed when replicated time reaches `due_millis`. Ordered by (due_millis, kind,
// collection, key).
struct Expiry {
  enum class Kind : std::uint8_t { operation = 0, tombstone = 1 };
  std::uint64_t due_millis = 0;
  Kind kind = Kind::operation;
  std::string collection;  // tombstone only
  std::string key;         // operation id, or record key
  Revision revision = 0;   // tombstone only: remove the record only if it is still at this revision

  bool operator==(const Expiry&) const = default;
};

}  // namespace mainstay::record
