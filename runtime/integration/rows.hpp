// The records of the hub's collections (hub.hpp) as values, and back. Unknown members of a row are
// kept out; a row that cannot be read is an error that names it. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/record/state.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::integration {

// Where an adapter runs: hub-adapters/<adapter>.
struct PlacementRow {
  std::string adapter;
  std::uint64_t node = 0;  // 0: nowhere
  std::string boot;        // of the node's process
  std::uint64_t epoch = 0;
  bool paused = false;
  std::uint64_t prefer = 0;  // the node that people asked for; 0: any
  std::string since;         // RFC 3339

  bool operator==(const PlacementRow&) const = default;
};

// What a node could run: hub-nodes/<node>.
struct NodeRow {
  std::uint64_t node = 0;
  std::string boot;
  bool draining = false;
  struct Candidate {
    std::string adapter;
    std::string kind;
    std::string hash;  // of its definition
    bool operator==(const Candidate&) const = default;
  };
  std::vector<Candidate> adapters;

  bool operator==(const NodeRow&) const = default;
};

// hub-inbox/<adapter>/<id>/<version>
struct InboxRow {
  std::string adapter;
  std::string id;
  std::string version;
  std::string type;
  std::string subject;
  std::string trace;
  std::string at;
  std::string mapping;                                       // "erp-order@3"
  std::string hash;                                          // of the raw body
  std::vector<std::pair<std::string, std::string>> records;  // collection, key
};

enum class EffectState : std::uint8_t {
  intent,        // to be done
  sent,          // a call began
  unknown,       // it may have happened: look
  acknowledged,  // done, with a receipt
  refused,       // given up by people
  parked,        // waits for people, as a dead letter
};
std::string_view to_string(EffectState state);
std::optional<EffectState> effect_state_of(std::string_view name);
inline bool is_open(EffectState state) {
  return state <= EffectState::unknown;
}

// hub-effects/<adapter>/<effect key>
struct EffectRow {
  std::string adapter;
  std::string key;
  std::string type;
  std::string subject;
  std::string trace;
  EffectState state = EffectState::intent;
  std::uint32_t attempt = 0;  // calls begun
  json::Value document;
  std::string source_collection;  // the record whose change made it
  std::string source_key;
  std::uint64_t source_version = 0;
  std::uint64_t source_revision = 0;
  std::uint64_t position = 0;  // among the effects of that change
  std::string created;
  std::string sent;      // the last call began
  std::string finished;  // acknowledged or refused
  json::Value receipt;
  std::string detail;
};

enum class LetterClass : std::uint8_t { transient, conflict, refused, unparsable, drift, behind };
std::string_view to_string(LetterClass kind);

// hub-letters/<adapter>/<in|out>/<id>
struct LetterRow {
  std::string adapter;
  std::string direction;  // in, out
  std::string id;         // of the message; out: the effect's key
  std::string version;
  std::string type;
  std::string subject;
  std::string trace;
  std::string kind;  // LetterClass
  std::string reason;
  std::string body;  // as it came; out: the document
  std::string content_type;
  std::string mapping;
  std::uint64_t attempts = 0;
  std::string first;
  std::string last;
  // parked: waits for people; replay: they asked to try it again; released (out): its effect is on
  // its way again, the letter stays until the receipt; resolved; discarded
  std::string state = "parked";
  bool edited = false;
  std::uint64_t revision = 1;  // of the body

  bool is_open() const { return holds_up() || state == "released"; }
  // What follows it in its subject waits.
  bool holds_up() const { return state == "parked" || state == "replay"; }
};

// hub-commands/<adapter>/<id>
struct CommandRow {
  std::string adapter;
  std::string id;
  std::string command;
  json::Value arguments;
  std::string asked_by;
  std::string at;
  std::string state = "asked";  // asked, running, done, failed
  json::Value progress;
  std::string detail;
};

json::Value to_value(const PlacementRow& row);
json::Value to_value(const NodeRow& row);
json::Value to_value(const InboxRow& row);
json::Value to_value(const EffectRow& row);
json::Value to_value(const LetterRow& row);
json::Value to_value(const CommandRow& row);

// Errors: corrupt, naming what is missing.
Result<PlacementRow> placement_row(const json::Value& value);
Result<NodeRow> node_row(const json::Value& value);
Result<EffectRow> effect_row(const json::Value& value);
Result<LetterRow> letter_row(const json::Value& value);
Result<CommandRow> command_row(const json::Value& value);

// Record keys.
std::string inbox_key(std::string_view adapter, std::string_view id, std::string_view version);
std::string effect_key(std::string_view adapter, std::string_view key);
std::string letter_key(std::string_view adapter, std::string_view direction, std::string_view id);

// The value of a live record. Nothing: there is none, or it is no JSON.
std::optional<json::Value> find_value(const record::StateReader& view, std::string_view collection,
                                      std::string_view key);
// Every live record whose `open` is this adapter, by the index of that name; all of the adapter's
// records while the index is not there yet. In key order.
void scan_open(const record::StateReader& view, std::string_view collection,
               std::string_view adapter,
               const std::function<bool(std::string_view key, const json::Value& value,
                                        const record::Record& record)>& visit);

record::Action put_action(std::string_view collection, std::string key, const json::Value& value);
// A merge patch of a record that is there.
record::Action patch_action(std::string_view collection, std::string key, const json::Value& patch);

std::string time_text(WallTime time);                    // RFC 3339 with milliseconds, UTC
std::optional<WallTime> time_of(std::string_view text);  // the reverse

}  // namespace mainstay::integration
