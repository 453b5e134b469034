// Sparkplug B topics and payloads as plain values; the only place that sees protobuf. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::adapters::mqtt {

enum class SparkplugKind { nbirth, ndata, ndeath, dbirth, ddata, ddeath, other };

// spBv1.0/<group>/<kind>/<node>[/<device>]
struct SparkplugTopic {
  std::string group;
  SparkplugKind kind = SparkplugKind::other;
  std::string node;
  std::string device;  // "": the node itself

  std::string node_path() const { return group + "/" + node; }
  std::string path() const { return device.empty() ? node_path() : node_path() + "/" + device; }
};
// Nothing: not a Sparkplug B topic.
std::optional<SparkplugTopic> parse_topic(std::string_view topic);
std::string rebirth_topic(const std::string& node_path);  // REQUIRES: group/node

// Numbers of the specification's data types, as far as they matter.
enum class DataType : std::uint32_t {
  unknown = 0,
  int8 = 1,
  int16 = 2,
  int32 = 3,
  int64 = 4,
  boolean = 11,
  string = 12,
};

struct Metric {
  // As it stood in the payload: without its data type it cannot be told what it means. Bytes, and
  // texts that are not UTF-8, are hexadecimal digits.
  using Raw =
      std::variant<std::monostate, std::uint32_t, std::uint64_t, float, double, bool, std::string>;

  std::string name;  // "": only the alias is given
  std::optional<std::uint64_t> alias;
  std::optional<std::uint64_t> time;  // milliseconds since 1970
  DataType type = DataType::unknown;
  bool historical = false;
  Raw raw;  // monostate: null
};
json::Value value_of(const Metric::Raw& raw, DataType type);

struct Payload {
  std::optional<std::uint64_t> time;
  std::optional<std::uint64_t> seq;
  std::vector<Metric> metrics;
};
// Errors: invalid_argument.
Result<Payload> decode_payload(std::string_view bytes);
std::string encode_payload(const Payload& payload);

}  // namespace mainstay::adapters::mqtt
