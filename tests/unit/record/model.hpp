// The semantics of the record state machine once more, as plainly as possible: whole copies instead
// of staging, searches instead of bookkeeping, plain integers instead of decimals, and no JSON.
// Only the words of types.hpp are shared.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/record/types.hpp"

namespace mainstay::record::model {

// {"n":…,"s":…}, either may be missing; n in tenths.
struct Doc {
  std::optional<int> n;
  std::optional<std::string> s;
  bool operator==(const Doc&) const = default;
};

// A merge patch of a Doc: nothing, a new value, or removed.
struct Patch {
  std::optional<std::optional<int>> n;
  std::optional<std::optional<std::string>> s;
};

struct Move {
  int tenths = 0;
  std::string item;
  std::string from;
  std::string to;
  std::string reverses;
  bool operator==(const Move&) const = default;
};

struct Act {
  ActionKind kind = ActionKind::put;
  std::string collection;  // of a declaration: its name
  std::string key;
  Doc doc;
  Patch patch;
  Move move;
  int variant = 0;  // declare
};

// The declarations of the tests, by number.
struct Variant {
  std::string json;
  bool is_ledger = false;
  bool has_schema = false;    // n is there, a whole number, 0 or more
  std::vector<char> indexed;  // 'n' or 's', as index "by-<position>"
  std::size_t records_max = 0;
  std::uint64_t history_ms = 0;
  unsigned scale = 0;
  bool is_guarded = false;
};
const std::vector<Variant>& variants();

struct Check {
  enum class Kind { version, not_version, exists, absent, field_n };
  std::string collection;
  std::string key;
  Kind kind = Kind::exists;
  Version version = 0;
  int tenths = 0;
};

struct BalanceAtLeast {
  std::string collection;
  std::string item;
  std::string location;
  int tenths = 0;
};

struct Request {
  std::string operation;
  bool fence = false;
  std::vector<Check> checks;
  std::vector<BalanceAtLeast> balances;
  std::vector<Act> acts;
};

Command to_command(const Request& request);
std::string text_of(const Doc& doc);

using Name = std::pair<std::string, std::string>;                 // collection, key
using Place = std::tuple<std::string, std::string, std::string>;  // collection, item, location

struct Version {
  std::optional<Doc> doc;    // none: removed, or another kind of content
  std::optional<Move> move;  // of a ledger's entry
  int variant = 0;           // of a declaration
  bool live = false;
  record::Version version = 0;
  Revision revision = 0;
  Revision created = 0;
  std::uint64_t millis = 0;
};

struct Declared {
  int variant = 0;
  Revision created = 0;
};

// Everything that a refused command leaves as it was.
struct World {
  std::map<Name, Version> rows;
  std::map<std::string, Declared> collections;
  std::map<Place, int> balances;
};

struct Done {
  Hash128 hash{};
  Outcome outcome;
  std::uint64_t millis = 0;
};

class Model {
 public:
  explicit Model(std::uint64_t window_ms) : window_ms_{window_ms} {}

  std::vector<Outcome> step(std::uint64_t wall_millis, const std::vector<Request>& requests);

  const World& world() const { return world_; }
  const std::map<std::string, Done>& done() const { return done_; }
  Revision revision() const { return revision_; }
  Revision floor() const { return floor_; }
  // Every version there ever was, in order.
  const std::map<Name, std::vector<Version>>& all() const { return all_; }

 private:
  struct Removal {
    Revision revision = 0;
    std::uint64_t due = 0;
    Name name;
  };
  struct Commit {
    Revision revision = 0;
    std::uint64_t millis = 0;
    std::string operation;
    std::vector<Name> removed;
  };

  Outcome once(const Request& request, const Hash128& hash);
  Outcome run(const Request& request);
  std::optional<Outcome> check(const Check& check) const;
  std::optional<Outcome> check(const BalanceAtLeast& check) const;
  std::variant<Errc, ActionResult> act(World& world, const Act& act, std::vector<Place>& touched);
  std::variant<Errc, ActionResult> document(World& world, const Act& act);
  std::variant<Errc, ActionResult> post(World& world, const Act& act, std::vector<Place>& touched);
  std::variant<Errc, ActionResult> declare(World& world, const Act& act);
  ActionResult write(World& world, const Name& name, Version next);
  void age();

  std::uint64_t window_ms_;
  std::uint64_t now_ = 0;
  Revision revision_ = 0;
  Revision floor_ = 0;
  World world_;
  std::map<std::string, Done> done_;
  std::map<Name, std::vector<Version>> all_;
  std::vector<Commit> timeline_;
  std::vector<Removal> removals_;
};

}  // namespace mainstay::record::model
