#include "runtime/integration/lane.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/integration/exporter.hpp"
#include "runtime/integration/release.hpp"
#include "tests/unit/integration/hub_lab.hpp"

namespace mainstay::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

struct LaneTest : testing::Test {
  LaneTest() { cluster.declare("orders"); }

  void order(const std::string& id, const std::string& state = "confirmed") {
    cluster.put("orders", id, R"({"id":")" + id + R"(","state":")" + state + R"("})");
  }
  void make_intents() {
    Exporter exporter{definition, tenure, cluster};
    for (int i = 0; i < 1'000; ++i) {
      const auto step = exporter.step();
      ASSERT_TRUE(step) << to_string(step.error());
      if (*step != Step::worked) return;
    }
    FAIL() << "the exporter does not end";
  }
  // Both lanes, each a new worker, until neither has anything to do for `time`.
  Step run(Millis time = Millis{0}) {
    make_intents();
    LabAdapter first{counterpart, executioner};
    LabAdapter second{counterpart, executioner};
    Lane lanes[] = {{definition, tenure, 0, first, cluster, random},
                    {definition, tenure, 1, second, cluster, random}};
    const MonotonicTime until = cluster.monotonic() + time;
    for (int i = 0; i < 10'000; ++i) {
      bool worked = false;
      for (Lane& lane : lanes) {
        const auto step = lane.step();
        EXPECT_TRUE(step) << to_string(step.error());
        if (!step || *step == Step::ended) return Step::ended;
        worked = worked || *step == Step::worked;
      }
      if (worked) continue;
      if (cluster.monotonic() >= until) return Step::idle;
      cluster.advance(std::max(Millis{1}, std::min(lanes[0].pause(), lanes[1].pause())));
    }
    ADD_FAILURE() << "the lanes do not end";
    return Step::idle;
  }
  std::string effect(const std::string& key, const std::string& pointer) {
    return cluster.text(hub::effects, effect_key("erp", key), pointer);
  }

  Executioner executioner;
  LabHub cluster{executioner};
  LabCounterpart counterpart;
  AdapterDefinition definition = lab_definition();
  Tenure tenure = cluster.begin("erp");
  SeededRandom random{1};
};

TEST_F(LaneTest, EachChangeIsCarriedOutOnceWithAReceipt) {
  order("A");
  order("B");
  run();
  run();
  EXPECT_THAT(counterpart.effects, UnorderedElementsAre("ship/A/1", "ship/B/1"));
  EXPECT_EQ(effect("ship/A/1", "/state"), "acknowledged");
  EXPECT_EQ(effect("ship/A/1", "/receipt"), "receipt of ship/A/1");
  EXPECT_EQ(effect("ship/A/1", "/open"), "");
  order("A", "closed");
  run();
  EXPECT_THAT(counterpart.effects, UnorderedElementsAre("ship/A/1", "ship/B/1", "ship/A/2"));
}

TEST_F(LaneTest, EffectsOfASubjectAreCarriedOutInOrder) {
  for (int i = 0; i < 12; ++i) order("A", "s" + std::to_string(i));
  run();
  ASSERT_EQ(counterpart.effects.size(), 12u);
  for (std::size_t i = 0; i < 12; ++i)
    EXPECT_EQ(counterpart.effects[i], "ship/A/" + std::to_string(i + 1));
}

TEST_F(LaneTest, AnUnknownOutcomeIsLookedAtBeforeItIsRepeated) {
  int calls = 0;
  counterpart.answer = [&](const Effect& effect) {
    // The first call does its work, and the answer is lost; the second does nothing at all.
    if (++calls == 1) counterpart.effects.push_back(effect.key);
    return calls <= 2 ? EffectResult::failed(Verdict::unknown, "time-out") : EffectResult::done();
  };
  order("A");
  run(Millis{20'000});
  EXPECT_THAT(counterpart.effects, ElementsAre("ship/A/1"));
  EXPECT_EQ(effect("ship/A/1", "/receipt"), "found ship/A/1");
  EXPECT_EQ(calls, 1);
}

TEST_F(LaneTest, WhatDidNotHappenIsRepeated) {
  int calls = 0;
  counterpart.answer = [&](const Effect& effect) {
    if (++calls <= 2) return EffectResult::failed(Verdict::unknown, "time-out");
    counterpart.effects.push_back(effect.key);
    return EffectResult::done();
  };
  order("A");
  run(Millis{30'000});
  EXPECT_THAT(counterpart.effects, ElementsAre("ship/A/1"));
  EXPECT_EQ(calls, 3);
}

TEST_F(LaneTest, NothingIsRepeatedBeforeTheFirstCallCanComeTrueNoMore) {
  counterpart.answer = [](const Effect&) {
    return EffectResult::failed(Verdict::unknown, "time-out");
  };
  order("A");
  run();
  const MonotonicTime called = cluster.monotonic();
  MonotonicTime repeated{};
  counterpart.answer = [&](const Effect&) {
    repeated = cluster.monotonic();
    return EffectResult::done();
  };
  // Another worker, as after a failover: it waits for the call's time-out and what may follow.
  run(Millis{30'000});
  EXPECT_GE(repeated - called, definition.effects.settle);
}

TEST_F(LaneTest, RefusalsParkTheSubjectAndOthersGoOn) {
  counterpart.answer = [&](const Effect& effect) {
    if (effect.subject == "A" && effect.document.find("state")->text() == "confirmed")
      return EffectResult::failed(Verdict::refused, "unknown customer");
    counterpart.effects.push_back(effect.key);
    return EffectResult::done();
  };
  order("A");
  order("A", "closed");
  order("B");
  run();
  EXPECT_THAT(counterpart.effects, ElementsAre("ship/B/1"));
  EXPECT_EQ(effect("ship/A/1", "/state"), "parked");
  EXPECT_EQ(effect("ship/A/2", "/state"), "intent");
  const std::string letter = letter_key("erp", "out", "ship/A/1");
  EXPECT_EQ(cluster.text(hub::letters, letter, "/reason"), "unknown customer");
  // Another worker knows it too.
  run(Millis{10'000});
  EXPECT_THAT(counterpart.effects, ElementsAre("ship/B/1"));
  // Edited and released: it is looked for, carried out, and what waited behind it follows.
  auto row = letter_row(*cluster.value(hub::letters, letter)).value();
  row.body = R"({"id":"A","state":"mended"})";
  row.state = "replay";
  cluster.put(hub::letters, letter, json::to_text(to_value(row)));
  run(Millis{20'000});
  EXPECT_THAT(counterpart.effects, ElementsAre("ship/B/1", "ship/A/1", "ship/A/2"));
  EXPECT_EQ(cluster.text(hub::letters, letter, "/state"), "resolved");
}

TEST_F(LaneTest, ALetterStaysUntilTheReceiptOfItsEffect) {
  auto verdict = Verdict::refused;
  counterpart.answer = [&](const Effect& effect) {
    if (verdict != Verdict::done) return EffectResult::failed(verdict, "no");
    counterpart.effects.push_back(effect.key);
    return EffectResult::done();
  };
  order("A");
  run();
  const std::string key = letter_key("erp", "out", "ship/A/1");
  const auto letter = [&] { return letter_row(*cluster.value(hub::letters, key)).value(); };
  const auto release = [&] {
    LetterRow row = letter();
    row.body = R"({"id":"A","state":"mended"})";
    row.edited = true;
    row.revision = 2;
    row.state = "replay";
    cluster.put(hub::letters, key, json::to_text(to_value(row)));
  };
  const std::string first = letter().first;
  verdict = Verdict::unknown;
  release();
  run(Millis{60'000});
  EXPECT_EQ(letter().state, "released");
  EXPECT_TRUE(letter().is_open()) << "people still see it";
  EXPECT_EQ(effect("ship/A/1", "/state"), "unknown");
  verdict = Verdict::refused;
  run(Millis{60'000});
  EXPECT_EQ(letter().state, "parked");
  EXPECT_EQ(letter().first, first);
  EXPECT_EQ(letter().body, R"({"id":"A","state":"mended"})") << "as it was edited";
  EXPECT_GT(letter().attempts, 1u);
  EXPECT_EQ(cluster.count(hub::letters), 1u);
  verdict = Verdict::done;
  release();
  run(Millis{60'000});
  EXPECT_EQ(letter().state, "resolved");
  EXPECT_FALSE(letter().is_open());
  EXPECT_EQ(cluster.text(hub::letters, key, "/open"), "");
  EXPECT_EQ(effect("ship/A/1", "/state"), "acknowledged");
  EXPECT_EQ(counterpart.times("ship/A/1"), 1u);
}

TEST_F(LaneTest, ManyReleasedLettersAreLostNowhere) {
  bool refuse = true;
  counterpart.answer = [&](const Effect& effect) {
    if (refuse) return EffectResult::failed(Verdict::refused, "no");
    counterpart.effects.push_back(effect.key);
    return EffectResult::done();
  };
  for (int i = 0; i < 250; ++i) order("A-" + std::to_string(i));
  run();
  ASSERT_EQ(cluster.count(hub::letters), 250u);
  CommandRow command;
  command.adapter = "erp", command.id = "all", command.command = "replay";
  command.at = time_text(cluster.wall() + Millis{1});
  cluster.put(hub::commands, "erp/all", json::to_text(to_value(command)));
  cluster.advance(Millis{1'000});
  for (Step step = Step::worked; step == Step::worked;) {
    const auto next = find_command(cluster.state, tenure, {"replay"});
    step = next ? release_letters(cluster, tenure, *next).value() : Step::idle;
  }
  EXPECT_EQ(cluster.text(hub::commands, "erp/all", "/progress/released"), "250");
  refuse = false;
  run(Millis{60'000});
  EXPECT_EQ(counterpart.effects.size(), 250u);
  std::size_t resolved = 0;
  cluster.state.scan_records(hub::letters, "", "", [&](std::string_view, const auto& record) {
    const auto row = letter_row(json::parse(record.value.view()).value()).value();
    resolved += row.state == "resolved" ? 1 : 0;
    return true;
  });
  EXPECT_EQ(resolved, 250u);
}

TEST_F(LaneTest, TransientFailuresAreRepeatedWithPausesAndParkAtLast) {
  definition.effects.attempts_max = 3;
  definition.effects.breaker_failures = 1'000;
  int calls = 0;
  counterpart.answer = [&](const Effect&) {
    ++calls;
    return EffectResult::failed(Verdict::transient, "503");
  };
  order("A");
  run(Millis{120'000});
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(effect("ship/A/1", "/state"), "parked");
  EXPECT_EQ(cluster.text(hub::letters, letter_key("erp", "out", "ship/A/1"), "/class"),
            "transient");
}

TEST_F(LaneTest, ABrokenCounterpartIsLeftAloneForAWhile) {
  definition.effects.lanes = 1;
  definition.effects.attempts_max = 1'000;
  definition.effects.breaker_failures = 3;
  definition.effects.breaker_pause = Millis{10'000};
  std::vector<MonotonicTime> calls;
  counterpart.answer = [&](const Effect&) {
    calls.push_back(cluster.monotonic());
    return EffectResult::failed(Verdict::transient, "refused");
  };
  for (int i = 0; i < 50; ++i) order("A-" + std::to_string(i));
  make_intents();
  LabAdapter adapter{counterpart, executioner};
  Lane lane{definition, tenure, 0, adapter, cluster, random};
  const MonotonicTime begin = cluster.monotonic();
  while (cluster.monotonic() - begin < Millis{60'000}) {
    const auto step = lane.step();
    ASSERT_TRUE(step);
    if (*step == Step::idle) cluster.advance(std::max(Millis{1}, lane.pause()));
  }
  // Three, then one each ten seconds.
  EXPECT_LE(calls.size(), 10u);
  EXPECT_NE(lane.breaker(), Breaker::State::closed);
}

TEST_F(LaneTest, CallsKeepToTheRate) {
  definition.effects.lanes = 1;
  definition.effects.rate_per_second = 10;
  for (int i = 0; i < 40; ++i) order("A-" + std::to_string(i));
  make_intents();
  LabAdapter adapter{counterpart, executioner};
  Lane lane{definition, tenure, 0, adapter, cluster, random};
  const MonotonicTime begin = cluster.monotonic();
  while (cluster.monotonic() - begin < Millis{2'000}) {
    const auto step = lane.step();
    ASSERT_TRUE(step);
    if (*step == Step::idle) cluster.advance(std::max(Millis{1}, lane.pause()));
  }
  EXPECT_GE(counterpart.effects.size(), 15u);
  EXPECT_LE(counterpart.effects.size(), 22u);
}

TEST_F(LaneTest, AnotherTenureEndsTheWorkerBeforeItCalls) {
  order("A");
  make_intents();
  LabAdapter adapter{counterpart, executioner};
  definition.effects.lanes = 1;
  Lane lane{definition, tenure, 0, adapter, cluster, random};
  cluster.begin("erp");
  EXPECT_EQ(lane.step().value(), Step::ended);
  EXPECT_TRUE(counterpart.effects.empty());
}

TEST_F(LaneTest, AFeedThatIsGoneIsReplacedByTheRecords) {
  order("A");
  run();
  cluster.window_ms = 1'000;
  order("B");
  cluster.advance(Millis{10'000});
  for (int i = 0; i < 5; ++i) cluster.put("orders", "other", R"({"id":"other"})");
  ASSERT_GT(cluster.state.counters().floor, 0u);
  run();
  EXPECT_EQ(counterpart.times("ship/A/1"), 1u);
  EXPECT_EQ(counterpart.times("ship/B/1"), 1u);
}

TEST_F(LaneTest, AChangeThatTheMappingRefusesParksAndOthersGoOn) {
  definition.exports[0].mapping = lab_mapping(R"({"mapping":"strict","version":1,
    "effects":[{"type":"t","key":{"$path":"/id","required":true},"document":{"s":"/state"}}]})");
  cluster.put("orders", "bad", R"({"state":"x"})");
  order("A");
  run();
  EXPECT_THAT(counterpart.effects, ElementsAre("A"));
  EXPECT_EQ(cluster.count(hub::letters), 1u);
}

TEST_F(LaneTest, AReleasedExportMapsTheRecordAsItIsNow) {
  // Two exports that both refuse it: two letters, and nothing stands still.
  for (const char* name : {"strict", "also"})
    definition.exports.push_back({"orders", lab_mapping(R"({"mapping":")" + std::string{name} +
                                                        R"(","version":1,
      "effects":[{"type":"t","key":{"$key":["/id",{"$path":"/price","required":true}]},
                  "document":{"s":"/state"}}]})")});
  definition.exports.erase(definition.exports.begin());
  cluster.put("orders", "A", R"({"id":"A"})");
  run();
  EXPECT_EQ(cluster.count(hub::letters), 2u);
  const std::string key = letter_key("erp", "export", "orders/A@1/strict");
  const auto release = [&] {
    auto letter = letter_row(*cluster.value(hub::letters, key)).value();
    letter.state = "replay";
    cluster.put(hub::letters, key, json::to_text(to_value(letter)));
  };
  release();
  run();
  EXPECT_EQ(cluster.text(hub::letters, key, "/state"), "parked") << "it is refused again";
  cluster.put("orders", "A", R"({"id":"A","price":"5"})");
  release();
  run();
  EXPECT_EQ(cluster.text(hub::letters, key, "/state"), "resolved");
  EXPECT_THAT(counterpart.effects, ElementsAre("A/5"));
}

}  // namespace
}  // namespace mainstay::integration
