#include "runtime/integration/reconcile.hpp"

#include <gmock/gmock.h>

#include "runtime/base/limits.hpp"
#include "runtime/base/random.hpp"
#include "tests/unit/integration/reconcile_world.hpp"

namespace mainstay::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class Reconcile : public testing::Test, protected ReconcileWorld {
 protected:
  std::string text(const std::string& collection, const std::string& key,
                   const std::string& member) {
    const auto value = row(collection, key);
    const json::Value* found = value ? value->find(member) : nullptr;
    return found != nullptr ? json::to_text(*found) : "none";
  }
};

TEST_F(Reconcile, EqualOnesPassAndMoveTheMark) {
  for (int i = 0; i < 10; ++i) both("A-" + std::to_string(i), R"({"n":1})");
  pass(Millis{60'000});
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->passed);
  EXPECT_EQ(result->compared, 10U);
  EXPECT_EQ(result->equal, 10U);
  EXPECT_EQ(result->accuracy, "1");
  EXPECT_EQ(result->verified_through, time_text(port.wall() - what().settle));
  EXPECT_EQ(there.kinds.size(), 4U) << "one look, in pages of three";
  EXPECT_EQ(text(hub::reconciliations, "wms/orders", "passed"), "true");
}

TEST_F(Reconcile, EveryKindOfDifferenceIsNamed) {
  both("equal", R"({"n":1})");
  both("changed", R"({"n":1,"m":{"x":1}})");
  there.put("id-changed", "changed", R"({"n":2,"m":{"x":1}})");
  there.put("id-new", "new", R"({"n":1})");
  put("orders", "only-here", R"({"n":1})");
  both("removed", R"({"n":1})");
  remove("orders", "removed");
  both("twice", R"({"n":1})");
  there.put("id-twice-2", "twice", R"({"n":1})");
  there.things["id-bad"] = parsed(R"({"bad":1})");
  pass(Millis{60'000});
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_FALSE(result->passed);
  EXPECT_EQ(result->verified_through, "");
  EXPECT_EQ(result->open, 6U);
  EXPECT_THAT(found(), ElementsAre(Pair("changed", "differs"), Pair("id-bad", "unexpected"),
                                   Pair("new", "missing_here"), Pair("only-here", "missing_there"),
                                   Pair("removed", "unexpected"), Pair("twice", "unexpected")));
  EXPECT_EQ(text(hub::discrepancies, "wms/orders/changed", "fields"),
            R"([{"pointer":"/n","here":1,"there":2}])");
  EXPECT_EQ(text(hub::discrepancies, "wms/orders/changed", "id"), R"("id-changed")");
  EXPECT_EQ(text(hub::discrepancies, "wms/orders/changed", "open"), R"("wms")");
}

TEST_F(Reconcile, DifferencesAreResolvedWhenTheyAreGone) {
  put("orders", "a", R"({"n":1})");
  pass(Millis{60'000});
  ASSERT_TRUE(run());
  EXPECT_EQ(found().size(), 1U);
  const std::string first = text(hub::discrepancies, "wms/orders/a", "first");
  pass(Millis{60'000});
  ASSERT_TRUE(run());
  EXPECT_EQ(text(hub::discrepancies, "wms/orders/a", "first"), first);
  there.put("id-a", "a", R"({"n":1})");
  pass(Millis{60'000});
  auto result = run();
  EXPECT_TRUE(result->passed);
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_THAT(found("resolved"), ElementsAre(Pair("a", "missing_there")));
  EXPECT_EQ(text(hub::discrepancies, "wms/orders/a", "open"), "none");
}

TEST_F(Reconcile, TheMarkMovesOnlyOverContiguousPassingRuns) {
  both("a", R"({"n":1})");
  pass(Millis{60'000});
  const std::string mark = run()->verified_through;
  EXPECT_NE(mark, "");
  there.things.clear();
  pass(Millis{60'000});
  EXPECT_EQ(run()->verified_through, mark) << "failed";
  there.put("id-a", "a", R"({"n":1})");
  pass(Millis{60'000});
  auto once = run();
  EXPECT_TRUE(once->passed);
  EXPECT_EQ(once->verified_through, mark) << "the run before did not pass";
  pass(Millis{60'000});
  const auto again = run();
  EXPECT_EQ(again->verified_through, again->cut);
  pass(Millis{24 * 3600'000});
  EXPECT_EQ(run()->verified_through, again->cut) << "runs are missing in between";
  pass(Millis{60'000});
  EXPECT_GT(run()->verified_through, again->cut);
}

TEST_F(Reconcile, WhatChangedLatelyIsPending) {
  both("a", R"({"n":1})");
  pass(Millis{60'000});
  put("orders", "a", R"({"n":2})");
  put("orders", "b", R"({"n":2})");
  // The second look is later: what is written again and again stays pending.
  port.on_wait = [this] {
    put("orders", "a", R"({"n":3})");
    put("orders", "b", R"({"n":3})");
  };
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->pending, 2U);
  EXPECT_TRUE(result->passed);
  EXPECT_EQ(result->accuracy, "0.0");
}

TEST_F(Reconcile, WhatArrivesBetweenTheLooksIsNoDifference) {
  there.put("id-a", "a", R"({"n":1})");
  there.put("id-b", "b", R"({"n":1})");
  there.put("id-c", "c", R"({"n":1})");
  pass(Millis{60'000});
  port.on_wait = [this] {
    put("orders", "a", R"({"n":1})");          // imported meanwhile
    there.put("id-b", "b", R"({"n":2})");      // moves on
    there.put("id-new", "new", R"({"n":1})");  // seen once
  };
  const auto result = run();
  EXPECT_THAT(found(), ElementsAre(Pair("c", "missing_here")));
  EXPECT_EQ(result->pending, 2U);
  EXPECT_EQ(result->equal, 1U);
}

TEST_F(Reconcile, OpenEffectsAndLettersArePendingAndHoldTheMark) {
  put("orders", "sent", R"({"n":1})");
  effect("order/sent", "orders", "sent", EffectState::unknown);
  put("orders", "parked", R"({"n":1})");
  effect("order/parked", "orders", "parked", EffectState::parked);
  LetterRow out;
  out.adapter = "wms", out.direction = "out", out.id = "order/parked", out.kind = "refused";
  put(hub::letters, letter_key("wms", "out", out.id), json::to_text(to_value(out)));
  there.put("id-in", "in", R"({"n":1})");
  LetterRow in;
  in.adapter = "wms", in.direction = "in", in.id = "message-1", in.type = "order";
  in.body = R"({"key":"in","value":{"n":1}})";
  put(hub::letters, letter_key("wms", "in", in.id), json::to_text(to_value(in)));
  there.put("id-garbled", "garbled", R"({"n":1})");
  in.id = "id-garbled", in.body = "<", in.kind = "unparsable";
  put(hub::letters, letter_key("wms", "in", in.id), json::to_text(to_value(in)));
  put("orders", "acknowledged", R"({"n":1})");
  effect("order/acknowledged", "orders", "acknowledged", EffectState::acknowledged);
  pass(Millis{60'000});
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->pending, 4U);
  EXPECT_THAT(found(), ElementsAre(Pair("acknowledged", "missing_there")));
  there.put("id-acknowledged", "acknowledged", R"({"n":1})");
  pass(Millis{60'000});
  ASSERT_TRUE(run()->passed);
  pass(Millis{60'000});
  EXPECT_EQ(run()->verified_through, "") << "nobody has verified what is parked";
}

TEST_F(Reconcile, OnlyWhatIsSelectedTakesPart) {
  what().where = {{"/site", "R1"}};
  what().fields = {"/n"};
  both("a", R"({"site":"R1","n":1})");
  put("orders", "elsewhere", R"({"site":"R2","n":1})");
  there.put("id-other", "other", R"({"site":"R2","n":1})");
  there.put("id-a", "a", R"({"site":"R1","n":1.0,"note":"theirs"})");
  pass(Millis{60'000});
  const auto result = run();
  EXPECT_TRUE(result->passed);
  EXPECT_EQ(result->compared, 1U);
}

TEST_F(Reconcile, PartsOfOneRecordAndRemovalsAreUnderstood) {
  put("orders", "a", R"({"head":1,"line":2})");
  there.things["1"] = parsed(R"({"key":"a","as":"merge","value":{"head":1}})");
  there.things["2"] = parsed(R"({"key":"a","as":"merge","value":{"line":2}})");
  there.things["3"] = parsed(R"({"key":"gone","as":"remove"})");
  pass(Millis{60'000});
  EXPECT_TRUE(run()->passed);
  put("orders", "gone", R"({"head":1})");
  pass(Millis{60'000});
  ASSERT_TRUE(run());
  EXPECT_THAT(found(), ElementsAre(Pair("gone", "missing_there")));
}

TEST_F(Reconcile, AnExplainedDifferenceIsNotOpenUntilItChanges) {
  put("orders", "a", R"({"n":1})");
  there.put("id-a", "a", R"({"n":2})");
  pass(Millis{60'000});
  ASSERT_FALSE(run()->passed);
  auto explained = *row(hub::discrepancies, "wms/orders/a");
  explained.set("state", json::Value::string("explained"));
  explained.set("explanation", json::Value::string("known"));
  explained.erase("open");
  put(hub::discrepancies, "wms/orders/a", json::to_text(explained));
  const std::string mark = row(hub::reconciliations, "wms/orders")->find("cut")->text();
  pass(Millis{60'000});
  auto result = run();
  EXPECT_TRUE(result->passed);
  EXPECT_EQ(result->explained, 1U);
  EXPECT_EQ(result->accuracy, "0.0") << "explained is not equal";
  pass(Millis{60'000});
  result = run();
  EXPECT_GT(result->verified_through, mark) << "it holds the mark up no more";
  there.put("id-a", "a", R"({"n":3})");
  pass(Millis{60'000});
  result = run();
  EXPECT_EQ(result->open, 1U);
  EXPECT_EQ(row(hub::discrepancies, "wms/orders/a")->find("explanation"), nullptr)
      << "that was about another difference";
}

TEST_F(Reconcile, WhatIsExplainedWhileARunTakesPlaceStaysExplained) {
  put("orders", "a", R"({"n":1})");
  there.put("id-a", "a", R"({"n":2})");
  pass(Millis{60'000});
  ASSERT_FALSE(run()->passed);
  // The next run writes the row anew, because it is old, and waits for another difference.
  pass(Millis{4'000'000});
  put("orders", "b", R"({"n":1})");
  there.put("id-b", "b", R"({"n":2})");
  pass(Millis{60'000});
  bool said = false;
  port.on_wait = [&] {
    if (std::exchange(said, true)) return;
    auto explained = *row(hub::discrepancies, "wms/orders/a");
    explained.set("state", json::Value::string("explained"));
    explained.set("explanation", json::Value::string("known"));
    explained.erase("open");
    put(hub::discrepancies, "wms/orders/a", json::to_text(explained));
  };
  ASSERT_TRUE(run());
  ASSERT_TRUE(said);
  EXPECT_THAT(found("explained"), ElementsAre(Pair("a", "differs")));
  EXPECT_EQ(row(hub::discrepancies, "wms/orders/a")->find("explanation")->text(), "known");
}

TEST_F(Reconcile, BalancesAreComparedByTheDimensionsOfTheCounterpart) {
  what().name = "levels", what().collection = "stock", what().balances = true;
  what().mapping = std::make_shared<PlainMapping>("stock");
  what().where = {{"location", "R1"}};
  move("m1", "5", "A", "SUPPLIER", "R1", "L1");
  move("m2", "2.5", "A", "SUPPLIER", "R1", "L2");
  move("m3", "1", "B", "SUPPLIER", "R1");
  move("m4", "4", "C", "SUPPLIER", "R1");
  there.put("1", "A", R"({"item":"A","location":"R1","quantity":"7.50"})");
  there.put("2", "C", R"({"item":"C","location":"R1","quantity":3})");
  there.put("3", "D", R"({"item":"D","location":"R1","quantity":1})");
  there.put("4", "E", R"({"item":"E","location":"R2","quantity":1})");
  pass(Millis{60'000});
  auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->equal, 1U);
  EXPECT_THAT(found(), ElementsAre(Pair("B/R1", "missing_there"), Pair("C/R1", "differs"),
                                   Pair("D/R1", "missing_here")));
  EXPECT_EQ(text(hub::discrepancies, "wms/levels/C%2FR1", "fields"),
            R"([{"pointer":"/quantity","here":"4.000","there":"3"}])");
  // A move that is not there yet explains it.
  move("m5", "1", "B", "R1", "R9");
  effect("move/m5", "stock", "m5", EffectState::intent);
  LetterRow in;
  in.adapter = "wms", in.direction = "in", in.id = "x", in.type = "move";
  in.body = R"({"key":"m6","value":{"quantity":"1","item":"C","lot":"L",)"
            R"("from":{"location":"R1"},"to":{"location":"R9"}}})";
  put(hub::letters, letter_key("wms", "in", in.id), json::to_text(to_value(in)));
  pass(Millis{60'000});
  result = run();
  EXPECT_THAT(found(), ElementsAre(Pair("D/R1", "missing_here")));
  there.put("5", "F", R"({"item":"F","quantity":1,"location":"R1","lot":"L"})");
  EXPECT_EQ(run().error().code, Errc::invalid_argument);
  there.put("5", "F", R"({"item":"F","location":"R1"})");
  EXPECT_THAT(run().error().message, HasSubstr("quantity"));
}

TEST_F(Reconcile, EntriesOfALedgerAreComparedAsTheyAreStored) {
  what().collection = "stock";
  what().mapping = std::make_shared<PlainMapping>("stock");
  move("m1", "5", "A", "S", "R1");
  there.put("1", "m1",
            R"({"quantity":5.0,"item":"A","lot":"L","from":{"location":"S"},)"
            R"("to":{"location":"R1"}})");
  pass(Millis{60'000});
  EXPECT_TRUE(run()->passed);
  there.put("1", "m1",
            R"({"quantity":6,"item":"A","lot":"L","from":{"location":"S"},)"
            R"("to":{"location":"R1"}})");
  pass(Millis{60'000});
  ASSERT_TRUE(run());
  EXPECT_THAT(found(), ElementsAre(Pair("m1", "differs")));
}

TEST_F(Reconcile, ACounterpartThatIsDownJudgesNothing) {
  put("orders", "a", R"({"n":1})");
  pass(Millis{60'000});
  there.failure = Error{Errc::unavailable, "connection refused"};
  Reconciler reconciler = worker();
  EXPECT_EQ(reconciler.step().value(), Step::worked);
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_EQ(text(hub::reconciliations, "wms/orders", "detail"), R"("connection refused")");
  EXPECT_EQ(text(hub::reconciliations, "wms/orders", "passed"), "false");
  EXPECT_EQ(reconciler.step().value(), Step::idle) << "not again at once";
  there.failure.reset();
  pass(what().every);
  EXPECT_EQ(reconciler.step().value(), Step::worked);
  EXPECT_EQ(found().size(), 1U);
  EXPECT_EQ(text(hub::reconciliations, "wms/orders", "detail"), "none");
}

TEST_F(Reconcile, RunsComeWhenTheyAreDueWhoeverMakesThem) {
  both("a", R"({"n":1})");
  EXPECT_EQ(worker().step().value(), Step::worked);
  EXPECT_EQ(worker().step().value(), Step::idle) << "the schedule is in the records";
  pass(what().every);
  EXPECT_EQ(worker().step().value(), Step::worked);
}

TEST_F(Reconcile, CommandsAreObeyedAndAnswered) {
  both("a", R"({"n":1})");
  ASSERT_EQ(worker().step().value(), Step::worked);
  CommandRow command;
  command.adapter = "wms", command.id = "c1", command.command = "reconcile";
  command.arguments = parsed(R"({"name":"orders"})");
  put(hub::commands, "wms/c1", json::to_text(to_value(command)));
  EXPECT_EQ(worker().step().value(), Step::worked);
  EXPECT_EQ(text(hub::commands, "wms/c1", "state"), R"("done")");
  EXPECT_THAT(text(hub::commands, "wms/c1", "progress"), HasSubstr(R"("equal":1)"));
  EXPECT_EQ(worker().step().value(), Step::idle);
  command.arguments = parsed(R"({"name":"nonsense"})");
  put(hub::commands, "wms/c1", json::to_text(to_value(command)));
  EXPECT_EQ(worker().step().value(), Step::worked);
  EXPECT_EQ(text(hub::commands, "wms/c1", "state"), R"("failed")");
  EXPECT_THAT(text(hub::commands, "wms/c1", "detail"), HasSubstr("nonsense"));
}

TEST_F(Reconcile, AnotherTenureEndsTheWorkBeforeAnythingIsWritten) {
  put("orders", "a", R"({"n":1})");
  epoch = 6;
  EXPECT_EQ(worker().step().value(), Step::ended);
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_FALSE(row(hub::reconciliations, "wms/orders"));
}

TEST_F(Reconcile, RepairAsksForWhatIsMissingHere) {
  there.put("id-a", "a", R"({"n":1})");
  pass(Millis{60'000});
  ASSERT_TRUE(run());
  for (int i = 0; i < 2; ++i) {
    const auto counts = worker().repair(what(), "");
    ASSERT_TRUE(counts);
    EXPECT_EQ(counts->backfills, 1U) << "asked once, however often";
  }
  const auto command = row(hub::commands, "wms/repair-orders-a");
  ASSERT_TRUE(command);
  EXPECT_EQ(json::to_text(*command->find("arguments")),
            R"({"type":"order","from":"id-a","to":"id-a"})");
  EXPECT_EQ(command->find("state")->text(), "asked");
}

TEST_F(Reconcile, RepairRepeatsEffectsNeverBlindly) {
  for (const char* key : {"lost", "other", "differs", "parked", "unowned"})
    put("orders", key, R"({"n":1})");
  there.put("id-differs", "differs", R"({"n":2})");
  effect("lost/1", "orders", "lost", EffectState::acknowledged, 1);
  effect("lost/2", "orders", "lost", EffectState::acknowledged, 2);
  effect("other/1", "orders", "other", EffectState::acknowledged);
  effect("differs/1", "orders", "differs", EffectState::acknowledged);
  effect("parked/1", "orders", "parked", EffectState::parked);
  pass(Millis{60'000});
  ASSERT_TRUE(run());
  auto counts = worker().repair(what(), "lost");
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->effects, 1U);
  EXPECT_EQ(text(hub::effects, "wms/lost%2F2", "state"), R"("unknown")")
      << "the newest; look first";
  EXPECT_EQ(text(hub::effects, "wms/lost%2F1", "state"), R"("acknowledged")");
  EXPECT_EQ(text(hub::effects, "wms/other%2F1", "state"), R"("acknowledged")") << "not asked for";
  counts = worker().repair(what(), "");
  EXPECT_EQ(counts->effects, 2U) << "lost is under way";
  EXPECT_EQ(counts->left, 3U);
  EXPECT_EQ(text(hub::effects, "wms/differs%2F1", "state"), R"("acknowledged")");
  there.idempotent = true;
  EXPECT_EQ(worker().repair(what(), "differs")->effects, 1U);
  EXPECT_EQ(text(hub::effects, "wms/differs%2F1", "state"), R"("intent")");
}

TEST_F(Reconcile, RepairsByItselfWhenItIsTold) {
  what().repair = true;
  there.put("id-a", "a", R"({"n":1})");
  pass(Millis{60'000});
  EXPECT_EQ(worker().step().value(), Step::worked);
  EXPECT_TRUE(row(hub::commands, "wms/repair-orders-a"));
}

TEST_F(Reconcile, TooManyDifferencesAreAMistakeAndSaySo) {
  for (std::size_t i = 0; i <= limits::discrepancies_max; ++i)
    there.put(std::to_string(i), "k" + std::to_string(i), "{}");
  pass(Millis{60'000});
  const auto result = run();
  EXPECT_EQ(result.error().code, Errc::too_large);
  EXPECT_THAT(found(), IsEmpty());
}

// --- random differences are exactly the ones reported ---

// The arm that must never be: it tells what the records say.
class Mirror final : public Adapter {
 public:
  explicit Mirror(const record::StateReader& state) : state_{state} {}
  AdapterTraits traits() const override { return {}; }
  Result<std::vector<json::Value>> decode(const RawMessage&) override {
    return std::vector<json::Value>{};
  }
  Result<ObservedPage> observe(const std::string&, const std::string&) override {
    ObservedPage page;
    state_.scan_records("orders", "", "", [&](std::string_view key, const record::Record& record) {
      if (!record.tombstone)
        page.items.push_back({"id-" + std::string{key},
                              json::Value::object({{"key", json::Value::string(std::string{key})},
                                                   {"value", parsed(record.value.view())}})});
      return true;
    });
    return page;
  }

 private:
  const record::StateReader& state_;
};

class ReconcileRandom : public testing::Test {
 protected:
  // Plants differences, and keeps book of them.
  static std::map<std::string, std::string> plant(ReconcileWorld& world, Random& random) {
    std::map<std::string, std::string> planted;
    const auto size = random.between(1, 60);
    for (std::uint64_t i = 0; i < size; ++i) {
      const std::string key = "K/" + std::to_string(i);
      const std::string value = R"({"n":)" + std::to_string(random.between(0, 9)) + ".50}";
      world.both(key, value);
      switch (random.between(0, 9)) {
        case 0:
          world.there.things.erase("id-" + key);
          planted[key] = "missing_there";
          break;
        case 1:
          world.remove("orders", key);
          planted[key] = "unexpected";
          break;
        case 2:
          world.there.put("id-" + key, key, R"({"n":77})");
          planted[key] = "differs";
          break;
        case 3:
          world.there.put("new-" + key, "N" + key, value);
          planted["N" + key] = "missing_here";
          break;
        case 4:
          world.there.put("more-" + key, key, value);
          planted[key] = "unexpected";
          break;
        default:
          break;
      }
    }
    world.pass(Millis{60'000});
    return planted;
  }
  static std::map<std::string, std::string> reported(ReconcileWorld& world, Adapter& arm) {
    Reconciler reconciler{world.definition, Tenure{"wms", world.epoch}, arm, world.port};
    const auto result = reconciler.run(world.what());
    EXPECT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->passed, world.found().empty());
    EXPECT_EQ(result->compared, result->equal + result->open + result->pending);
    return world.found();
  }
};

TEST_F(ReconcileRandom, DifferencesAreExactlyTheOnesReported) {
  std::size_t differing = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SeededRandom random{seed};
    ReconcileWorld world;
    auto planted = plant(world, random);
    EXPECT_EQ(reported(world, world.there), planted) << "seed " << seed;
    differing += planted.empty() ? 0 : 1;
  }
  EXPECT_GT(differing, 100U);
}

TEST_F(ReconcileRandom, AnArmThatReadsTheRecordsInsteadIsCaught) {
  std::size_t caught = 0, planted_in = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SeededRandom random{seed};
    ReconcileWorld world;
    const auto planted = plant(world, random);
    Mirror mirror{*world.port.state};
    planted_in += planted.empty() ? 0 : 1;
    caught += reported(world, mirror) != planted ? 1 : 0;
  }
  EXPECT_EQ(caught, planted_in) << "wherever there is a difference";
  EXPECT_GT(caught, 30U);
}

}  // namespace
}  // namespace mainstay::integration
