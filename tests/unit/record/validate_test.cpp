#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/record/state_machine.hpp"
#include "tests/unit/record/commands.hpp"

namespace mainstay::record {
namespace {

Errc refusal_of(const Command& command) {
  const auto checked = validate(command);
  return checked ? Errc::internal : checked.error().code;
}

Command with_collection(std::string name) {
  Command command = put("a", "k", "1");
  command.actions[0].collection = std::move(name);
  return command;
}

TEST(Validate, AcceptsOrdinaryCommands) {
  EXPECT_TRUE(validate(put("a", "k", "1")));
  EXPECT_TRUE(validate(removal("a", "k")));
}

TEST(Validate, CollectionNames) {
  for (const char* good : {"a", "0", "orders", "work-orders_2"})
    EXPECT_TRUE(validate(with_collection(good))) << good;
  EXPECT_TRUE(validate(with_collection(std::string(64, 'a'))));
  for (const char* bad : {"", "-a", "_a", "Orders", "a.b", "a b", "a/b", "\xc3\xa4"})
    EXPECT_EQ(refusal_of(with_collection(bad)), Errc::invalid_argument) << bad;
  EXPECT_EQ(refusal_of(with_collection(std::string(65, 'a'))), Errc::invalid_argument);
}

TEST(Validate, KeysAreWellFormedUtf8WithoutControlCharacters) {
  for (const char* good : {"k", "A 1/2", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x94\xa9",
                           "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf", "\xc2\xa0"})
    EXPECT_TRUE(validate(put("a", good, "1"))) << good;
  const char* bad_keys[] = {"",
                            "a\nb",
                            "\x7f",
                            "\xc2\x85",          // control character U+0085
                            "\x80",              // continuation without a start
                            "\xc3",              // cut off
                            "\xc0\xaf",          // overlong
                            "\xe0\x80\xaf",      // overlong
                            "\xf0\x80\x80\xaf",  // overlong
                            "\xed\xa0\x80",      // surrogate
                            "\xf4\x90\x80\x80",  // above U+10FFFF
                            "\xf5\x80\x80\x80",
                            "\xe2\x28\xa1"};
  for (const char* bad : bad_keys)
    EXPECT_EQ(refusal_of(put("a", bad, "1")), Errc::invalid_argument) << bad;
  EXPECT_EQ(refusal_of(put("a", std::string("k\0", 2), "1")), Errc::invalid_argument);
  EXPECT_TRUE(validate(put("a", std::string(limits::record_key_bytes_max, 'k'), "1")));
  EXPECT_EQ(refusal_of(put("a", std::string(limits::record_key_bytes_max + 1, 'k'), "1")),
            Errc::invalid_argument);
}

TEST(Validate, OperationIdsArePrintableAscii) {
  EXPECT_TRUE(validate(put(std::string(128, '~'), "k", "1")));
  EXPECT_TRUE(validate(put("a b", "k", "1")));
  for (const char* bad : {"", "a\tb", "\x7f", "\xc3\xa4"})
    EXPECT_EQ(refusal_of(put(bad, "k", "1")), Errc::invalid_argument) << bad;
  EXPECT_EQ(refusal_of(put(std::string(129, 'a'), "k", "1")), Errc::invalid_argument);
}

TEST(Validate, Values) {
  EXPECT_TRUE(
      validate(put("a", "k", '"' + std::string(limits::record_value_bytes_max - 2, '1') + '"')));
  EXPECT_EQ(refusal_of(put("a", "k", std::string(limits::record_value_bytes_max + 1, '1'))),
            Errc::too_large);
  EXPECT_EQ(refusal_of(put("a", "k", "")), Errc::invalid_argument);
  Command command = removal("a", "k");
  command.actions[0].value = Bytes{"1"};
  EXPECT_EQ(refusal_of(command), Errc::invalid_argument);
}

TEST(Validate, ConditionsAreBounded) {
  Condition condition;
  condition.version_is_not.assign(limits::condition_versions_max, 1);
  EXPECT_TRUE(validate(put("a", "k", "1", condition)));
  condition.version_is_not.push_back(1);
  EXPECT_EQ(refusal_of(put("a", "k", "1", condition)), Errc::invalid_argument);
}

TEST(Validate, SystemCollectionsAreGoodNames) {
  for (const char* name : {"_tokens", "_audit", "_collections"})
    EXPECT_TRUE(check_collection_name(name)) << name;
  EXPECT_FALSE(check_collection_name("_other"));
}

TEST(Validate, ValuesPatchesAndConditionsAreJson) {
  EXPECT_EQ(refusal_of(put("a", "k", "{")), Errc::invalid_argument);
  EXPECT_EQ(refusal_of(put("a", "k", R"({"a":1,"a":2})")), Errc::invalid_argument);
  for (const ActionKind kind : {ActionKind::patch, ActionKind::post}) {
    EXPECT_TRUE(validate(transaction("a", {action(kind, "orders", "k", "{}")})));
    EXPECT_EQ(refusal_of(transaction("a", {action(kind, "orders", "k", "x")})),
              Errc::invalid_argument);
  }
  Condition condition;
  condition.fields = {{"/a", Bytes{"1"}}};
  EXPECT_TRUE(validate(put("a", "k", "1", condition)));
  condition.fields = {{"a", Bytes{"1"}}};
  EXPECT_EQ(refusal_of(put("a", "k", "1", condition)), Errc::invalid_argument);
  condition.fields = {{"/a", Bytes{"x"}}};
  EXPECT_EQ(refusal_of(put("a", "k", "1", condition)), Errc::invalid_argument);
}

TEST(Validate, TransactionsAreBoundedAndNameARecordOnce) {
  std::vector<Action> actions;
  EXPECT_EQ(refusal_of(transaction("a", actions)), Errc::invalid_argument);
  for (std::size_t i = 0; i < limits::transaction_actions_max; ++i)
    actions.push_back(action(ActionKind::put, "orders", "k" + std::to_string(i), "1"));
  EXPECT_TRUE(validate(transaction("a", actions)));
  actions.back().key = "k0";
  EXPECT_EQ(refusal_of(transaction("a", actions)), Errc::invalid_argument);
  actions.back().collection = "other";
  EXPECT_TRUE(validate(transaction("a", actions)));
  actions.push_back(action(ActionKind::put, "orders", "more", "1"));
  EXPECT_EQ(refusal_of(transaction("a", actions)), Errc::invalid_argument);
  const std::string half = '"' + std::string(limits::record_value_bytes_max / 2 + 500, 'x') + '"';
  EXPECT_EQ(refusal_of(transaction("a", {action(ActionKind::put, "orders", "a", half),
                                         action(ActionKind::put, "orders", "b", half)})),
            Errc::too_large);
}

TEST(Validate, DeclarationsAreGoodAndAlone) {
  EXPECT_TRUE(validate(declaration("a", "orders")));
  EXPECT_EQ(refusal_of(declaration("a", "_orders")), Errc::invalid_argument);
  EXPECT_EQ(refusal_of(declaration("a", "_tokens")), Errc::forbidden);
  EXPECT_EQ(refusal_of(declaration("a", "orders", R"({"knid":"ledger"})")), Errc::invalid_argument);
  const Action declare = action(ActionKind::declare, "_collections", "orders", "{}");
  EXPECT_EQ(refusal_of(transaction("a", {declare, action(ActionKind::put, "orders", "k", "1")})),
            Errc::invalid_argument);
  EXPECT_EQ(refusal_of(transaction("a", {action(ActionKind::declare, "orders", "k", "{}")})),
            Errc::invalid_argument);
}

TEST(Validate, AFenceIsBare) {
  EXPECT_TRUE(validate(fence("a")));
  EXPECT_EQ(refusal_of(fence("")), Errc::invalid_argument);
  Command command = put("a", "k", "1");
  command.kind = CommandKind::fence;
  EXPECT_EQ(refusal_of(command), Errc::invalid_argument);
}

// More would be refused where every replica reads the log, after it was committed.
TEST(Validate, BalanceConditionsHaveNoMoreDimensionsThanALedger) {
  Command command = put("a", "k", "1");
  BalanceCheck& check = command.balances.emplace_back();
  check.collection = "stock";
  for (std::size_t i = 0; i < limits::ledger_dimensions_max; ++i)
    check.dimensions.emplace_back("d" + std::to_string(i), "v");
  EXPECT_TRUE(validate(command));
  check.dimensions.emplace_back("more", "v");
  EXPECT_EQ(refusal_of(command), Errc::invalid_argument);
  check.dimensions = {{"item", std::string(limits::balance_key_bytes_max + 1, 'i')}};
  EXPECT_EQ(refusal_of(command), Errc::invalid_argument);
}

}  // namespace
}  // namespace mainstay::record
