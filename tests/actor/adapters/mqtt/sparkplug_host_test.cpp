#include "actors/adapters/mqtt/sparkplug_host.hpp"

#include <gtest/gtest.h>

namespace mainstay::adapters::mqtt {
namespace {

using Kind = SparkplugEvent::Kind;
using Events = std::vector<SparkplugEvent>;

// A node "p/e" with a device "d", as it would speak; and the host that hears it.
struct Plant {
  SparkplugHost host{{}, Millis{1000}};
  std::uint64_t bd_seq = 0;
  std::uint64_t seq = 0;
  std::uint64_t time = 1000;

  static Metric number(std::string name, std::uint64_t value,
                       std::optional<std::uint64_t> alias = std::nullopt) {
    Metric metric;
    metric.name = std::move(name);
    metric.alias = alias;
    metric.type = DataType::int64;
    metric.raw = value;
    return metric;
  }
  Payload payload(std::vector<Metric> metrics) { return {time++, seq++ % 256, std::move(metrics)}; }
  Events say(const char* kind, bool device, const Payload& payload) {
    const std::string topic = std::string{"spBv1.0/p/"} + kind + "/e" + (device ? "/d" : "");
    return host.on_message(*parse_topic(topic), payload);
  }
  Events nbirth() {
    seq = 0;
    return say("NBIRTH", false, payload({number("bdSeq", bd_seq)}));
  }
  Events dbirth(std::uint64_t good) {
    return say("DBIRTH", true, payload({number("Good", good, 1)}));
  }
  Events ddata(std::uint64_t good) { return say("DDATA", true, payload({number("", good, 1)})); }
  Events ndeath(std::uint64_t of) {
    return say("NDEATH", false, {time++, std::nullopt, {number("bdSeq", of)}});
  }
  std::vector<std::string> due(int ms = 0) { return host.rebirths_due(MonotonicTime{Millis{ms}}); }
};

TEST(SparkplugHost, KnowsDevicesByTheirBirthsAndAliases) {
  Plant plant;
  EXPECT_EQ(plant.nbirth().at(0).path, "p/e");
  EXPECT_EQ(plant.dbirth(5).at(0).path, "p/e/d");
  const auto events = plant.ddata(6);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, Kind::data);
  EXPECT_EQ(events[0].changed, std::set<std::string>{"Good"});
  EXPECT_EQ(json::to_text(events[0].metrics.at("Good")), "6");
  EXPECT_EQ(to_string(events[0].session), "0@1000");
  EXPECT_TRUE(plant.ddata(6).at(0).changed.empty()) << "the same value again is no change";
  EXPECT_TRUE(plant.due().empty());
}

TEST(SparkplugHost, AGapAsksForARebirthAndTrustsNothingUntilThen) {
  Plant plant;
  plant.nbirth();
  plant.dbirth(0);
  ++plant.seq;  // lost
  EXPECT_TRUE(plant.ddata(7).empty());
  EXPECT_TRUE(plant.ddata(8).empty());
  EXPECT_EQ(plant.host.gaps(), 1u);
  EXPECT_EQ(plant.due(0), std::vector<std::string>{"p/e"});
  EXPECT_TRUE(plant.due(999).empty()) << "not more often than allowed";
  EXPECT_EQ(plant.due(1000).size(), 1u);
  plant.nbirth();
  EXPECT_TRUE(plant.due(5000).empty());
  const auto events = plant.dbirth(8);
  EXPECT_EQ(json::to_text(events.at(0).metrics.at("Good")), "8");
  EXPECT_EQ(to_string(events[0].session), "0@1000") << "a rebirth is no new session";
}

TEST(SparkplugHost, TheSequenceWrapsAt255) {
  Plant plant;
  plant.nbirth();
  plant.dbirth(0);
  for (std::uint64_t good = 1; good <= 600; ++good) ASSERT_EQ(plant.ddata(good).size(), 1u) << good;
  EXPECT_EQ(plant.host.gaps(), 0u);
}

TEST(SparkplugHost, AMessageThatComesTwiceIsNoGap) {
  Plant plant;
  plant.nbirth();
  plant.dbirth(0);
  const Payload data = plant.payload({Plant::number("", 1, 1)});
  EXPECT_EQ(plant.say("DDATA", true, data).size(), 1u);
  EXPECT_TRUE(plant.say("DDATA", true, data).empty());
  EXPECT_EQ(plant.host.duplicates(), 1u);
  EXPECT_EQ(plant.ddata(2).size(), 1u);
}

TEST(SparkplugHost, DeathEndsTheSessionOfItsOwnBirthOnly) {
  Plant plant;
  plant.bd_seq = 4;
  plant.nbirth();
  plant.dbirth(0);
  EXPECT_TRUE(plant.ndeath(3).empty()) << "the will of an earlier connection, late";
  const auto deaths = plant.ndeath(4);
  ASSERT_EQ(deaths.size(), 2u);
  EXPECT_EQ(deaths[1].path, "p/e/d");
  EXPECT_EQ(deaths[1].kind, Kind::death);
  EXPECT_TRUE(plant.due().empty()) << "the dead are not asked";
  EXPECT_TRUE(plant.ddata(1).empty());
  // A node that does not count its connections: after a death, the same number is another session.
  plant.nbirth();
  EXPECT_NE(to_string(plant.dbirth(0).at(0).session), to_string(deaths[1].session));
}

TEST(SparkplugHost, AnotherBdSeqIsAnotherSessionEvenWithoutADeath) {
  Plant plant;
  plant.nbirth();
  plant.bd_seq = 1;
  plant.nbirth();
  EXPECT_EQ(plant.host.sessions().at("p/e").bd_seq, 1u);
  EXPECT_GT(plant.host.sessions().at("p/e").birth, 1000u);
}

TEST(SparkplugHost, KnowsTheSessionsOfItsEarlierLife) {
  Plant plant;
  plant.host = SparkplugHost{{{"p/e", {0, 77, false}}}, Millis{1000}};
  EXPECT_EQ(plant.due(), std::vector<std::string>{"p/e"}) << "asked at the start";
  EXPECT_EQ(to_string(plant.nbirth().at(0).session), "0@77");
}

TEST(SparkplugHost, AsksWhomItNeverHeardOfAndWhomItDoesNotUnderstand) {
  Plant plant;
  EXPECT_TRUE(plant.ddata(1).empty());
  EXPECT_EQ(plant.due(), std::vector<std::string>{"p/e"});
  plant.nbirth();
  plant.dbirth(0);
  EXPECT_TRUE(plant.say("DDATA", true, plant.payload({Plant::number("", 1, 99)})).empty());
  EXPECT_EQ(plant.due(5000), std::vector<std::string>{"p/e"}) << "an alias nobody announced";
}

TEST(SparkplugHost, ANewConnectionMissedWhateverWasSaid) {
  Plant plant;
  plant.nbirth();
  plant.dbirth(0);
  plant.host.connected();
  EXPECT_EQ(plant.due(), std::vector<std::string>{"p/e"});
  EXPECT_TRUE(plant.ddata(1).empty());
}

TEST(SparkplugHost, HistoryDoesNotReplaceThePresent) {
  Plant plant;
  plant.nbirth();
  plant.dbirth(9);
  Metric old = Plant::number("", 3, 1);
  old.historical = true;
  const auto events = plant.say("DDATA", true, plant.payload({old}));
  EXPECT_EQ(json::to_text(events.at(0).metrics.at("Good")), "9");
}

}  // namespace
}  // namespace mainstay::adapters::mqtt
