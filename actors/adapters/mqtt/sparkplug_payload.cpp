#include "actors/adapters/mqtt/sparkplug_payload.hpp"

#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

// Generated code is not held to our warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "actors/adapters/mqtt/sparkplug_b.pb.h"
#pragma GCC diagnostic pop

namespace mainstay::adapters::mqtt {

namespace {

using WireMetric = sparkplug_b::Payload::Metric;

constexpr std::array kinds{
    std::pair{std::string_view{"NBIRTH"}, SparkplugKind::nbirth},
    std::pair{std::string_view{"NDATA"}, SparkplugKind::ndata},
    std::pair{std::string_view{"NDEATH"}, SparkplugKind::ndeath},
    std::pair{std::string_view{"DBIRTH"}, SparkplugKind::dbirth},
    std::pair{std::string_view{"DDATA"}, SparkplugKind::ddata},
    std::pair{std::string_view{"DDEATH"}, SparkplugKind::ddeath},
};

SparkplugKind kind_of(std::string_view word) {
  for (const auto& [name, kind] : kinds)
    if (name == word) return kind;
  return SparkplugKind::other;
}

bool is_utf8(std::string_view text) {
  unsigned more = 0;
  std::uint32_t point = 0;
  std::uint32_t least = 0;
  for (const char signed_c : text) {
    const auto c = static_cast<unsigned char>(signed_c);
    if (more > 0) {
      if ((c & 0xC0U) != 0x80U) return false;
      point = point << 6U | (c & 0x3FU);
      const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
      if (--more == 0 && (point < least || point > 0x10FFFF || surrogate)) return false;
    } else if (c >= 0x80) {
      more = c >= 0xF8 ? 0 : c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0 ? 1 : 0;
      if (more == 0) return false;
      point = c & (0x3FU >> more);
      least = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
    }
  }
  return more == 0;
}

std::string hex_text(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

Metric::Raw raw_of(const WireMetric& wire) {
  if (wire.is_null()) return {};
  switch (wire.value_case()) {
    case WireMetric::kIntValue:
      return wire.int_value();
    case WireMetric::kLongValue:
      return static_cast<std::uint64_t>(wire.long_value());
    case WireMetric::kFloatValue:
      return wire.float_value();
    case WireMetric::kDoubleValue:
      return wire.double_value();
    case WireMetric::kBooleanValue:
      return wire.boolean_value();
    case WireMetric::kStringValue:
      return is_utf8(wire.string_value()) ? wire.string_value() : hex_text(wire.string_value());
    case WireMetric::kBytesValue:
      return hex_text(wire.bytes_value());
    case WireMetric::VALUE_NOT_SET:
      return {};
  }
  return {};
}

struct WriteRaw {
  WireMetric& wire;

  void operator()(std::monostate) const { wire.set_is_null(true); }
  void operator()(std::uint32_t value) const { wire.set_int_value(value); }
  void operator()(std::uint64_t value) const { wire.set_long_value(value); }
  void operator()(float value) const { wire.set_float_value(value); }
  void operator()(double value) const { wire.set_double_value(value); }
  void operator()(bool value) const { wire.set_boolean_value(value); }
  void operator()(const std::string& value) const { wire.set_string_value(value); }
};

template <class T>
json::Value float_value(T value) {
  // JSON has no words for what is not a number.
  return std::isfinite(value) ? json::Value::number(fmt::format("{}", value)) : json::Value{};
}

json::Value integer_value(std::uint64_t value, DataType type) {
  switch (type) {
    case DataType::int8:
      return json::Value::number(std::to_string(static_cast<std::int8_t>(value)));
    case DataType::int16:
      return json::Value::number(std::to_string(static_cast<std::int16_t>(value)));
    case DataType::int32:
      return json::Value::number(std::to_string(static_cast<std::int32_t>(value)));
    case DataType::int64:
      return json::Value::number(std::to_string(static_cast<std::int64_t>(value)));
    default:
      return json::Value::number(std::to_string(value));
  }
}

struct MakeValue {
  DataType type;

  json::Value operator()(std::monostate) const { return {}; }
  json::Value operator()(std::uint32_t value) const { return integer_value(value, type); }
  json::Value operator()(std::uint64_t value) const { return integer_value(value, type); }
  json::Value operator()(float value) const { return float_value(value); }
  json::Value operator()(double value) const { return float_value(value); }
  json::Value operator()(bool value) const { return json::Value::boolean(value); }
  json::Value operator()(const std::string& value) const { return json::Value::string(value); }
};

}  // namespace

std::optional<SparkplugTopic> parse_topic(std::string_view topic) {
  std::vector<std::string_view> parts;
  for (std::string_view rest = topic; parts.size() < 6;) {
    const auto slash = rest.find('/');
    parts.push_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (parts[0] != "spBv1.0" || parts.size() < 4 || parts.size() > 5) return std::nullopt;
  SparkplugTopic parsed;
  parsed.group = parts[1];
  parsed.kind = kind_of(parts[2]);
  parsed.node = parts[3];
  if (parts.size() == 5) parsed.device = parts[4];
  return parsed;
}

std::string rebirth_topic(const std::string& node_path) {
  const auto slash = node_path.find('/');
  return "spBv1.0/" + node_path.substr(0, slash) + "/NCMD" + node_path.substr(slash);
}

json::Value value_of(const Metric::Raw& raw, DataType type) {
  return std::visit(MakeValue{type}, raw);
}

Result<Payload> decode_payload(std::string_view bytes) {
  sparkplug_b::Payload wire;
  if (!wire.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Errc::invalid_argument, "the payload is not Sparkplug B");
  Payload payload;
  if (wire.has_timestamp()) payload.time = wire.timestamp();
  if (wire.has_seq()) payload.seq = wire.seq();
  for (const WireMetric& from : wire.metrics()) {
    Metric metric;
    metric.name = from.name();
    if (from.has_alias()) metric.alias = from.alias();
    if (from.has_timestamp()) metric.time = from.timestamp();
    metric.type = static_cast<DataType>(from.datatype());
    metric.historical = from.is_historical();
    metric.raw = raw_of(from);
    payload.metrics.push_back(std::move(metric));
  }
  return payload;
}

std::string encode_payload(const Payload& payload) {
  sparkplug_b::Payload wire;
  if (payload.time) wire.set_timestamp(*payload.time);
  if (payload.seq) wire.set_seq(*payload.seq);
  for (const Metric& metric : payload.metrics) {
    WireMetric& to = *wire.add_metrics();
    if (!metric.name.empty()) to.set_name(metric.name);
    if (metric.alias) to.set_alias(*metric.alias);
    if (metric.time) to.set_timestamp(*metric.time);
    if (metric.type != DataType::unknown) to.set_datatype(static_cast<std::uint32_t>(metric.type));
    std::visit(WriteRaw{to}, metric.raw);
  }
  return wire.SerializeAsString();
}

}  // namespace mainstay::adapters::mqtt
