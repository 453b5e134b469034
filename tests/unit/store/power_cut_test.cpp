// The node's whole directory on a disk that forgets what was not synced: the power goes at every
// single operation of every change, and what is found afterwards must be the state before the
// change or the one behind it, and everything acknowledged.
#include <cerrno>

#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/record/memory_state.hpp"
#include "runtime/wire/codec.hpp"
#include "tests/harness/sim_disk.hpp"
#include "tests/unit/store/disk_directory.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace mainstay::store {
namespace {

using consensus::Entry;
using consensus::HardState;
using consensus::Index;
using consensus::Persist;
using consensus::SnapshotMeta;
using consensus::Term;

class PowerCutTest : public ::testing::Test {
 protected:
  using Node = std::unique_ptr<NodeStore>;
  using Step = std::function<void(Node& node)>;

  static StoreOptions options(const std::filesystem::path& directory) {
    StoreOptions wanted = test_options(directory);
    wanted.locked = false;
    wanted.background = false;
    wanted.log_map_bytes = wanted.record_map_bytes = 16 << 20;
    return wanted;
  }

  Node open(const std::filesystem::path& directory) {
    auto node = NodeStore::open(options(directory), random_);
    EXPECT_TRUE(node) << to_string(node.error());
    return node ? *std::move(node) : nullptr;
  }

  // Runs `act` on what `prepare` left, with the power going at its first, second, third … write or
  // sync, until it gets through; `check` sees what a new life finds, and whether the act was
  // through.
  void at_every_operation(const Step& prepare, const Step& act,
                          const std::function<void(Node& node, bool through)>& check) {
    for (std::uint64_t operations = 0; !HasFatalFailure() && !HasNonfatalFailure(); ++operations) {
      SCOPED_TRACE("power goes after " + std::to_string(operations) + " operations");
      harness::SimDisk disk{fresh_directory("power-cut")};
      Node node = open(disk.directory());
      ASSERT_NE(node, nullptr);
      prepare(node);
      disk.fail_after(operations, EIO);
      try {
        act(node);
      } catch (const Stopped&) {
        // Reading what was never written: the process would have been dead before.
      }
      const bool through = !disk.failure_happened();
      disk.detach();
      node.reset();
      disk.power_cut(random_);
      disk.clear_failure();
      disk.attach();
      node = open(disk.directory());
      ASSERT_NE(node, nullptr);
      check(node, through);
      EXPECT_TRUE(node->log().verify());
      EXPECT_TRUE(node->records().scrub());
      node.reset();
      if (through) return;
      ASSERT_LT(operations, 1000U) << "the act never ends";
    }
  }

  static void form(Node& node) { ASSERT_TRUE(node->form(test_cluster, members({1, 2}))); }

  static void run(Node& node, const std::vector<Entry>& entries) {
    const Persist persist = appends(entries);
    ASSERT_TRUE(node->log().write({&persist}));
    ASSERT_TRUE(node->records().apply(entries));
  }

  SeededRandom random_{20261122};
};

TEST_F(PowerCutTest, DuringInitialisation) {
  for (std::uint64_t operations = 0;; ++operations) {
    SCOPED_TRACE(operations);
    harness::SimDisk disk{fresh_directory("power-cut")};
    disk.fail_after(operations, EIO);
    (void)NodeStore::open(options(disk.directory()), random_);
    const bool through = !disk.failure_happened();
    disk.power_cut(random_);
    disk.clear_failure();
    Node node = open(disk.directory());
    ASSERT_NE(node, nullptr);
    form(node);
    run(node, {noop(1, 1)});
    if (through) return;
    ASSERT_LT(operations, 1000U);
  }
}

TEST_F(PowerCutTest, DuringFormation) {
  at_every_operation([](Node&) {},
                     [](Node& node) {
                       (void)node->form(test_cluster, members({1, 2}));
                     },
                     [](Node& node, bool through) {
                       const bool formed = node->identity().cluster == test_cluster;
                       EXPECT_TRUE(formed || !through);
                       EXPECT_EQ(node->log().start_membership(),
                                 formed ? members({1, 2}) : consensus::Membership{});
                       if (!formed) form(node);
                       run(node, {noop(1, 1)});
                     });
}

TEST_F(PowerCutTest, DuringAGroupCommit) {
  const Persist first = [] {
    Persist persist =
        appends({opaque(2, 2, std::string(9000, 'a')), membership_entry(3, 2, members({1}))});
    persist.truncate_from = 2;
    persist.hard_state = HardState{2, NodeId{2}};
    return persist;
  }();
  const Persist second = [] {
    Persist persist = appends({opaque(4, 3, "b")});
    persist.hard_state = HardState{3, NodeId{1}};
    return persist;
  }();
  at_every_operation(
      [](Node& node) {
        form(node);
        const Persist before = appends({noop(1, 1), noop(2, 1), noop(3, 1)});
        ASSERT_TRUE(node->log().write({&before}));
      },
      [&](Node& node) {
        (void)node->log().write({&first, &second});
      },
      [](Node& node, bool through) {
        const bool after = node->log().hard_state() == HardState{3, NodeId{1}};
        EXPECT_TRUE(after || !through) << "acknowledged and lost";
        EXPECT_EQ(node->log().last_index(), after ? 4U : 3U);
        EXPECT_EQ(node->log().term(2), after ? Term{2} : Term{1});
        if (!after) {
          EXPECT_EQ(node->log().hard_state(), HardState{});
        }
      });
}

TEST_F(PowerCutTest, DuringApplyAndCompaction) {
  at_every_operation(
      [](Node& node) {
        form(node);
        run(node,
            {batch_entry(1, 1, {put("op1", "A", "1")}), batch_entry(2, 1, {put("op2", "A", "2")})});
      },
      [](Node& node) {
        const Persist persist = appends(
            {batch_entry(3, 1, {put("op3", "A", "3")}), batch_entry(4, 1, {put("op4", "B", "4")})});
        if (!node->log().write({&persist})) return;
        for (const Entry& entry : persist.entries)
          if (!node->records().apply({&entry, 1})) return;
        if (!node->log().compact(node->records().durable_applied())) return;
        if (!node->records().sync()) return;
        (void)node->log().compact(node->records().durable_applied());
      },
      [](Node& node, bool through) {
        EXPECT_LE(node->log().first_index(), node->records().applied() + 1)
            << "the log forgot what the records do not hold";
        EXPECT_LE(node->records().applied(), node->log().last_index());
        // A compaction may come undone: it forgets nothing that a later one cannot forget again.
        if (through) {
          EXPECT_EQ(node->records().applied(), 4U);
        }
        const auto view = node->records().read().value();
        const Index applied = view->state().counters().applied_index;
        EXPECT_EQ(view->state().find_operation("op" + std::to_string(applied)).has_value(),
                  applied > 0);
        EXPECT_FALSE(view->state().find_operation("op" + std::to_string(applied + 1)));
      });
}

// A declared collection with an index, a ledger, and what fills every table.
std::vector<Entry> entries_for_every_table() {
  using record::Action;
  using record::ActionKind;
  const auto declare = [](const char* name, const char* json) {
    return Action{ActionKind::declare, record::system_collection::collections, name, Bytes{json}};
  };
  const auto document = [](const char* key, const char* json) {
    return Action{ActionKind::put, "docs", key, Bytes{json}};
  };
  const Action posting{ActionKind::post, "stock", "e1",
                       Bytes{R"({"quantity":"5","from":{"at":"x"},"to":{"at":"y"}})"}};
  record::Command fence = command_of("fenced", {});
  fence.kind = record::CommandKind::fence;
  constexpr std::uint64_t start = 1'700'000'000'000;
  constexpr std::uint64_t day = 24ULL * 3600 * 1000;
  return {
      batch_entry(
          1, 1,
          {command_of("d1", {declare("docs", R"({"indexes":[{"name":"a","pointer":"/a"}]})")}),
           command_of("d2", {declare("stock", R"({"kind":"ledger","ledger":)"
                                              R"({"dimensions":["at"],"scale":0}})")})},
          start),
      batch_entry(2, 1, {command_of("op1", {document("A", R"({"a":1})"), posting})}, start + 1),
      batch_entry(3, 1, {command_of("op2", {document("A", R"({"a":2})")}), fence}, start + 2),
      batch_entry(4, 1, {command_of("op3", {{ActionKind::remove, "docs", "A", {}}})}, start + day),
      batch_entry(5, 1, {command_of("op4", {document("B", R"({"a":3})")})}, start + 2 * day + 5),
      batch_entry(6, 1, {command_of("op5", {document("B", R"({"a":4})")})}, start + 4 * day),
  };
}

TEST_F(PowerCutTest, EveryTableIsOfOneMoment) {
  const std::vector<Entry> entries = entries_for_every_table();
  std::vector<std::vector<std::string>> rows_after{rows_of(record::MemoryState{})};
  record::MemoryState model;
  record::Declarations declarations;
  for (const Entry& entry : entries) {
    record::apply(model, declarations, entry.index, entry.term,
                  wire::decode_log_batch(entry.payload).value(), {limits::retention_window_ms});
    rows_after.push_back(rows_of(model));
  }
  EXPECT_GT(model.counters().floor, 0U) << "some of it has left the timeline again";
  at_every_operation(
      [&](Node& node) {
        form(node);
        run(node, {entries[0]});
      },
      [&](Node& node) {
        const Persist persist = appends({entries.begin() + 1, entries.end()});
        if (!node->log().write({&persist})) return;
        for (const Entry& entry : persist.entries) {
          if (!node->records().apply({&entry, 1})) return;
          if (entry.index % 2 == 0 && !node->records().sync()) return;
        }
      },
      [&](Node& node, bool through) {
        const Index applied = node->records().applied();
        EXPECT_TRUE(applied == entries.size() || !through);
        EXPECT_EQ(rows_of(node->records().read().value()->state()), rows_after.at(applied));
      });
}

TEST_F(PowerCutTest, DuringAnInstallation) {
  const TemporaryDirectory elsewhere;
  StoreOptions maker_options = options(elsewhere.path());
  maker_options.node = NodeId{2};
  Node maker = NodeStore::open(maker_options, random_).value();
  form(maker);
  for (Index index = 1; index <= 5; ++index)
    run(maker, {batch_entry(index, 1, {put("op" + std::to_string(index), "A", "new")})});
  const SnapshotMeta made = maker->records().make_snapshot(members({1, 2})).value();
  const std::string bytes = maker->records().read_snapshot_chunk(made.id, 0, made.bytes).value();

  const auto value = [](Node& node) {
    return std::string{
        node->records().read().value()->state().find_record(orders, "A")->value.view()};
  };
  at_every_operation(
      [](Node& node) {
        form(node);
        run(node, {batch_entry(1, 1, {put("op1", "A", "old")})});
        ASSERT_TRUE(node->records().sync());
      },
      [&](Node& node) {
        if (!node->records().stage_chunk(made, 0, bytes)) return;
        if (!node->records().finish_staging(made)) return;
        Persist persist = appends({noop(6, 2)});
        persist.snapshot = made;
        if (!node->log().write({&persist})) return;
        (void)node->records().install(made);
      },
      [&](Node& node, bool through) {
        const bool installed = node->log().first_index() == 6;
        EXPECT_TRUE(installed || !through) << "acknowledged and lost";
        EXPECT_EQ(value(node), installed ? "new" : "old");
        EXPECT_EQ(node->records().applied(), installed ? 5U : 1U);
        EXPECT_EQ(node->log().last_index(), installed ? 6U : 1U);
      });
}

TEST_F(PowerCutTest, DuringStartingOver) {
  Incarnation before;
  at_every_operation(
      [&before](Node& node) {
        form(node);
        run(node, {noop(1, 1)});
        ASSERT_TRUE(node->records().sync());
        before = node->identity().incarnation;
      },
      [this](Node& node) { (void)node->start_over(random_); },
      [&before](Node& node, bool through) {
        const bool fresh = node->identity().incarnation != before;
        EXPECT_TRUE(fresh || !through);
        EXPECT_EQ(node->identity().cluster, test_cluster);
        EXPECT_EQ(node->log().last_index(), fresh ? 0U : 1U);
        EXPECT_EQ(node->records().applied(), fresh ? 0U : 1U);
      });
}

// Many commits, random cuts: what was acknowledged is there, and nothing that was not asked for.
TEST_F(PowerCutTest, NothingAcknowledgedIsEverLost) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random{seed};
    harness::SimDisk disk{fresh_directory("power-cut")};
    Index acknowledged = 0;
    HardState state;
    Index durable = 0;
    for (int life = 0; life < 3; ++life) {
      Node node = open(disk.directory());
      ASSERT_NE(node, nullptr);
      if (life == 0) form(node);
      ASSERT_GE(node->log().last_index(), acknowledged);
      ASSERT_GE(node->log().hard_state().term, state.term);
      ASSERT_GE(node->records().applied(), durable);
      ASSERT_TRUE(node->records().scrub());
      Index applied = node->records().applied();
      disk.fail_after(random.between(1, 80), EIO);
      while (!disk.failure_happened()) {
        const Index index = node->log().last_index() + 1;
        Persist persist = appends({batch_entry(
            index, 1, {put("op" + std::to_string(index), "A", std::to_string(index))})});
        persist.hard_state = HardState{index, NodeId{1}};
        if (!node->log().write({&persist}) || disk.failure_happened()) break;
        acknowledged = index;
        state = *persist.hard_state;
        if (random.between(0, 1) == 0) continue;
        const auto entries = node->log().entries(applied + 1, index + 1, 1 << 20);
        if (!node->records().apply(entries) || disk.failure_happened()) break;
        applied = node->records().applied();
        durable = node->records().durable_applied();
      }
      disk.detach();
      node.reset();
      disk.power_cut(random);
      disk.clear_failure();
      disk.attach();
    }
  }
}

}  // namespace
}  // namespace mainstay::store
