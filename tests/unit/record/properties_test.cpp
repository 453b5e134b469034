// Random histories of everything a command can ask, against the plain model of model.hpp.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "runtime/record/index_key.hpp"
#include "runtime/record/ledger.hpp"
#include "runtime/record/state_hash.hpp"
#include "tests/unit/record/commands.hpp"
#include "tests/unit/record/model.hpp"

namespace mainstay::record {
namespace {

using model::Act;
using model::Model;
using model::Request;

// The same cases at every run; RC_PARAMS in the environment asks for others.
const int fixed_seed = setenv("RC_PARAMS", "seed=20261122 max_success=200", 0);

// Evenly: without the size, the first cases would always get the lowest number.
int draw(int low, int high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, high + 1));
}
bool one_in(int n) {
  return draw(1, n) == 1;
}
template <class T>
T one_of(std::vector<T> values) {
  return *rc::gen::elementOf(std::move(values));
}

// Few names: most commands meet something that is there.
std::string random_collection() {
  return one_of<std::string>({"docs", "docs", "parts", "stock", "stock", "misc"});
}
std::string random_key(const std::string& collection) {
  return (collection == "stock" ? "e" : "k") + std::to_string(draw(0, 4));
}

model::Doc random_doc() {
  model::Doc doc;
  if (!one_in(6)) doc.n = one_of<int>({0, 10, 20, 15, -10});
  if (!one_in(3)) doc.s = one_of<std::string>({"x", "y", std::string(100, 'z') + "1"});
  return doc;
}

Act random_post(const std::string& collection) {
  Act act;
  act.kind = ActionKind::post;
  act.collection = collection;
  act.key = random_key("stock");
  act.move.tenths = one_of<int>({10, 10, 20, 50, 15, 0});
  act.move.item = one_of<std::string>({"A", "A", "B"});
  act.move.from = one_of<std::string>({"SUPPLIER", "SUPPLIER", "R1", "R2"});
  act.move.to = one_of<std::string>({"R1", "R2", "CUSTOMER"});
  if (one_in(4)) {
    std::swap(act.move.from, act.move.to);
    act.move.reverses = random_key("stock");
  }
  return act;
}

Act random_act() {
  Act act;
  act.collection = random_collection();
  if (act.collection == "stock" && !one_in(6)) return random_post(act.collection);
  act.kind = one_of<ActionKind>(
      {ActionKind::put, ActionKind::put, ActionKind::patch, ActionKind::remove, ActionKind::post});
  if (act.kind == ActionKind::post) return random_post(act.collection);
  act.key = random_key(act.collection);
  if (act.kind == ActionKind::put) act.doc = random_doc();
  if (act.kind == ActionKind::patch) {
    const model::Doc doc = random_doc();
    if (doc.n || one_in(3)) act.patch.n = doc.n;
    if (doc.s || one_in(3)) act.patch.s = doc.s;
  }
  return act;
}

Act random_declaration() {
  Act act;
  act.kind = one_in(4) ? ActionKind::undeclare : ActionKind::declare;
  act.collection = one_of<std::string>({"docs", "parts", "stock", "misc"});
  act.variant = act.collection == "stock" && !one_in(6)
                    ? draw(4, 6)
                    : draw(0, static_cast<int>(model::variants().size()) - 1);
  return act;
}

Request random_request() {
  Request request;
  request.operation = "op-" + std::to_string(draw(0, 40));
  if (one_in(12)) {
    request.fence = true;
    return request;
  }
  if (one_in(6)) {
    request.acts = {random_declaration()};
    return request;
  }
  const int acts = one_in(3) ? draw(2, 4) : 1;
  for (int i = 0; i < acts; ++i) request.acts.push_back(random_act());
  if (one_in(40)) request.acts.push_back(random_declaration());
  const int checks = one_in(4) ? draw(1, 2) : 0;
  for (int i = 0; i < checks; ++i) {
    model::Check check;
    check.collection = one_in(2) ? request.acts[0].collection : random_collection();
    check.key = one_in(2) ? request.acts[0].key : random_key(check.collection);
    if (check.key.empty()) check.key = "k0";
    check.kind = static_cast<model::Check::Kind>(draw(0, 4));
    check.version = static_cast<Version>(draw(1, 4));
    check.tenths = one_of<int>({0, 10, 20});
    request.checks.push_back(check);
  }
  if (one_in(5))
    request.balances.push_back(
        {one_in(6) ? "docs" : "stock", "A", one_of<std::string>({"R1", "R2"}), draw(-1, 3) * 10});
  return request;
}

struct Step {
  std::uint64_t wall_millis = 0;
  std::vector<Request> requests;
};

// The collections first, so that most commands find theirs.
std::vector<Step> random_history() {
  Step first;
  first.wall_millis = 10'000;
  const std::pair<const char*, int> declared[] = {
      {"docs", one_in(2) ? 0 : 2}, {"parts", 1}, {"stock", draw(4, 6)}};
  for (const auto& [name, variant] : declared) {
    Request request;
    request.operation = std::string{"declare-"} + name;
    Act act;
    act.kind = ActionKind::declare;
    act.collection = name;
    act.variant = variant;
    request.acts = {act};
    first.requests.push_back(request);
  }
  std::vector<Request> pool;
  for (int i = 0; i < 40; ++i) pool.push_back(random_request());
  std::vector<Step> history{first};
  const int steps = draw(1, 20);
  std::uint64_t wall = first.wall_millis;
  for (int i = 0; i < steps; ++i) {
    // Mostly a little ahead, sometimes back, sometimes past the window or the longest history.
    wall += *rc::gen::weightedElement<std::uint64_t>(
        {{12, 100}, {4, 0}, {2, retention}, {1, 30ULL * 3'600'000}});
    Step step{one_in(6) ? wall - 300 : wall, {}};
    const int requests = draw(0, 6);
    for (int j = 0; j < requests; ++j) step.requests.push_back(one_of(pool));
    history.push_back(step);
  }
  return history;
}

std::vector<Command> commands_of(const Step& step) {
  std::vector<Command> commands;
  commands.reserve(step.requests.size());
  for (const Request& request : step.requests) commands.push_back(model::to_command(request));
  return commands;
}

// The texts of refusals are for people; the model has none.
Outcome bare(Outcome outcome) {
  if (outcome.refused) RC_ASSERT(!outcome.detail.empty());
  outcome.detail.clear();
  return outcome;
}

std::vector<Outcome> bare(std::vector<Outcome> outcomes) {
  for (Outcome& outcome : outcomes) outcome = bare(std::move(outcome));
  return outcomes;
}

std::vector<Outcome> run(Replica& replica, const Step& step) {
  return bare(replica.entry(step.wall_millis, commands_of(step)));
}

void expect_version(const Record& record, const model::Version& expected) {
  RC_ASSERT(record.version == expected.version);
  RC_ASSERT(record.revision == expected.revision);
  RC_ASSERT(record.created_revision == expected.created);
  RC_ASSERT(record.tombstone == !expected.live);
  RC_ASSERT(record.stamp.millis == expected.millis);
  if (!expected.doc || !expected.live) return;
  const auto value = json::parse(record.value.view());
  RC_ASSERT(value.has_value());
  RC_ASSERT(*value == *json::parse(model::text_of(*expected.doc)));
}

void expect_same_records(const MemoryState& state, const model::World& world) {
  std::size_t seen = 0;
  state.scan_all_records(
      [&](std::string_view collection, std::string_view key, const Record& record) {
        const auto at = world.rows.find({std::string{collection}, std::string{key}});
        RC_ASSERT(at != world.rows.end());
        expect_version(record, at->second);
        ++seen;
        return true;
      });
  RC_ASSERT(seen == world.rows.size());
}

// Balances as the sum over the entries that are there.
void expect_same_balances(const MemoryState& state, const model::World& world) {
  std::map<model::Place, int> sums;
  for (const auto& [name, row] : world.rows) {
    if (!row.live || !row.move) continue;
    sums[{name.first, row.move->item, row.move->from}] -= row.move->tenths;
    sums[{name.first, row.move->item, row.move->to}] += row.move->tenths;
  }
  std::erase_if(sums, [](const auto& sum) { return sum.second == 0; });
  std::size_t seen = 0;
  state.scan_all_balances(
      [&](std::string_view collection, std::string_view position, const Balance& balance) {
        const std::size_t middle = position.find('\0');
        const std::string item{position.substr(0, middle)};
        const std::string location{position.substr(middle + 1, position.size() - middle - 2)};
        const auto sum = sums.find({std::string{collection}, item, location});
        RC_ASSERT(sum != sums.end());
        RC_ASSERT((balance.quantity == Decimal{sum->second, 1}));
        ++seen;
        return true;
      });
  RC_ASSERT(seen == sums.size());
  RC_ASSERT(state.counters().balances == seen);
}

TEST(Properties, AgreesWithAPlainModel) {
  EXPECT_TRUE(rc::check("outcomes, records and balances are those of the model", [] {
    Replica replica;
    Model model{retention};
    for (const Step& step : random_history()) {
      const auto expected = model.step(step.wall_millis, step.requests);
      const auto outcomes = run(replica, step);
      RC_ASSERT(outcomes == expected);
      expect_same_records(replica.state, model.world());
      expect_same_balances(replica.state, model.world());
      const Counters counters = replica.state.counters();
      RC_ASSERT(counters.operations == model.done().size());
      RC_ASSERT(counters.revision == model.revision());
      RC_ASSERT(counters.floor == model.floor());
    }
  }));
}

TEST(Properties, CountersAndHashAreThoseOfTheRows) {
  EXPECT_TRUE(rc::check("what is kept by bookkeeping equals what a scan finds", [] {
    Replica replica;
    Model model{retention};
    for (const Step& step : random_history()) {
      model.step(step.wall_millis, step.requests);
      run(replica, step);
      const MemoryState& state = replica.state;
      Counters found = state.counters();
      const Counters kept = found;
      found.live_records = found.tombstones = found.operations = found.history = 0;
      struct Row {
        std::uint64_t live = 0;
        std::uint64_t tombstones = 0;
        std::uint64_t bytes = 0;
      };
      std::map<std::string, Row, std::less<>> rows;
      state.scan_all_records(
          [&](std::string_view collection, std::string_view, const Record& record) {
            (record.tombstone ? found.tombstones : found.live_records) += 1;
            const auto declared = model.world().collections.find(std::string{collection});
            if (declared == model.world().collections.end()) return true;
            Row& row = rows[declared->first];
            if (!record.tombstone) row.live += 1;
            if (record.tombstone && record.revision > declared->second.created) row.tombstones += 1;
            row.bytes += record.value.size();
            return true;
          });
      state.scan_all_history([&](std::string_view, std::string_view, const Record&) {
        found.history += 1;
        return true;
      });
      state.scan_all_operations([&](std::string_view, const Operation&) {
        found.operations += 1;
        return true;
      });
      found.hash = full_hash(state);
      RC_ASSERT(kept == found);
      state.scan_collections([&](std::string_view name, const Collection& collection) {
        const Row& row = rows[std::string{name}];
        RC_ASSERT(collection.live == row.live);
        RC_ASSERT(collection.tombstones == row.tombstones);
        RC_ASSERT(collection.bytes == row.bytes);
        return true;
      });
    }
  }));
}

TEST(Properties, ReplicasThatGetTheSameEntriesAreTheSame) {
  EXPECT_TRUE(rc::check("equal states and outcomes, also with a cold cache of declarations", [] {
    Replica one;
    Replica two;
    for (const Step& step : random_history()) {
      RC_ASSERT(run(one, step) == run(two, step));
      if (one_in(3)) two.declarations = {};
      if (one_in(5)) {
        one.nothing();
        two.nothing();
      }
      RC_ASSERT(one.state == two.state);
    }
  }));
}

TEST(Properties, WhereEntriesAreCutDoesNotMatter) {
  EXPECT_TRUE(rc::check("one entry or several with the same time: the same rows", [] {
    // Long retention: what is due goes at the end of an entry, so that there the cuts do matter.
    Replica whole;
    Replica cut;
    whole.options.window_ms = cut.options.window_ms = 1'000'000'000'000;
    for (const Step& step : random_history()) {
      const auto outcomes = run(whole, step);
      const auto commands = commands_of(step);
      std::vector<Outcome> collected;
      for (auto at = commands.begin(); at != commands.end();) {
        const auto next = at + *rc::gen::inRange<std::ptrdiff_t>(1, commands.end() - at + 1);
        for (Outcome& outcome : cut.entry(step.wall_millis, {at, next}))
          collected.push_back(bare(std::move(outcome)));
        at = next;
      }
      if (commands.empty()) cut.entry(step.wall_millis, {});
      RC_ASSERT(collected == outcomes);
    }
    Counters expected = whole.state.counters();
    expected.applied_index = cut.state.counters().applied_index;
    RC_ASSERT(cut.state.counters() == expected);  // the hash covers all rows
  }));
}

TEST(Properties, ARefusedCommandChangesNothingButItsOwnRow) {
  EXPECT_TRUE(rc::check("all or nothing", [] {
    Replica replica;
    for (const Step& step : random_history()) {
      run(replica, step);
      replica.nothing();  // no index is left to work on
      const Request request = random_request();
      const std::uint64_t now = replica.state.counters().stamp.millis;
      const bool is_known = replica.state.find_operation(request.operation).has_value();
      MemoryState before = replica.state;
      const Outcome outcome = replica.one(now, model::to_command(request));
      if (!outcome.refused && !outcome.replayed) continue;
      // What may differ is taken over; everything else must be as it was.
      const Counters after = replica.state.counters();
      Counters expected = before.counters();
      expected.applied_index = after.applied_index;
      if (const auto row = replica.state.find_operation(request.operation); row && !is_known) {
        before.put_operation(request.operation, *row);
        before.put_expiry({now + retention, Expiry::Kind::operation, "", request.operation, 0});
        expected.operations += 1;
        expected.hash = add(expected.hash, hash_of(request.operation, *row));
      }
      before.set_counters(expected);
      RC_ASSERT(before == replica.state);
    }
  }));
}

TEST(Properties, TheFeedTellsEveryChangeOnceAndRebuildsTheRecords) {
  EXPECT_TRUE(rc::check("a reader that follows has what the tables have", [] {
    Replica replica;
    Revision seen = 0;
    std::size_t seen_of_next = 0;
    std::map<model::Name, Record> copy;
    for (const Step& step : random_history()) {
      run(replica, step);
      // Stops at any place, also within a commit, and goes on from there.
      bool is_end = false;
      while (!is_end) {
        is_end = true;
        int left = draw(1, 3);
        const auto good =
            scan_changes(replica.state, seen, seen_of_next, [&](const ChangeView& view) {
              if (left-- == 0) return is_end = false;
              RC_ASSERT(view.commit->revision == seen + 1);
              RC_ASSERT(view.position == seen_of_next);
              RC_ASSERT(view.record.revision == view.commit->revision);
              RC_ASSERT(view.record.version == view.change->version);
              RC_ASSERT(view.record.tombstone == (view.change->kind == ChangeKind::remove));
              const model::Name name{view.change->collection, view.change->key};
              const auto old = copy.find(name);
              RC_ASSERT(old == copy.end() || old->second.revision == view.change->previous ||
                        view.change->previous == 0);
              copy[name] = view.record;
              seen_of_next += 1;
              if (seen_of_next == view.commit->changes.size()) {
                seen += 1;
                seen_of_next = 0;
              }
              return true;
            });
        RC_ASSERT(good.has_value());
      }
      RC_ASSERT(seen == replica.state.counters().revision);
      std::map<model::Name, Record> live;
      for (const auto& [name, record] : copy)
        if (!record.tombstone) live[name] = record;
      std::size_t found = 0;
      replica.state.scan_all_records(
          [&](std::string_view collection, std::string_view key, const Record& record) {
            if (record.tombstone) return true;
            const auto at = live.find({std::string{collection}, std::string{key}});
            RC_ASSERT(at != live.end());
            RC_ASSERT(at->second == record);
            ++found;
            return true;
          });
      RC_ASSERT(found == live.size());
    }
    const Revision floor = replica.state.counters().floor;
    if (floor > 0) {
      const auto gone = scan_changes(replica.state, floor - 1, 0, [](const auto&) { return true; });
      RC_ASSERT(!gone && gone.error().code == Errc::compacted);
    }
  }));
}

TEST(Properties, ThePastIsToldRightOrNotAtAll) {
  EXPECT_TRUE(rc::check("record_at is what was, or compacted below the floor", [] {
    Replica replica;
    Model model{retention};
    for (const Step& step : random_history()) {
      model.step(step.wall_millis, step.requests);
      run(replica, step);
      if (model.all().empty()) continue;
      const Revision floor = replica.state.counters().floor;
      for (const auto& [name, versions] : model.all()) {
        const auto revision = *rc::gen::inRange<Revision>(0, model.revision() + 1);
        const auto found = record_at(replica.state, name.first, name.second, revision);
        const model::Version* expected = nullptr;
        for (const model::Version& version : versions)
          if (version.revision <= revision) expected = &version;
        if (!found) {
          RC_ASSERT(found.error().code == Errc::compacted);
          RC_ASSERT(revision < floor);
          continue;
        }
        if (expected == nullptr || (!expected->live && !*found)) {
          RC_ASSERT(!found->has_value());
          continue;
        }
        RC_ASSERT(found->has_value());
        expect_version(**found, *expected);
      }
    }
  }));
}

// The plain model forgets all that is due at once; here each version is taken down as it is made.
TEST(Properties, ThePastIsToldRightAlsoWhileWhatIsDueHasToWait) {
  EXPECT_TRUE(rc::check("with few rows that leave at a time, nothing is told wrong", [] {
    Replica replica;
    replica.options.expire_rows_min = static_cast<std::size_t>(draw(1, 12));
    std::map<model::Name, std::map<Revision, Record>> all;
    Revision seen = 0;
    for (const Step& step : random_history()) {
      run(replica, step);
      const auto made = scan_changes(replica.state, seen, 0, [&](const ChangeView& view) {
        seen = view.commit->revision;
        all[{view.change->collection, view.change->key}][seen] = view.record;
        return true;
      });
      RC_ASSERT(made.has_value());
      const Counters counters = replica.state.counters();
      RC_ASSERT(counters.hash == full_hash(replica.state));
      for (const auto& [name, versions] : all) {
        const auto revision = *rc::gen::inRange<Revision>(0, counters.revision + 1);
        const auto found = record_at(replica.state, name.first, name.second, revision);
        if (!found) {
          RC_ASSERT(found.error().code == Errc::compacted);
          RC_ASSERT(revision < counters.floor);
          continue;
        }
        const auto next = versions.upper_bound(revision);
        const Record* expected = next == versions.begin() ? nullptr : &std::prev(next)->second;
        if (*found)
          RC_ASSERT(expected != nullptr && **found == *expected);
        else
          RC_ASSERT(expected == nullptr || expected->tombstone);
      }
    }
  }));
}

std::optional<std::string> index_value(const model::Version& row, char field) {
  if (!row.live || !row.doc) return std::nullopt;
  if (field == 'n' && row.doc->n)
    return index_key(json::Value::number(std::to_string(*row.doc->n) + "e-1"));
  if (field == 's' && row.doc->s) return index_key(json::Value::string(*row.doc->s));
  return std::nullopt;
}

TEST(Properties, IndexesHoldWhatAFilteredScanFinds) {
  EXPECT_TRUE(rc::check("the rows of every index are those of the records", [] {
    Replica replica;
    Model model{retention};
    for (const Step& step : random_history()) {
      model.step(step.wall_millis, step.requests);
      run(replica, step);
      replica.nothing();
      std::size_t rows = 0;
      for (const auto& [name, declared] : model.world().collections) {
        const model::Variant& variant =
            model::variants()[static_cast<std::size_t>(declared.variant)];
        const auto row = replica.state.find_collection(name);
        RC_ASSERT(row.has_value());
        RC_ASSERT(row->indexes.size() == variant.indexed.size());
        for (const IndexState& index : row->indexes) {
          RC_ASSERT(index.ready);
          const char field = variant.indexed.at(static_cast<std::size_t>(index.name.back() - '0'));
          std::set<std::pair<std::string, std::string>> expected;
          for (const auto& [place, version] : model.world().rows)
            if (const auto value = index_value(version, field); place.first == name && value)
              expected.emplace(*value, place.second);
          std::set<std::pair<std::string, std::string>> found;
          replica.state.scan_index(row->id, index.id, "", "",
                                   [&](std::string_view value, std::string_view key) {
                                     found.emplace(value, key);
                                     return true;
                                   });
          RC_ASSERT(found == expected);
          rows += found.size();
        }
      }
      for (const auto& [name, version] : model.world().rows)
        if (version.live && version.move && !version.move->reverses.empty()) ++rows;
      RC_ASSERT(replica.state.index_rows() == rows);
    }
  }));
}

TEST(Properties, AnOperationTakesEffectAtMostOnceWithinItsRetention) {
  EXPECT_TRUE(rc::check("each operation id has one revision, and every repetition answers it", [] {
    Replica replica;
    replica.options.window_ms = 1'000'000'000'000;
    std::map<std::string, Outcome> first;
    std::set<Revision> revisions;
    for (const Step& step : random_history()) {
      const auto outcomes = run(replica, step);
      for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i].refused == Errc::operation_reused) continue;
        if (!replica.state.find_operation(step.requests[i].operation)) continue;  // not storable
        if (outcomes[i].refused == Errc::invalid_argument && outcomes[i].part == Part::whole)
          continue;
        const auto [at, is_first] = first.emplace(step.requests[i].operation, outcomes[i]);
        RC_ASSERT(outcomes[i].replayed == !is_first);
        Outcome answer = outcomes[i];
        answer.replayed = false;
        RC_ASSERT(answer == at->second);
        if (is_first && answer.revision != 0) RC_ASSERT(revisions.insert(answer.revision).second);
      }
    }
    RC_ASSERT(replica.state.counters().revision == revisions.size());
  }));
}

}  // namespace
}  // namespace mainstay::record
