// The words of the record state machine: records, commands, batches, outcomes. Plain values;
// runtime/wire gives them bytes. docs/data-model.md tells the same to users.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/checksum.hpp"
#include "runtime/base/decimal.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::record {

using Revision = std::uint64_t;  // cluster-wide number of a commit; the first has 1
// number of writes to one record, deletions included; the first has 1; 0: never written
using Version = std::uint64_t;

// Collections of Mainstay itself; clients cannot write to them. Their names start with '_', which
// no declared collection's may.
namespace system_collection {
inline constexpr const char* collections = "_collections";  // declarations, by collection name
inline constexpr const char* tokens = "_tokens";            // API tokens, hashed, by token id
inline constexpr const char* audit = "_audit";              // administrative calls
}  // namespace system_collection

// One version of a record: a document, or an entry of a ledger (which has one version only). A
// deleted document stays as a tombstone (empty value) for the retention window, so that its version
// goes on.
struct Record {
  Bytes value;  // JSON text
  Version version = 0;
  Revision revision = 0;          // of its last change
  Revision created_revision = 0;  // of its creation (after a tombstone: of the re-creation)
  HlcStamp stamp;                 // replicated time of its last change
  std::uint32_t origin_region = 0;
  bool tombstone = false;

  bool operator==(const Record&) const = default;
};

// --- commands ---

// What must hold of one record for a command to run. All given parts must hold.
struct Condition {
  std::optional<Version> version_is;    // If-Match: exactly this version of a live record
  std::vector<Version> version_is_not;  // If-None-Match with versions
  bool must_exist = false;              // If-Match: *
  bool must_be_absent = false;          // If-None-Match: *
  struct Field {
    std::string pointer;  // RFC 6901, into the live record's value
    Bytes equals;  // JSON text, compared as JSON: 1.0 equals 1; a missing field equals nothing
    bool operator==(const Field&) const = default;
  };
  std::vector<Field> fields;

  bool operator==(const Condition&) const = default;
};

// Dimension names and values, in the declared order of the ledger's dimensions.
using Dimensions = std::vector<std::pair<std::string, std::string>>;

struct RecordCheck {
  std::string collection;
  std::string key;
  Condition condition;
  bool operator==(const RecordCheck&) const = default;
};
struct BalanceCheck {
  std::string collection;  // a ledger
  Dimensions dimensions;   // all of them
  Decimal at_least;
  bool operator==(const BalanceCheck&) const = default;
};

enum class ActionKind : std::uint8_t {
  put = 0,        // the whole value of a document
  patch = 1,      // JSON merge patch (RFC 7396) of a live document; not_found if there is none
  remove = 2,     // of a live document; not_found if there is none
  post = 3,       // an entry into a ledger: key is the entry's id, value its JSON
  declare = 4,    // a collection: key is its name, value its declaration (declaration.hpp)
  undeclare = 5,  // an empty collection
};

struct Action {
  ActionKind kind = ActionKind::put;
  std::string collection;  // declare, undeclare: system_collection::collections
  std::string key;
  Bytes value;  // put, patch, post, declare

  bool operator==(const Action&) const = default;
};

enum class CommandKind : std::uint8_t {
  transaction = 0,
  fence = 1,  // `operation` shall never run: answers with its outcome when it has run already
};

// One client request that changes state: all of its actions under one revision, or nothing.
// `operation` is its identity: applied at most once (promise P3).
struct Command {
  CommandKind kind = CommandKind::transaction;
  // Idempotency-Key, or made by the accepting node: limits::operation_id_bytes_max
  std::string operation;
  // of everything the client asked; the same operation id with another hash is refused
  Hash128 request_hash{};
  // Checked against the state before the command, in this order, records first.
  std::vector<RecordCheck> checks;
  std::vector<BalanceCheck> balances;
  // Carried out in this order; each sees the ones before. A single write has one.
  std::vector<Action> actions;

  bool operator==(const Command&) const = default;
};

// A command with one action, on which `condition` is checked first.
Command single(Action action, Condition condition = {});

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

// --- outcomes ---

// What one action did.
struct ActionResult {
  Version version = 0;   // of the record afterwards
  bool created = false;  // it did not exist before
  bool changed = true;   // false: a ledger entry that was there already with the same content

  bool operator==(const ActionResult&) const = default;
};

// Which part of a command a refusal is about.
enum class Part : std::uint8_t { whole = 0, check = 1, balance = 2, action = 3 };

// What became of a command. Kept in the deduplication table, so that a repetition gets the same
// answer.
struct Outcome {
  std::optional<Errc> refused;        // none: done
  std::vector<ActionResult> results;  // done: one for each action
  Revision revision = 0;              // of the commit; 0 if nothing changed
  // refused: what and where, for people; at most limits::refusal_bytes_max, the same on every
  // replica
  std::string detail;
  Part part = Part::whole;  // refused: which list `position` is a place in
  std::uint32_t position = 0;
  Version found_version = 0;  // precondition_failed: of the live record as found
  bool replayed = false;      // answered from the deduplication table; not stored

  bool operator==(const Outcome&) const = default;
};

// A row of the deduplication table.
struct Operation {
  Hash128 request_hash{};
  Outcome outcome;
  std::uint64_t recorded_millis = 0;  // replicated time

  bool operator==(const Operation&) const = default;
};

// --- the timeline: what changed, in order ---

enum class ChangeKind : std::uint8_t { put = 0, remove = 1 };

// One record changed by a commit. Its value is that of the record while it stands at the commit's
// revision, else of the history row with that revision.
struct Change {
  ChangeKind kind = ChangeKind::put;
  std::string collection;
  std::string key;
  Version version = 0;
  Revision previous =
      0;  // revision of the version it took the place of, now in the history; 0: none

  bool operator==(const Change&) const = default;
};

// A row of the timeline. Rows are removed oldest first, when the retention window has passed; with
// a row go the operation's dedup entry, the superseded versions and the tombstones that it made.
struct Commit {
  Revision revision = 0;
  HlcStamp stamp;
  std::string operation;
  std::vector<Change> changes;  // a record once; at least one

  bool operator==(const Commit&) const = default;
};

// --- collections and balances ---

// How far an index of a collection is. While it is built, reads through it answer not_ready.
struct IndexState {
  std::uint16_t id = 0;  // never used again within the collection
  std::string name;      // "": dropped, its rows are being removed
  bool ready = false;
  // building: records up to this key are in; "" at the start. Dropped: the pointer it had
  std::string built_to;

  bool operator==(const IndexState&) const = default;
};

// The state machine's own row of a declared collection; the declaration itself is the record of
// this name in system_collection::collections.
struct Collection {
  std::uint32_t id = 0;    // never used again
  Revision declared = 0;   // revision of the declaration in force
  std::uint64_t live = 0;  // records without tombstones
  std::uint64_t tombstones = 0;
  std::uint64_t bytes = 0;  // of the values of live records
  std::uint16_t next_index = 1;
  std::vector<IndexState> indexes;

  bool operator==(const Collection&) const = default;
};

// A balance of a ledger: the sum of all quantities that came minus those that went. A balance of
// zero has no row.
struct Balance {
  Decimal quantity;       // at the ledger's scale
  Revision revision = 0;  // of its last change

  bool operator==(const Balance&) const = default;
};

// The state machine's own numbers, one row, written with every apply.
struct Counters {
  std::uint64_t applied_index = 0;
  std::uint64_t applied_term = 0;
  Revision revision = 0;
  Revision floor = 0;  // commits up to here have left the timeline
  HlcStamp stamp;      // replicated time
  Hash128 hash{};      // sum over all rows, see state_hash.hpp
  std::uint64_t live_records = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t operations = 0;
  std::uint64_t history = 0;  // superseded versions kept
  std::uint64_t balances = 0;
  std::uint32_t next_collection = 1;

  bool operator==(const Counters&) const = default;
};

// Something to be removed when replicated time reaches `due_millis`: what the timeline does not
// take with it. Ordered by (due_millis, kind, collection, key, revision).
struct Expiry {
  enum class Kind : std::uint8_t {
    operation = 0,  // of a command that changed nothing (refused, no-op, fence)
    history = 1,    // a superseded version in a collection that keeps history beyond the window
    tombstone = 2,  // the same for a deletion
  };
  std::uint64_t due_millis = 0;
  Kind kind = Kind::operation;
  std::string collection;  // not for operations
  std::string key;         // operation id, or record key
  Revision revision = 0;   // not for operations: of the version, of the deletion

  bool operator==(const Expiry&) const = default;
};

}  // namespace mainstay::record
