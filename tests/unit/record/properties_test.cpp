// Random histories against a model that shares nothing with the state machine but the words: it
// recomputes by search what the state machine keeps by bookkeeping.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "runtime/record/state_hash.hpp"
#include "tests/unit/record/commands.hpp"

namespace mainstay::record {
namespace {

// The same cases at every run; RC_PARAMS in the environment asks for others.
const int fixed_seed = setenv("RC_PARAMS", "seed=20261122 max_success=300", 0);

struct Step {
  std::uint64_t wall_millis = 0;
  std::vector<Command> commands;
};

Condition random_condition() {
  Condition condition;
  switch (*rc::gen::inRange(0, 8)) {
    case 0:
      condition.version_is = *rc::gen::inRange<Version>(0, 5);
      break;
    case 1:
      condition.version_is_not = {*rc::gen::inRange<Version>(1, 5)};
      break;
    case 2:
      condition.must_exist = true;
      break;
    case 3:
      condition.must_be_absent = true;
      break;
    default:
      break;
  }
  return condition;
}

// Few keys and few operation ids: most commands meet a record that exists, and ids are used again,
// also for other requests.
Command random_command() {
  const std::string operation = "op-" + std::to_string(*rc::gen::inRange(0, 12));
  const std::string key = "k" + std::to_string(*rc::gen::inRange(0, 3));
  if (*rc::gen::inRange(0, 3) == 0) return removal(operation, key, random_condition());
  return put(operation, key, std::to_string(*rc::gen::inRange(0, 3)), random_condition());
}

// Commands are drawn from a pool, so that exact repetitions come again, later and in another order.
std::vector<Step> random_history() {
  std::vector<Command> pool;
  for (int i = 0; i < 15; ++i) pool.push_back(random_command());
  std::vector<Step> history(*rc::gen::inRange<std::size_t>(1, 12));
  std::uint64_t wall = 10'000;
  for (Step& step : history) {
    // Mostly a little ahead, sometimes back, sometimes past the retention.
    wall += *rc::gen::weightedElement<std::uint64_t>({{6, 100}, {2, 0}, {1, retention}});
    if (*rc::gen::inRange(0, 6) == 0) wall -= 300;
    step.wall_millis = wall;
    const int commands = *rc::gen::inRange(0, 6);
    for (int i = 0; i < commands; ++i) step.commands.push_back(*rc::gen::elementOf(pool));
  }
  return history;
}

class Model {
 public:
  struct Row {
    std::string value;
    Version version = 0;
    Revision revision = 0;
    Revision created = 0;
    bool live = false;
    std::uint64_t millis = 0;
  };
  struct Done {
    Hash128 hash{};
    Outcome outcome;
    std::uint64_t millis = 0;
  };

  std::vector<Outcome> step(const Step& step) {
    now_ = std::max(now_, step.wall_millis);
    std::vector<Outcome> outcomes;
    for (const Command& command : step.commands) outcomes.push_back(once(command));
    std::erase_if(done, [this](const auto& row) { return row.second.millis + retention <= now_; });
    std::erase_if(rows, [this](const auto& row) {
      return !row.second.live && row.second.millis + retention <= now_;
    });
    return outcomes;
  }

  std::map<std::string, Row> rows;
  std::map<std::string, Done> done;

 private:
  Outcome once(const Command& command) {
    if (done.count(command.operation) != 0) {
      const Done& before = done[command.operation];
      if (before.hash != command.request_hash) return {Errc::operation_reused, 0, 0, false, false};
      Outcome again = before.outcome;
      again.replayed = true;
      return again;
    }
    const Outcome outcome = run(command);
    done[command.operation] = {command.request_hash, outcome, now_};
    return outcome;
  }

  Outcome run(const Command& command) {
    const bool live = rows.count(command.key) != 0 && rows[command.key].live;
    const Version version = live ? rows[command.key].version : 0;
    const Condition& wanted = command.condition;
    bool good = true;
    if (wanted.version_is) good = good && live && version == *wanted.version_is;
    for (const Version excluded : wanted.version_is_not)
      good = good && !(live && version == excluded);
    if (wanted.must_exist) good = good && live;
    if (wanted.must_be_absent) good = good && !live;
    if (!good) return {Errc::precondition_failed, version, 0, false, false};
    if (command.kind == CommandKind::remove && !live) return {Errc::not_found, 0, 0, false, false};
    Row& row = rows[command.key];
    row.version += 1;
    row.revision = ++revision_;
    row.millis = now_;
    if (command.kind == CommandKind::put) {
      if (!live) row.created = row.revision;
      row.live = true;
      row.value = command.value.view();
    } else {
      row.live = false;
      row.value.clear();
    }
    return {std::nullopt, row.version, row.revision, command.kind == CommandKind::put && !live,
            false};
  }

  std::uint64_t now_ = 0;
  Revision revision_ = 0;
};

void expect_same_records(const MemoryState& state, const Model& model) {
  std::size_t seen = 0;
  state.scan_all_records([&](std::string_view, std::string_view key, const Record& record) {
    const auto at = model.rows.find(std::string{key});
    RC_ASSERT(at != model.rows.end());
    RC_ASSERT(record.value.view() == at->second.value);
    RC_ASSERT(record.version == at->second.version);
    RC_ASSERT(record.revision == at->second.revision);
    RC_ASSERT(record.created_revision == at->second.created);
    RC_ASSERT(record.tombstone == !at->second.live);
    RC_ASSERT(record.stamp.millis == at->second.millis);
    ++seen;
    return true;
  });
  RC_ASSERT(seen == model.rows.size());
}

TEST(Properties, AgreesWithAPlainModel) {
  EXPECT_TRUE(rc::check("outcomes and records are those of the model", [] {
    Replica replica;
    Model model;
    for (const Step& step : random_history()) {
      const auto expected = model.step(step);
      RC_ASSERT(replica.entry(step.wall_millis, step.commands) == expected);
      expect_same_records(replica.state, model);
      RC_ASSERT(replica.state.counters().operations == model.done.size());
    }
  }));
}

TEST(Properties, CountersAndHashAreThoseOfTheRows) {
  EXPECT_TRUE(rc::check("what is kept by bookkeeping equals what a scan finds", [] {
    Replica replica;
    for (const Step& step : random_history()) {
      replica.entry(step.wall_millis, step.commands);
      const Counters counters = replica.state.counters();
      std::uint64_t live = 0;
      std::uint64_t tombstones = 0;
      std::uint64_t operations = 0;
      replica.state.scan_all_records([&](std::string_view, std::string_view, const Record& record) {
        (record.tombstone ? tombstones : live) += 1;
        return true;
      });
      replica.state.scan_all_operations([&](std::string_view, const Operation&) {
        operations += 1;
        return true;
      });
      RC_ASSERT(counters.live_records == live);
      RC_ASSERT(counters.tombstones == tombstones);
      RC_ASSERT(counters.operations == operations);
      RC_ASSERT(counters.hash == full_hash(replica.state));
      // Nothing is kept for ever by accident: every row that must go has its place in the queue.
      RC_ASSERT(replica.state.expiries() >= operations + tombstones);
    }
  }));
}

TEST(Properties, ReplicasThatGetTheSameEntriesAreTheSame) {
  EXPECT_TRUE(rc::check("equal states, outcomes and hashes", [] {
    Replica one;
    Replica two;
    for (const Step& step : random_history()) {
      RC_ASSERT(one.entry(step.wall_millis, step.commands) ==
                two.entry(step.wall_millis, step.commands));
      RC_ASSERT(one.state == two.state);
    }
  }));
}

TEST(Properties, WhereEntriesAreCutDoesNotMatter) {
  EXPECT_TRUE(rc::check("one entry or several with the same time: the same rows", [] {
    // Long retention: what is due goes at the end of an entry, so that there the cuts do matter.
    Replica whole;
    Replica cut;
    whole.options = cut.options = {1'000'000, 1'000'000};
    for (const Step& step : random_history()) {
      const auto outcomes = whole.entry(step.wall_millis, step.commands);
      std::vector<Outcome> collected;
      for (auto at = step.commands.begin(); at != step.commands.end();) {
        const auto next = at + *rc::gen::inRange<std::ptrdiff_t>(1, step.commands.end() - at + 1);
        for (const Outcome& outcome : cut.entry(step.wall_millis, {at, next}))
          collected.push_back(outcome);
        at = next;
      }
      if (step.commands.empty()) cut.entry(step.wall_millis, {});
      RC_ASSERT(collected == outcomes);
    }
    Counters expected = whole.state.counters();
    expected.applied_index = cut.state.counters().applied_index;
    RC_ASSERT(cut.state.counters() == expected);  // the hash covers all rows
  }));
}

TEST(Properties, AnOperationTakesEffectAtMostOnceWithinItsRetention) {
  EXPECT_TRUE(rc::check("each operation id has one revision, and every repetition answers it", [] {
    Replica replica;
    replica.options = {1'000'000, retention};
    std::map<std::string, Outcome> first;
    std::set<Revision> revisions;
    for (const Step& step : random_history()) {
      const auto outcomes = replica.entry(step.wall_millis, step.commands);
      for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i].refused == Errc::operation_reused) continue;
        const auto [at, is_first] = first.emplace(step.commands[i].operation, outcomes[i]);
        RC_ASSERT(outcomes[i].replayed == !is_first);
        Outcome answer = outcomes[i];
        answer.replayed = false;
        RC_ASSERT(answer == at->second);
        if (is_first && !answer.refused) RC_ASSERT(revisions.insert(answer.revision).second);
      }
    }
    RC_ASSERT(replica.state.counters().revision == revisions.size());
  }));
}

}  // namespace
}  // namespace mainstay::record
