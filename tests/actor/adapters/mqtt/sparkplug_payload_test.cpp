#include "actors/adapters/mqtt/sparkplug_payload.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace mainstay::adapters::mqtt {
namespace {

TEST(SparkplugTopic, IsReadAndMade) {
  const auto device = parse_topic("spBv1.0/plant/DDATA/edge/press");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->kind, SparkplugKind::ddata);
  EXPECT_EQ(device->path(), "plant/edge/press");
  EXPECT_EQ(parse_topic("spBv1.0/plant/NBIRTH/edge")->path(), "plant/edge");
  EXPECT_EQ(parse_topic("spBv1.0/plant/NCMD/edge")->kind, SparkplugKind::other);
  for (const char* other : {"", "a/b/c/d", "spBv1.0/STATE/host", "spBv1.0/p/NDATA/e/d/x"})
    EXPECT_FALSE(parse_topic(other)) << other;
  EXPECT_EQ(rebirth_topic("plant/edge"), "spBv1.0/plant/NCMD/edge");
}

TEST(SparkplugPayload, ComesBackAsItWas) {
  Payload payload{1'764'321'000'000, 255, {}};
  Metric metric;
  metric.name = "Count/Good";
  metric.alias = 7;
  metric.type = DataType::int64;
  metric.raw = std::uint64_t{42};
  payload.metrics.push_back(metric);
  metric.name.clear();
  metric.raw = std::monostate{};
  payload.metrics.push_back(metric);
  const auto decoded = decode_payload(encode_payload(payload));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->time, payload.time);
  EXPECT_EQ(decoded->seq, 255u);
  ASSERT_EQ(decoded->metrics.size(), 2u);
  EXPECT_EQ(decoded->metrics[0].raw, Metric::Raw{std::uint64_t{42}});
  EXPECT_EQ(decoded->metrics[1].alias, 7u);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(decoded->metrics[1].raw));
}

// By hand: time 1; a metric "n" with alias 3, Int32, metadata (which is skipped) and the value -2;
// sequence number 9.
TEST(SparkplugPayload, ReadsBytesByTheSpecification) {
  const std::string metric =
      "\x0A\x01n\x10\x03\x20\x03" + std::string("\x42\x00", 2) + "\x50\xFE\xFF\xFF\xFF\x0F";
  const std::string bytes =
      "\x08\x01\x12" + std::string(1, static_cast<char>(metric.size())) + metric + "\x18\x09";
  const auto payload = decode_payload(bytes);
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->seq, 9u);
  ASSERT_EQ(payload->metrics.size(), 1u);
  EXPECT_EQ(payload->metrics[0].name, "n");
  EXPECT_EQ(json::to_text(value_of(payload->metrics[0].raw, payload->metrics[0].type)), "-2");
  EXPECT_EQ(decode_payload("\xFF\xFF\xFF").error().code, Errc::invalid_argument);
}

TEST(SparkplugPayload, ValuesKeepTheirMeaning) {
  const auto text = [](const Metric::Raw& raw, DataType type) {
    return json::to_text(value_of(raw, type));
  };
  EXPECT_EQ(text(std::uint32_t{0xFF}, DataType::int8), "-1");
  EXPECT_EQ(text(std::uint32_t{0xFFFFFFFF}, DataType::int16), "-1");
  EXPECT_EQ(text(std::uint32_t{0xFFFFFFFF}, DataType::unknown), "4294967295");
  EXPECT_EQ(text(std::numeric_limits<std::uint64_t>::max(), DataType::int64), "-1");
  EXPECT_EQ(text(0.1F, DataType::unknown), "0.1");
  EXPECT_EQ(text(std::numeric_limits<double>::infinity(), DataType::unknown), "null");
  EXPECT_EQ(text(true, DataType::boolean), "true");
  EXPECT_EQ(text(std::string{"a"}, DataType::string), "\"a\"");
}

}  // namespace
}  // namespace mainstay::adapters::mqtt
