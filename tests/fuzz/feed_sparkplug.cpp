#include "tests/fuzz/feed_sparkplug.hpp"

#include <array>
#include <set>

#include "actors/adapters/mqtt/arrivals.hpp"
#include "actors/adapters/mqtt/production.hpp"
#include "actors/adapters/mqtt/sparkplug_host.hpp"
#include "actors/adapters/mqtt/sparkplug_payload.hpp"

namespace mainstay::fuzz {

namespace {

using namespace adapters::mqtt;

constexpr std::array topics{"spBv1.0/p/NBIRTH/e", "spBv1.0/p/DBIRTH/e/d", "spBv1.0/p/DDATA/e/d",
                            "spBv1.0/p/NDEATH/e", "spBv1.0/p/DDEATH/e/d", "spBv1.0/p/NDATA/e"};

const std::vector<CounterRule>& rules() {
  static const std::vector<CounterRule> all{
      {"production", {{"good", "Good"}}, {{"order", "Order"}}, ""}};
  return all;
}

void check_encoding(const Payload& payload) {
  const std::string bytes = encode_payload(payload);
  const auto again = decode_payload(bytes);
  ASSERT(again.has_value());
  ASSERT(encode_payload(*again) == bytes);
}

int check_events(const std::vector<SparkplugEvent>& events, const SparkplugHost& host, bool& born) {
  int messages = 0;
  for (const SparkplugEvent& event : events) {
    born = born || event.kind == SparkplugEvent::Kind::birth;
    ASSERT(born);
    ASSERT(event.session == host.sessions().at("p/e"));
    for (const auto& message : messages_of(event, rules(), "equipment")) {
      ASSERT(!message.id.empty());
      ASSERT(json::parse(message.body).has_value());
      ++messages;
    }
  }
  const std::string position = to_string(ArrivalPosition{"life", 1, host.sessions()});
  ASSERT(parse_arrival_position(position).value().sessions == host.sessions());
  return messages;
}

std::string message(std::size_t topic, const Payload& payload) {
  const std::string bytes = encode_payload(payload);
  return std::string{static_cast<char>(topic), static_cast<char>(bytes.size())} + bytes;
}

Metric metric(const char* name, std::uint64_t alias, DataType type, Metric::Raw raw) {
  Metric made;
  made.name = name;
  made.alias = alias;
  made.type = type;
  made.raw = std::move(raw);
  return made;
}

}  // namespace

int feed_sparkplug(std::string_view bytes) {
  SparkplugHost host{{}, Millis{1000}};
  bool born = false;
  int messages = 0;
  while (bytes.size() >= 2) {
    const auto topic = static_cast<unsigned char>(bytes[0]) % topics.size();
    const auto size = static_cast<unsigned char>(bytes[1]);
    const auto payload = decode_payload(bytes.substr(2, size));
    bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 2U + size));
    if (!payload) continue;
    check_encoding(*payload);
    messages += check_events(host.on_message(*parse_topic(topics[topic]), *payload), host, born);
  }
  return messages;
}

std::vector<std::string> sparkplug_samples() {
  const auto birth = [](std::uint64_t bd_seq) {
    return message(0, {1000, 0, {metric("bdSeq", 0, DataType::int64, bd_seq)}}) +
           message(1, {1001,
                       1,
                       {metric("Good", 1, DataType::int64, std::uint64_t{5}),
                        metric("Order", 2, DataType::string, std::string{"M-1"}),
                        metric("Heat", 3, DataType::unknown, 20.5)}});
  };
  std::string data;
  for (std::uint64_t i = 2; i < 12; ++i)
    data += message(2, {1000 + i, i, {metric("", 1, DataType::unknown, i)}});
  const std::string death =
      message(3, {2000, std::nullopt, {metric("bdSeq", 0, DataType::int64, std::uint64_t{1})}});
  return {birth(1) + data, birth(1) + data + death + birth(2) + data,
          birth(1) + birth(1) + data + message(4, {3000, 12, {}}) + death};
}

}  // namespace mainstay::fuzz
