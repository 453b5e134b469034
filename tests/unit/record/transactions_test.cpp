// What the model leaves out: the words of refusals, long histories, indexes that take several
// entries, and limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/record/state_hash.hpp"
#include "tests/unit/record/commands.hpp"

namespace mainstay::record {
namespace {

using testing::HasSubstr;

constexpr const char* stock_declaration =
    R"({"kind":"ledger","ledger":{"dimensions":["item","location"],"scale":1,"never_below":"0",
        "except":[{"location":"SUPPLIER"}]}})";

Action post(std::string id, std::string quantity, std::string from, std::string to,
            const std::string& more = "") {
  return action(ActionKind::post, "stock", std::move(id),
                R"({"item":"A","quantity":")" + quantity + R"(","from":{"location":")" + from +
                    R"("},"to":{"location":")" + to + "\"}" + more + "}");
}

struct Plant : Orders {
  Plant() { declare("stock", stock_declaration); }
  std::string balance(const std::string& location) {
    const auto found = state.find_balance("stock", std::string("A\0", 2) + location + '\0');
    return found ? found->quantity.to_string() : "0";
  }
  std::string refusal(Command command) {
    const Outcome outcome = one(10, std::move(command));
    if (!outcome.refused) return "done";
    return std::string{to_string(*outcome.refused)} + " " +
           std::to_string(static_cast<int>(outcome.part)) + "/" + std::to_string(outcome.position) +
           ": " + outcome.detail;
  }
};

TEST(Transactions, MoveStockAndWriteTheOrderTogether) {
  Plant plant;
  plant.one(10, transaction("a", {post("e1", "10", "SUPPLIER", "R1")}));
  const Outcome outcome =
      plant.one(10, transaction("b", {action(ActionKind::put, "orders", "o1", R"({"n":1})"),
                                      post("e2", "4.5", "R1", "R2"), post("e3", "1", "R2", "R1")}));
  EXPECT_EQ(outcome.results.size(), 3u);
  EXPECT_EQ(plant.balance("R1"), "6.5");
  EXPECT_EQ(plant.balance("R2"), "3.5");
  EXPECT_EQ(plant.balance("SUPPLIER"), "-10.0");
  EXPECT_EQ(plant.state.find_record("orders", "o1")->revision, outcome.revision);
  EXPECT_EQ(plant.state.find_record("stock", "e3")->revision, outcome.revision);
}

TEST(Transactions, RefusalsSayWhichPartAndWhy) {
  Plant plant;
  plant.one(10, put("a", "k", R"({"n":1})"));
  plant.one(10, transaction("b", {post("e1", "2", "SUPPLIER", "R1")}));
  EXPECT_EQ(
      plant.refusal(transaction(
          "c", {action(ActionKind::put, "orders", "l", "1"), post("e2", "3", "R1", "R2")})),
      "conflict 3/1: the balance of item=A, location=R1 is 2.0; it would become -1.0, below 0.0");
  EXPECT_FALSE(plant.state.find_record("orders", "l"));
  EXPECT_EQ(plant.refusal(put("d", "k", "2", version_is(7))),
            "precondition_failed 1/0: record 'k' of 'orders' has version 1, not 7");
  EXPECT_EQ(
      plant.refusal(transaction("e", {action(ActionKind::put, "none", "k", "1")})),
      "not_found 3/0: there is no collection 'none'; declare it with PUT /v1/collections/none");
  EXPECT_EQ(plant.refusal(transaction("f", {action(ActionKind::remove, "stock", "e1")})),
            "conflict 3/0: 'stock' is a ledger, whose entries are never changed; post a reversal");
  EXPECT_EQ(plant.refusal(transaction("g", {post("e1", "5", "SUPPLIER", "R1")})),
            "conflict 3/0: entry 'e1' exists with other content");
  EXPECT_EQ(
      plant.refusal(transaction("h", {action(ActionKind::undeclare, "_collections", "stock")})),
      "conflict 3/0: 'stock' holds 1 records; delete them first");
  EXPECT_EQ(plant.refusal(transaction("i", {action(ActionKind::put, "_collections", "x", "{}")})),
            "forbidden 3/0: declarations are written by declaring");
  Command checked = put("j", "l", "1");
  checked.balances = {{"stock", {{"item", "A"}, {"location", "R1"}}, Decimal{5, 0}}};
  EXPECT_EQ(
      plant.refusal(checked),
      "precondition_failed 2/0: the balance of item=A, location=R1 is 2.0; at least 5 is needed");
  Condition field;
  field.fields = {{"/n", Bytes{"2"}}};
  EXPECT_EQ(plant.refusal(put("k", "k", "1", field)),
            "precondition_failed 1/0: record 'k' of 'orders' has another value at '/n'");
  field.fields = {{"/n", Bytes{"1.0"}}};
  EXPECT_EQ(plant.refusal(put("l", "k", "1", field)), "done");
}

TEST(Transactions, LongDetailsAreCutAtACharacter) {
  Orders replica;
  std::string key;
  while (key.size() < 398) key += "\xc3\xa4";
  const Outcome outcome = replica.one(10, removal("a", "x" + key));
  EXPECT_LE(outcome.detail.size(), limits::refusal_bytes_max);
  EXPECT_GE(outcome.detail.size(), limits::refusal_bytes_max - 1);
  EXPECT_TRUE(json::parse('"' + outcome.detail + '"'));
}

TEST(Transactions, TheSameEntryAgainChangesNothing) {
  Plant plant;
  plant.one(10, transaction("a", {post("e1", "2", "SUPPLIER", "R1")}));
  const Revision before = plant.state.counters().revision;
  const Outcome again = plant.one(10, transaction("b", {post("e1", "2.0", "SUPPLIER", "R1")}));
  EXPECT_FALSE(again.refused);
  EXPECT_EQ(again.results, (std::vector<ActionResult>{{1, false, false}}));
  EXPECT_EQ(again.revision, 0u);
  EXPECT_EQ(plant.state.counters().revision, before);
  EXPECT_EQ(plant.balance("R1"), "2.0");
}

TEST(Transactions, ReversalsUndoOnce) {
  Plant plant;
  plant.one(10, transaction("a", {post("e1", "2", "SUPPLIER", "R1")}));
  const auto reversal = [](std::string id, std::string quantity, std::string of) {
    return post(std::move(id), std::move(quantity), "R1", "SUPPLIER",
                R"(,"reverses":")" + of + '"');
  };
  EXPECT_EQ(
      plant.refusal(transaction("b", {reversal("r1", "1", "e1")})),
      "conflict 3/0: a reversal has the quantity of entry 'e1' and its ends the other way round");
  EXPECT_EQ(plant.refusal(transaction("c", {reversal("r1", "2", "e9")})),
            "not_found 3/0: there is no entry 'e9' to reverse");
  EXPECT_EQ(plant.refusal(transaction("d", {reversal("r1", "2", "e1"), reversal("r2", "2", "e1")})),
            "conflict 3/1: entry 'e1' is reversed already");
  EXPECT_EQ(plant.refusal(transaction("e", {reversal("r1", "2", "e1")})), "done");
  EXPECT_EQ(plant.balance("R1"), "0");
  EXPECT_EQ(plant.refusal(transaction("f", {reversal("r2", "2", "e1")})),
            "conflict 3/0: entry 'e1' is reversed already");
  EXPECT_EQ(
      plant.refusal(transaction("g", {post("r2", "2", "SUPPLIER", "R1", R"(,"reverses":"r1")")})),
      "conflict 3/0: entry 'r1' is a reversal itself");
  // An entry and its reversal in one transaction.
  EXPECT_EQ(plant.refusal(
                transaction("h", {post("e2", "2", "SUPPLIER", "R1"), reversal("r3", "2", "e2")})),
            "done");
  EXPECT_EQ(plant.state.counters().balances, 0u);
}

TEST(Transactions, AGuardLooksAtTheWholeCommandAndLetsThingsGetBetter) {
  Plant plant;
  EXPECT_EQ(plant.refusal(
                transaction("a", {post("e1", "2", "R1", "R2"), post("e2", "2", "SUPPLIER", "R1")})),
            "done");
  Replica late;
  late.declare("stock",
               R"({"kind":"ledger","ledger":{"dimensions":["item","location"],"scale":1}})");
  late.one(10, transaction("a", {post("e1", "5", "R1", "R2")}));
  late.one(10, declaration("b", "stock", stock_declaration));
  EXPECT_FALSE(late.one(10, transaction("c", {post("e2", "2", "SUPPLIER", "R1")})).refused);
  EXPECT_TRUE(late.one(10, transaction("d", {post("e3", "1", "R1", "R2")})).refused);
}

TEST(Transactions, PatchesKeepNumbersAndOrder) {
  Orders replica;
  replica.one(10, put("a", "k", R"({"z":1.50,"a":{"x":1,"y":2}})"));
  replica.one(
      10,
      transaction("b", {action(ActionKind::patch, "orders", "k", R"({"a":{"x":null},"n":0.10})")}));
  EXPECT_EQ(replica.value("orders", "k"), R"({"z":1.50,"a":{"y":2},"n":0.10})");
}

TEST(Transactions, LimitsOfACollectionCount) {
  Replica replica;
  replica.declare("small", R"({"limits":{"value_bytes":10,"records":2}})");
  const auto put_small = [&](std::string operation,
                             std::vector<std::pair<const char*, const char*>> all) {
    std::vector<Action> actions;
    for (const auto& [key, value] : all)
      actions.push_back(action(ActionKind::put, "small", key, value));
    const Outcome outcome = replica.one(10, transaction(std::move(operation), std::move(actions)));
    return outcome.refused ? outcome.detail : "done";
  };
  EXPECT_EQ(put_small("a", {{"k", "12345678901"}}),
            "the value has 11 bytes; this collection allows 10");
  EXPECT_EQ(put_small("b", {{"k", "1"}, {"l", "1"}, {"m", "1"}}),
            "the collection is full: it may hold 2 records");
  EXPECT_EQ(put_small("c", {{"k", "1"}, {"l", "1"}}), "done");
  EXPECT_EQ(put_small("d", {{"k", "2"}}), "done");
  EXPECT_EQ(put_small("e", {{"m", "2"}}), "the collection is full: it may hold 2 records");
  EXPECT_EQ(replica.state.find_collection("small")->live, 2u);
}

TEST(Fences, WinAndLose) {
  Orders replica;
  const Outcome won = replica.one(10, fence("a"));
  EXPECT_EQ(won.refused, Errc::operation_fenced);
  EXPECT_FALSE(won.replayed);
  const Outcome late = replica.one(10, put("a", "k", "1"));
  EXPECT_EQ(late.refused, Errc::operation_fenced);
  EXPECT_FALSE(replica.state.find_record("orders", "k"));
  EXPECT_TRUE(replica.one(10, fence("a")).replayed);
  const Outcome first = replica.one(10, put("b", "k", "1"));
  const Outcome lost = replica.one(10, fence("b"));
  EXPECT_FALSE(lost.refused);
  EXPECT_EQ(lost.revision, first.revision);
  EXPECT_TRUE(lost.replayed);
}

TEST(History, ALongerRuleKeepsVersionsBeyondTheWindow) {
  Replica replica;
  constexpr std::uint64_t hour = 3'600'000;
  replica.declare("archive", R"({"retention":{"history_hours":72}})");
  const auto put_at = [&](std::uint64_t at, std::string operation, std::string value) {
    return replica.one(at, transaction(std::move(operation), {action(ActionKind::put, "archive",
                                                                     "k", std::move(value))}));
  };
  const Revision first = put_at(hour, "a", "1").revision;
  put_at(2 * hour, "b", "2");
  put_at(40 * hour, "c", "3");
  EXPECT_EQ(record_at(replica.state, "archive", "k", first).value()->value.view(), "1");
  EXPECT_GT(replica.state.counters().floor, first);  // though the timeline is gone
  replica.entry(75 * hour, {});
  const auto gone = record_at(replica.state, "archive", "k", first);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::compacted);
  EXPECT_EQ(record_at(replica.state, "archive", "k", first + 1).value()->value.view(), "2");
  EXPECT_FALSE(record_at(replica.state, "archive", "k", 1000));
  EXPECT_EQ(replica.state.counters().hash, full_hash(replica.state));
}

// A rule that was longer once: whoever asks for a version that is gone must not get the one before.
TEST(History, AShorterRuleLeavesNoGaps) {
  Replica replica;
  constexpr std::uint64_t hour = 3'600'000;
  replica.declare("archive", R"({"retention":{"history_hours":1000}})");
  const auto put_at = [&](std::uint64_t at, std::string operation) {
    return replica.one(at, transaction(operation, {action(ActionKind::put, "archive", "k", "1")}));
  };
  put_at(hour, "a");
  put_at(2 * hour, "b");
  const Revision second = replica.state.counters().revision;
  replica.entry(3 * hour, {});
  replica.one(3 * hour, declaration("shorter", "archive", "{}"));
  put_at(4 * hour, "c");
  replica.entry(5 * hour, {});
  const auto gone = record_at(replica.state, "archive", "k", second);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::compacted);
  EXPECT_EQ(replica.state.counters().history, 0u);
}

TEST(Transactions, NameTheDimensionsOfABalanceInAnyOrder) {
  Plant plant;
  plant.one(10, transaction("a", {post("e1", "10", "SUPPLIER", "R1")}));
  Command command = put("b", "k", "1");
  command.balances = {{"stock", {{"location", "R1"}, {"item", "A"}}, Decimal{10, 0}}};
  EXPECT_EQ(plant.refusal(command), "done");
  command.operation = "c";
  command.balances[0].at_least = Decimal{11, 0};
  EXPECT_EQ(plant.refusal(command),
            "precondition_failed 2/0: the balance of item=A, location=R1 is 10.0; at least 11 is "
            "needed");
  command.operation = "d";
  command.balances[0].dimensions = {{"place", "R1"}, {"item", "A"}};
  EXPECT_EQ(plant.refusal(command),
            "invalid_argument 2/0: 'place' stands where dimension 'location' is expected");
}

TEST(Indexes, AreBuiltAPieceAtATimeWhileWritesGoOn) {
  Orders replica;
  const std::size_t records = 2 * limits::index_build_records + 10;
  const auto key = [](std::size_t i) { return "k" + std::to_string(1000 + i); };
  const auto value = [](std::size_t i) { return R"({"n":)" + std::to_string(i) + "}"; };
  for (std::size_t i = 0; i < records; ++i) replica.one(10, put("op-" + key(i), key(i), value(i)));
  replica.one(10, declaration("x", "orders", R"({"indexes":[{"name":"n","pointer":"/n"}]})"));
  const auto rows = [&] { return replica.state.index_rows(); };
  EXPECT_EQ(rows(), limits::index_build_records);
  EXPECT_FALSE(replica.state.find_collection("orders")->indexes.at(0).ready);
  // Changes before and behind the place that is built, with a cold cache as after a restart.
  replica.declarations = {};
  replica.entry(10, {removal("r1", key(1)), removal("r2", key(records - 1)),
                     put("r3", "a", value(7)), put("r4", "z", value(8))});
  replica.nothing();
  EXPECT_EQ(rows(), records);
  EXPECT_TRUE(replica.state.find_collection("orders")->indexes.at(0).ready);
  replica.one(10, declaration("y", "orders", "{}"));
  EXPECT_EQ(rows(), records - limits::index_build_records);
  replica.nothing();
  replica.nothing();
  EXPECT_EQ(rows(), 0u);
  EXPECT_TRUE(replica.state.find_collection("orders")->indexes.empty());
}

TEST(Declaring, AgainIsANoOpAndAChangeIsAnUpdate) {
  Orders replica;
  const Outcome again = replica.one(10, declaration("a", "orders", R"({"kind":"document"})"));
  EXPECT_EQ(again.results, (std::vector<ActionResult>{{1, false, false}}));
  EXPECT_EQ(again.revision, 0u);
  const Outcome changed = replica.one(10, declaration("b", "orders", R"({"description":"x"})"));
  EXPECT_EQ(changed.results, (std::vector<ActionResult>{{2, false, true}}));
  const std::uint32_t id = replica.state.find_collection("orders")->id;
  replica.one(10, transaction("c", {action(ActionKind::undeclare, "_collections", "orders")}));
  EXPECT_FALSE(replica.state.find_collection("orders"));
  EXPECT_EQ(replica.one(10, put("d", "k", "1")).refused, Errc::not_found);
  replica.one(10, declaration("e", "orders"));
  EXPECT_GT(replica.state.find_collection("orders")->id, id);
  EXPECT_EQ(replica.state.find_record("_collections", "orders")->version, 4u);
}

TEST(Declaring, ASchemaAppliesToWritesFromThenOn) {
  Orders replica;
  replica.one(10, put("a", "k", R"({"n":"old"})"));
  replica.one(10,
              declaration("b", "orders", R"({"schema":{"properties":{"n":{"type":"integer"}}}})"));
  EXPECT_EQ(replica.value("orders", "k"), R"({"n":"old"})");
  const Outcome outcome = replica.one(10, put("c", "l", R"({"n":"new"})"));
  EXPECT_EQ(outcome.refused, Errc::invalid_argument);
  EXPECT_EQ(outcome.detail, "at '/n': is of type string, not integer");
  EXPECT_FALSE(replica.one(10, put("d", "l", R"({"n":1.0})")).refused);
}

}  // namespace
}  // namespace mainstay::record
