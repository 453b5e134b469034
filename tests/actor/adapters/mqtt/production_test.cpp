#include "actors/adapters/mqtt/production.hpp"

#include <gtest/gtest.h>

#include "actors/adapters/mqtt/mqtt_adapter.hpp"

namespace mainstay::adapters::mqtt {
namespace {

SparkplugEvent event_of(std::uint64_t good, std::set<std::string> changed) {
  SparkplugEvent event;
  event.path = "p/e/d";
  event.session = {3, 1000, false};
  event.time = 2000;
  event.metrics = {{"Good", json::Value::number(std::to_string(good))},
                   {"Scrap", json::Value::number("1")},
                   {"Order", json::Value::string("M-1")},
                   {"Temp", json::Value::number("20.5")}};
  event.changed = std::move(changed);
  return event;
}

const std::vector<CounterRule> rules{
    {"production", {{"good", "Good"}, {"scrap", "Scrap"}}, {{"order", "Order"}}, ""}};

TEST(Production, CountersAreAMessageWhenTheyChange) {
  const auto messages = messages_of(event_of(7, {"Good"}), rules, "");
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].id, "p/e/d#3@1000");
  EXPECT_EQ(messages[0].version, "7,1,\"M-1\"");
  EXPECT_EQ(messages[0].subject, "p/e/d");
  EXPECT_EQ(messages[0].body, R"({"device":"p/e/d","session":"3@1000","time_ms":2000,"good":7,)"
                              R"("scrap":1,"order":"M-1"})");
  EXPECT_TRUE(messages_of(event_of(7, {"Temp"}), rules, "").empty());
}

TEST(Production, ASessionOfTheDevicesOwnComesFirst) {
  auto own = rules;
  own[0].session = "Order";
  EXPECT_EQ(messages_of(event_of(7, {"Good"}), own, "").at(0).id, "p/e/d#\"M-1\"");
}

TEST(Production, BirthsAndDeathsAreStatesOfEquipment) {
  SparkplugEvent event = event_of(0, {});
  event.kind = SparkplugEvent::Kind::death;
  const auto messages = messages_of(event, rules, "equipment");
  ASSERT_EQ(messages.size(), 1u) << "the dead do not count";
  EXPECT_EQ(messages[0].version, "3@1000:offline:2000");
  event.kind = SparkplugEvent::Kind::birth;
  EXPECT_EQ(messages_of(event, rules, "equipment").size(), 2u);
}

TEST(Reports, AreKnownByTheirIdAndAcknowledgedByIt) {
  const ReportRule rule{"report", "mes/+/reports", "/id", "/revision", "/order", "mes/acks"};
  const std::string text = R"({"id":"R-1","revision":2,"order":"M-1"})";
  const auto message = report_of(rule, text);
  EXPECT_EQ(message.id, "R-1");
  EXPECT_EQ(message.version, "2");
  EXPECT_EQ(message.subject, "M-1");
  EXPECT_EQ(acknowledgement_of(rule, text), R"({"id":"R-1","version":"2","status":"accepted"})");
}

TEST(Reports, WithoutAnIdAreKeptForPeople) {
  const ReportRule rule{"report", "mes/+/reports", "/id", "", "", "mes/acks"};
  const auto text = report_of(rule, "rubbish");
  EXPECT_EQ(text.id.substr(0, 8), "unnamed/");
  EXPECT_EQ(text.body, "rubbish");
  EXPECT_EQ(report_of(rule, "\x01\xFF").body, "01ff");
  EXPECT_EQ(report_of(rule, "\x01\xFF").content_type, "application/octet-stream; encoding=hex");
  EXPECT_EQ(acknowledgement_of(rule, "rubbish"), "");
}

TEST(Commands, CarryTheKeyAndEachScalar) {
  integration::Effect effect;
  effect.key = "job/M-1/2";
  effect.document = json::parse(R"({"order":"M-1","amount":0.10,"hot":true,"parts":[1]})").value();
  const Payload payload = command_of(effect, 1000);
  ASSERT_EQ(payload.metrics.size(), 4u);
  EXPECT_EQ(payload.metrics[0].name, "Job/Key");
  EXPECT_EQ(payload.metrics[0].raw, Metric::Raw{std::string{"job/M-1/2"}});
  EXPECT_EQ(payload.metrics[2].raw, Metric::Raw{std::string{"0.10"}}) << "all digits";
  EXPECT_EQ(payload.metrics[3].raw, Metric::Raw{true});
}

TEST(Topics, MatchFilters) {
  EXPECT_TRUE(topic_matches("mes/+/reports", "mes/a/reports"));
  EXPECT_TRUE(topic_matches("mes/#", "mes/a/b"));
  EXPECT_TRUE(topic_matches("mes/#", "mes"));
  EXPECT_TRUE(topic_matches("#", "a"));
  EXPECT_FALSE(topic_matches("mes/+/reports", "mes/a/b/reports"));
  EXPECT_FALSE(topic_matches("mes/+", "mes"));
  EXPECT_FALSE(topic_matches("mes", "mes/a"));
}

TEST(Topics, AreFilledFromTheDocument) {
  const auto document = json::parse(R"({"line":"L1","wild":"a/#"})").value();
  EXPECT_EQ(filled_topic("jobs/{/line}/x", document).value(), "jobs/L1/x");
  EXPECT_EQ(filled_topic("jobs", document).value(), "jobs");
  EXPECT_FALSE(filled_topic("jobs/{/wild}", document));
  EXPECT_FALSE(filled_topic("jobs/{/none}", document));
}

TEST(MqttSettings, SayWhatIsWrong) {
  const auto message = [](std::string_view text) {
    integration::AdapterContext context;
    context.name = "mes";
    context.settings = json::parse(text).value();
    const auto adapter = make_mqtt_adapter(context);
    return adapter ? std::string{} : adapter.error().message;
  };
  const std::string counters = R"("counters":[{"type":"a","counters":{"n":"N"}}])";
  EXPECT_EQ(message(R"({"host":"h","groups":["p"],)" + counters + "}"), "");
  EXPECT_EQ(message("{}"), "settings.host: must be given: a text that is not empty");
  EXPECT_EQ(message(R"({"host":"h",)" + counters + "}"),
            "settings.groups: must be given: the Sparkplug groups whose counters are read");
  EXPECT_EQ(message(R"({"host":"h","dispatch":[{"type":"a","topic":"a/+","answer_topic":"b"}]})"),
            "settings.dispatch[0].topic: expected a topic without + and #");
}

}  // namespace
}  // namespace mainstay::adapters::mqtt
