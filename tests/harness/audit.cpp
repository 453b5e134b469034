#include "tests/harness/audit.hpp"

#include <fmt/format.h>

#include "runtime/base/json.hpp"
#include "runtime/record/index_key.hpp"
#include "runtime/record/state_hash.hpp"
#include "runtime/record/state_machine.hpp"
#include "tests/harness/collections.hpp"
#include "tests/harness/violation.hpp"

namespace mainstay::harness {

using record::Commit;
using record::Counters;
using record::Record;
using record::Revision;
using record::StateReader;

namespace {

template <class... Args>
void require(bool holds, const char* invariant, fmt::format_string<Args...> format,
             Args&&... args) {
  if (!holds) throw Violation{invariant, fmt::format(format, std::forward<Args>(args)...)};
}

json::Value parsed(std::string_view text) {
  Result<json::Value> value = json::parse(text);
  require(value.has_value(), "values are JSON", "{}", text);
  return std::move(*value);
}

// A ledger's entry is stored in a form of the store's own choice, a declaration with all defaults:
// those are compared by what they say.
bool same_value(const Model& model, const Model::Key& key, std::string_view found,
                const std::string& wanted) {
  if (key.first.front() == '_') return true;
  const auto home = model.collections().find(key.first);
  if (home == model.collections().end() || !home->second.ledger) return found == wanted;
  return Model::parse_move(*home->second.ledger, found) ==
         Model::parse_move(*home->second.ledger, wanted);
}

bool same(const Model& model, const Model::Key& key, const Record& found,
          const Model::Version& wanted) {
  return found.version == wanted.version && found.revision == wanted.revision &&
         found.tombstone == wanted.tombstone && found.stamp.millis == wanted.millis &&
         (wanted.tombstone || (found.created_revision == wanted.created &&
                               same_value(model, key, found.value.view(), wanted.value)));
}

class Audit {
 public:
  Audit(const StateReader& state, const Model& model, NodeId node)
      : state_{state}, model_{model}, node_{node}, counters_{state.counters()} {}

  void run() {
    records();
    timeline();
    history();
    collections();
    ledgers();
    accounts();
    if (counters_.applied_index == model_.index()) operations();
    const Hash128 hash = record::full_hash(state_);
    require(hash == counters_.hash, "state hash fits the rows", "on n{}", node_.value);
  }

 private:
  void records() {
    std::uint64_t live = 0;
    std::uint64_t tombstones = 0;
    state_.scan_all_records([&](std::string_view collection, std::string_view key,
                                const Record& record) {
      (record.tombstone ? tombstones : live) += 1;
      const Model::Key name{collection, key};
      const Model::Version* wanted = model_.at(name, counters_.revision);
      require(wanted != nullptr && same(model_, name, record, *wanted),
              "records are as the log says", "{}/{} version {} of revision {} on n{} at {}",
              collection, key, record.version, record.revision, node_.value, counters_.revision);
      return true;
    });
    std::uint64_t wanted_live = 0;
    for (const auto& [key, versions] : model_.records()) {
      const Model::Version* wanted = model_.at(key, counters_.revision);
      wanted_live += wanted != nullptr && !wanted->tombstone ? 1 : 0;
    }
    require(live == wanted_live, "records are as the log says", "n{} holds {} at {}, not {}",
            node_.value, live, counters_.revision, wanted_live);
    require(counters_.live_records == live && counters_.tombstones == tombstones,
            "counters fit the rows", "n{} counts {} records and {} deleted, and holds {} and {}",
            node_.value, counters_.live_records, counters_.tombstones, live, tombstones);
  }

  void timeline() {
    Revision next = counters_.floor + 1;
    state_.scan_commits(0, [&](const Commit& commit) {
      require(commit.revision == next, "the timeline has every commit",
              "n{} shows {} where {} must be", node_.value, commit.revision, next);
      const Model::Commit& wanted = model_.commit(next);
      require(commit.operation == wanted.operation && commit.changes == wanted.changes &&
                  commit.stamp.millis == wanted.millis,
              "the timeline is as the log says", "{} on n{}", next, node_.value);
      ++next;
      return true;
    });
    require(next == counters_.revision + 1, "the timeline has every commit",
            "that of n{} ends before {}, at {} commits", node_.value, next, counters_.revision);
    const Revision floor = model_.floor(counters_.applied_index);
    require(counters_.floor == floor, "the timeline is kept for the window",
            "n{} has forgotten up to {}, not {}", node_.value, counters_.floor, floor);
  }

  // Exactly the old versions that are to be held after this entry; and what a kept commit took the
  // place of can be had still.
  void history() {
    std::uint64_t rows = 0;
    state_.scan_all_history([&](std::string_view collection, std::string_view key,
                                const Record& record) {
      ++rows;
      const Model::Key name{collection, key};
      const Model::Version* wanted = model_.held(name, record.revision, counters_.applied_index);
      require(wanted != nullptr, "history is forgotten when due",
              "{}/{} of revision {} is held still on n{} at index {}", collection, key,
              record.revision, node_.value, counters_.applied_index);
      require(same(model_, name, record, *wanted), "history is as it was",
              "{}/{} of revision {} on n{}", collection, key, record.revision, node_.value);
      return true;
    });
    require(rows == counters_.history, "counters fit the rows", "n{} counts {} old versions of {}",
            node_.value, counters_.history, rows);
    old_versions(rows);
    for (Revision revision = counters_.floor + 1; revision <= counters_.revision; ++revision)
      for (const record::Change& change : model_.commit(revision).changes)
        if (change.previous != 0) as_it_was(change, revision);
  }

  // Each row found is one that must be there: as many of both, and they are the same.
  void old_versions(std::uint64_t found) {
    std::uint64_t wanted = 0;
    for (const auto& [key, versions] : model_.records())
      for (const Model::Version& version : versions)
        wanted += version.held_at(counters_.applied_index) ? 1 : 0;
    if (found == wanted) return;
    for (const auto& [key, versions] : model_.records())
      for (const Model::Version& version : versions)
        require(!version.held_at(counters_.applied_index) || is_held(key, version.revision),
                "history is forgotten oldest first, and only when due",
                "{}/{} of revision {} is missing on n{} at index {}", key.first, key.second,
                version.revision, node_.value, counters_.applied_index);
  }

  bool is_held(const Model::Key& key, Revision revision) {
    Revision newest = 0;
    state_.scan_history(key.first, key.second, revision, [&](const Record& record) {
      newest = record.revision;
      return false;
    });
    return newest == revision;
  }

  void as_it_was(const record::Change& change, Revision revision) {
    const auto found = record::record_at(state_, change.collection, change.key, revision - 1);
    require(found.has_value(), "history is kept for the window", "{}/{} as of {} on n{}: {}",
            change.collection, change.key, revision - 1, node_.value,
            found ? "" : to_string(found.error()));
    check_record(change.collection, change.key, *found, revision - 1, model_, node_);
  }

  void operations() {
    std::uint64_t rows = 0;
    state_.scan_all_operations([&](std::string_view id, const record::Operation& row) {
      ++rows;
      const auto wanted = model_.operations().find(std::string{id});
      require(wanted != model_.operations().end() &&
                  wanted->second.refused == row.outcome.refused &&
                  wanted->second.revision == row.outcome.revision,
              "operations are as the log says", "{} on n{}", id, node_.value);
      return true;
    });
    require(rows == model_.operations().size() && rows == counters_.operations,
            "operations are as the log says", "n{} holds {} and counts {}, not {}", node_.value,
            rows, counters_.operations, model_.operations().size());
  }

  void collections() {
    state_.scan_collections([&](std::string_view name, const record::Collection& collection) {
      const auto declared = state_.find_record(record::system_collection::collections, name);
      require(declared && !declared->tombstone && declared->revision == collection.declared,
              "collections fit their declarations", "{} on n{}", name, node_.value);
      std::uint64_t live = 0;
      std::uint64_t bytes = 0;
      std::uint64_t tombstones = 0;
      std::map<std::string, std::string> values;
      state_.scan_records(name, "", "", [&](std::string_view key, const Record& record) {
        // Those from before it was declared again do not count.
        if (record.tombstone)
          tombstones += record.revision > declared->created_revision ? 1 : 0;
        else
          ++live;
        bytes += record.value.size();
        if (!record.tombstone) values[std::string{key}] = record.value.view();
        return true;
      });
      require(live == collection.live && tombstones == collection.tombstones &&
                  bytes == collection.bytes,
              "counters fit the rows", "{} on n{}: {} records, {} deleted, {} bytes", name,
              node_.value, live, tombstones, bytes);
      const json::Value declaration = parsed(declared->value.view());
      for (const record::IndexState& index : collection.indexes)
        if (!index.name.empty())  // else it is being removed
          index_rows(collection, index, pointer_of(declaration, index.name), values);
      return true;
    });
  }

  static std::string pointer_of(const json::Value& declaration, const std::string& name) {
    if (const json::Value* indexes = declaration.find("indexes"))
      for (const json::Value& index : indexes->items())
        if (index.find("name")->text() == name) return index.find("pointer")->text();
    throw Violation{"collections fit their declarations", "no index " + name};
  }

  void index_rows(const record::Collection& collection, const record::IndexState& index,
                  const std::string& pointer, const std::map<std::string, std::string>& values) {
    using Row = std::pair<std::string, std::string>;
    std::set<Row> wanted;
    for (const auto& [key, text] : values) {
      if (!index.ready && key > index.built_to) continue;
      const json::Value value = parsed(text);
      const json::Value* at = json::find(value, pointer);
      if (at == nullptr) continue;
      if (auto encoded = record::index_key(*at)) wanted.insert({std::move(*encoded), key});
    }
    std::set<Row> found;
    state_.scan_index(collection.id, index.id, "", "",
                      [&](std::string_view value, std::string_view key) {
                        if (index.ready || key <= index.built_to) found.emplace(value, key);
                        return true;
                      });
    require(found == wanted, "indexes fit the records", "{} has {} rows instead of {} on n{}",
            index.name, found.size(), wanted.size(), node_.value);
  }

  // Twice: balances as the log says, and as the entries add up to.
  void ledgers() {
    for (const auto& [name, collection] : model_.collections())
      if (collection.ledger && state_.find_collection(name)) ledger(name, *collection.ledger);
  }

  void ledger(const std::string& name, const Model::Ledger& declared) {
    std::map<std::string, std::int64_t> sums;
    state_.scan_records(name, "", "", [&](std::string_view, const Record& record) {
      const Model::Move move = Model::parse_move(declared, record.value.view());
      sums[position(declared, move.from)] -= move.units;
      sums[position(declared, move.to)] += move.units;
      return true;
    });
    std::erase_if(sums, [](const auto& each) { return each.second == 0; });
    std::map<std::string, std::int64_t> found;
    state_.scan_balances(name, "", "", [&](std::string_view where, const record::Balance& balance) {
      found[std::string{where}] = static_cast<std::int64_t>(balance.quantity.units());
      return true;
    });
    require(found == sums, "balances are the sums of their entries", "{} on n{} at {}", name,
            node_.value, counters_.revision);
    for (const std::string& where : model_.positions(name)) {
      const std::int64_t wanted = model_.balance_at(name, where, counters_.revision);
      const auto at = found.find(where);
      require((at == found.end() ? 0 : at->second) == wanted, "balances are as the log says",
              "{} on n{} at {}", name, node_.value, counters_.revision);
    }
  }

  static std::string position(const Model::Ledger& ledger,
                              const std::map<std::string, std::string>& dimensions) {
    std::string text;
    for (const std::string& name : ledger.dimensions) text += dimensions.at(name) + '\0';
    return text;
  }

  // Nothing but the clients' own rule: what leaves one account arrives at another.
  void accounts() {
    std::int64_t sum = 0;
    std::size_t count = 0;
    state_.scan_records(names::accounts, "", "", [&](std::string_view, const Record& record) {
      if (record.tombstone) return true;
      ++count;
      sum += std::stoll(parsed(record.value.view()).find("n")->text());
      return true;
    });
    require(count == 0 || sum == names::account_count * names::account_start,
            "transfers happen whole or not at all", "{} accounts hold {} on n{} at {}", count, sum,
            node_.value, counters_.revision);
  }

  const StateReader& state_;
  const Model& model_;
  const NodeId node_;
  const Counters counters_;
};

}  // namespace

void audit(const StateReader& state, const Model& model, NodeId node) {
  Audit{state, model, node}.run();
}

void check_record(const std::string& collection, const std::string& key,
                  const std::optional<Record>& found, Revision revision, const Model& model,
                  NodeId node) {
  const Model::Version* wanted = model.at({collection, key}, revision);
  const bool none = wanted == nullptr || wanted->tombstone;
  const bool good =
      !found || found->tombstone ? none : !none && same(model, {collection, key}, *found, *wanted);
  require(good, "records are as the log says", "{}/{} as of {} on n{}", collection, key, revision,
          node.value);
}

}  // namespace mainstay::harness
