// What one command and one entry may cost every replica, whatever they ask.
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "tests/unit/record/commands.hpp"

namespace mainstay::record {
namespace {

std::string text_of(std::size_t bytes) {
  return "\"" + std::string(bytes - 2, 'x') + "\"";
}
std::string object_of(std::size_t bytes) {
  return R"({"n":1,"text":)" + text_of(bytes - 16) + "}";
}

RecordCheck field_check(std::string key) {
  RecordCheck check{"orders", std::move(key), {}};
  check.condition.fields = {{"/n", Bytes{"1"}}};
  return check;
}

TEST(Budgets, ConditionsOnOneRecordParseItOnce) {
  Orders replica;
  replica.one(10, put("a", "large", object_of(64 * limits::kib)));
  Command command = put("b", "k", "1");
  command.checks.assign(limits::transaction_checks_max, field_check("large"));
  EXPECT_FALSE(replica.one(10, command).refused);
}

TEST(Budgets, ACommandReadsABoundedAmount) {
  Orders replica;
  Command command = put("many", "k", "1");
  for (std::size_t i = 0; i <= limits::command_read_bytes_max / limits::mib; ++i) {
    const std::string key = "large-" + std::to_string(i);
    replica.one(10, put(key, key, object_of(limits::mib)));
    command.checks.push_back(field_check(key));
  }
  const Outcome outcome = replica.one(10, command);
  EXPECT_EQ(outcome.refused, Errc::too_large);
  EXPECT_EQ(outcome.part, Part::check);
  EXPECT_FALSE(replica.state.find_record("orders", "k"));
  // It is as definite as any other refusal.
  EXPECT_TRUE(replica.one(10, command).replayed);
  // The same record again and again, which is parsed once, is passed over each time.
  command.operation = "one";
  command.checks.assign(limits::transaction_checks_max, field_check("large-0"));
  EXPECT_EQ(replica.one(10, command).refused, Errc::too_large);
}

TEST(Budgets, DeletionsOfLargeRecordsCount) {
  Orders replica;
  std::vector<Action> actions;
  for (std::size_t i = 0; i <= limits::command_read_bytes_max / limits::mib; ++i) {
    const std::string key = "large-" + std::to_string(i);
    replica.one(10, put(key, key, object_of(limits::mib)));
    actions.push_back(action(ActionKind::remove, "orders", key));
  }
  EXPECT_EQ(replica.one(10, transaction("all", actions)).refused, Errc::too_large);
  EXPECT_EQ(replica.state.find_collection("orders")->live, actions.size());
  actions.resize(actions.size() - 2);
  EXPECT_FALSE(replica.one(10, transaction("some", actions)).refused);
}

TEST(Budgets, WhatAnEntryHasNoTimeForIsBusyAndRunsLater) {
  Orders replica;
  replica.one(10, put("a", "large", object_of(limits::mib)));
  std::vector<Command> patches;
  for (std::size_t i = 0; i < 40; ++i)
    patches.push_back(transaction(
        "patch-" + std::to_string(i),
        {action(ActionKind::patch, "orders", "large", R"({"n":)" + std::to_string(i) + "}")}));
  patches.push_back(fence("fenced"));
  const auto outcomes = replica.entry(10, patches);
  std::size_t done = 0;
  while (!outcomes[done].refused) ++done;
  // Each reads the record and makes it anew.
  EXPECT_EQ(done, limits::entry_read_bytes_max / (2 * limits::mib) + 1);
  for (std::size_t i = done; i < 40; ++i) {
    EXPECT_EQ(outcomes[i].refused, Errc::busy);
    EXPECT_FALSE(replica.state.find_operation(patches[i].operation));
  }
  EXPECT_EQ(outcomes.back().refused, Errc::operation_fenced);
  // What has run is answered again, and does not take the place of what has not.
  const auto again = replica.entry(10, patches);
  EXPECT_TRUE(again[0].replayed);
  EXPECT_FALSE(again[done].refused);
}

TEST(Budgets, AnIndexOnLargeRecordsIsBuiltByTheirBytes) {
  Orders replica;
  const std::size_t bytes = 256 * limits::kib;
  for (std::size_t i = 0; i < 40; ++i) {
    const std::string key = "k" + std::to_string(100 + i);
    replica.one(10, put(key, key, object_of(bytes)));
  }
  replica.one(10, declaration("x", "orders", R"({"indexes":[{"name":"n","pointer":"/n"}]})"));
  EXPECT_EQ(replica.state.index_rows(), limits::index_build_bytes / bytes + 1);
  for (int i = 0; i < 4; ++i) replica.nothing();
  EXPECT_EQ(replica.state.index_rows(), 40u);
  EXPECT_TRUE(replica.state.find_collection("orders")->indexes.at(0).ready);
}

TEST(Budgets, CollectionsAreCountedWithThoseOfTheSameEntry) {
  Replica replica;
  std::vector<Command> commands;
  for (std::size_t i = 0; i <= limits::collections_max; ++i)
    commands.push_back(declaration("op-" + std::to_string(i), "c" + std::to_string(i)));
  const auto outcomes = replica.entry(10, commands);
  EXPECT_FALSE(outcomes[limits::collections_max - 1].refused);
  EXPECT_EQ(outcomes[limits::collections_max].refused, Errc::conflict);
  const auto undeclared = [](const std::string& operation, const std::string& name) {
    return transaction(operation, {action(ActionKind::undeclare, "_collections", name)});
  };
  const auto next = replica.entry(
      10, {undeclared("u", "c7"), declaration("d", "one-more"), declaration("e", "one-too-many")});
  EXPECT_FALSE(next[1].refused);
  EXPECT_EQ(next[2].refused, Errc::conflict);
  replica.declarations = {};  // as after a restart
  EXPECT_EQ(replica.one(10, declaration("f", "one-too-many")).refused, Errc::conflict);
}

TEST(Budgets, DroppedCollectionsLeaveNoParsedDeclaration) {
  Replica replica;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "c" + std::to_string(i);
    replica.declare(name);
    replica.one(10, transaction("put " + name, {action(ActionKind::put, name, "k", "1")}));
    replica.one(10, transaction("del " + name, {action(ActionKind::remove, name, "k")}));
    EXPECT_EQ(replica.declarations.parsed(), 1u);
    replica.one(10,
                transaction("drop " + name, {action(ActionKind::undeclare, "_collections", name)}));
  }
  EXPECT_EQ(replica.declarations.parsed(), 0u);
}

}  // namespace
}  // namespace mainstay::record
