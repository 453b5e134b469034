#include "actors/adapters/mqtt/production.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/base/checksum.hpp"
#include "runtime/base/ids.hpp"

namespace mainstay::adapters::mqtt {

namespace {

using integration::RawMessage;

const json::Value* metric_of(const SparkplugEvent& event, const std::string& name) {
  const auto found = event.metrics.find(name);
  return found == event.metrics.end() ? nullptr : &found->second;
}

bool any_changed(const SparkplugEvent& event, const Names& names) {
  return std::any_of(names.begin(), names.end(),
                     [&event](const auto& name) { return event.changed.contains(name.second); });
}

std::string session_of(const SparkplugEvent& event, const CounterRule& rule) {
  const json::Value* own = rule.session.empty() ? nullptr : metric_of(event, rule.session);
  return own == nullptr ? to_string(event.session) : json::canonical_text(*own);
}

std::optional<RawMessage> counters_of(const SparkplugEvent& event, const CounterRule& rule) {
  const bool has_all =
      std::all_of(rule.counters.begin(), rule.counters.end(), [&event](const auto& counter) {
        const json::Value* value = metric_of(event, counter.second);
        return value != nullptr && value->is(json::Type::number);
      });
  const bool is_news = event.kind == SparkplugEvent::Kind::birth ||
                       any_changed(event, rule.counters) || any_changed(event, rule.context);
  if (!has_all || !is_news || event.kind == SparkplugEvent::Kind::death) return std::nullopt;
  const std::string session = session_of(event, rule);
  json::Value document = json::Value::object();
  document.set("device", json::Value::string(event.path));
  document.set("session", json::Value::string(session));
  document.set("time_ms", json::Value::number(std::to_string(event.time)));
  std::string version;
  for (const Names* names : {&rule.counters, &rule.context}) {
    for (const auto& [member, metric] : *names) {
      const json::Value* value = metric_of(event, metric);
      version += (version.empty() ? "" : ",") + (value == nullptr ? "" : json::to_text(*value));
      document.set(member, value == nullptr ? json::Value{} : *value);
    }
  }
  return RawMessage{.id = event.path + "#" + session,
                    .version = version,
                    .type = rule.type,
                    .subject = event.path,
                    .body = json::to_text(document)};
}

RawMessage equipment_of(const SparkplugEvent& event, const std::string& type) {
  const char* state = event.kind == SparkplugEvent::Kind::death ? "offline" : "online";
  json::Value document = json::Value::object();
  document.set("device", json::Value::string(event.path));
  document.set("session", json::Value::string(to_string(event.session)));
  document.set("state", json::Value::string(state));
  document.set("time_ms", json::Value::number(std::to_string(event.time)));
  return {.id = event.path,
          .version = fmt::format("{}:{}:{}", to_string(event.session), state, event.time),
          .type = type,
          .subject = event.path,
          .body = json::to_text(document)};
}

std::string scalar_at(const json::Value& document, const std::string& pointer) {
  const json::Value* value = json::find(document, pointer);
  if (value == nullptr) return "";
  return value->is(json::Type::string) || value->is(json::Type::number) ? value->text() : "";
}

}  // namespace

std::vector<RawMessage> messages_of(const SparkplugEvent& event,
                                    const std::vector<CounterRule>& rules,
                                    const std::string& equipment_type) {
  std::vector<RawMessage> messages;
  if (event.kind != SparkplugEvent::Kind::data && !equipment_type.empty())
    messages.push_back(equipment_of(event, equipment_type));
  for (const CounterRule& rule : rules)
    if (auto message = counters_of(event, rule)) messages.push_back(std::move(*message));
  return messages;
}

RawMessage report_of(const ReportRule& rule, std::string payload) {
  RawMessage message;
  message.type = rule.type;
  if (const auto document = json::parse(payload)) {
    message.id = scalar_at(*document, rule.id);
    if (!rule.version.empty()) message.version = scalar_at(*document, rule.version);
    if (!rule.subject.empty()) message.subject = scalar_at(*document, rule.subject);
  }
  if (message.id.empty()) {
    message.id = "unnamed/" + hex_of(xxh3_128(payload));
    set_unreadable_body(message, payload);
  } else {
    message.body = std::move(payload);
  }
  return message;
}

void set_unreadable_body(RawMessage& message, std::string_view bytes) {
  const auto is_plain = [](unsigned char c) {
    return (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\t';
  };
  const bool plain = std::all_of(bytes.begin(), bytes.end(), is_plain);
  message.content_type = plain ? "text/plain" : "application/octet-stream; encoding=hex";
  message.body.clear();
  if (plain)
    message.body = bytes;
  else
    for (const char c : bytes) message.body += fmt::format("{:02x}", static_cast<unsigned char>(c));
}

std::string acknowledgement_of(const ReportRule& rule, const std::string& payload) {
  const auto document = json::parse(payload);
  if (!document) return "";
  const std::string id = scalar_at(*document, rule.id);
  if (id.empty()) return "";
  json::Value answer = json::Value::object();
  answer.set("id", json::Value::string(id));
  if (const std::string version =
          rule.version.empty() ? std::string{} : scalar_at(*document, rule.version);
      !version.empty())
    answer.set("version", json::Value::string(version));
  answer.set("status", json::Value::string("accepted"));
  return json::to_text(answer);
}

Payload command_of(const integration::Effect& effect, std::uint64_t time_ms) {
  Payload payload;
  payload.time = time_ms;
  const auto add = [&payload](const std::string& name, DataType type, Metric::Raw raw) {
    Metric metric;
    metric.name = name;
    metric.type = type;
    metric.raw = std::move(raw);
    payload.metrics.push_back(std::move(metric));
  };
  add("Job/Key", DataType::string, effect.key);
  if (!effect.document.is(json::Type::object)) return payload;
  for (const auto& [name, value] : effect.document.members()) {
    if (value.is(json::Type::boolean)) add(name, DataType::boolean, value.as_boolean());
    // Numbers go as their digits: a floating point number would not be the same one.
    if (value.is(json::Type::string) || value.is(json::Type::number))
      add(name, DataType::string, value.text());
  }
  return payload;
}

bool topic_matches(std::string_view filter, std::string_view topic) {
  while (true) {
    if (filter == "#") return true;
    const auto filter_end = filter.find('/');
    const auto topic_end = topic.find('/');
    const std::string_view level = filter.substr(0, filter_end);
    if (level != "+" && level != topic.substr(0, topic_end)) return false;
    if (filter_end == std::string_view::npos) return topic_end == std::string_view::npos;
    filter.remove_prefix(filter_end + 1);
    if (topic_end == std::string_view::npos) return filter == "#";
    topic.remove_prefix(topic_end + 1);
  }
}

Result<std::string> filled_topic(std::string_view pattern, const json::Value& document) {
  std::string topic;
  while (!pattern.empty()) {
    const auto open = pattern.find('{');
    const auto close = pattern.find('}', open == std::string_view::npos ? pattern.size() : open);
    topic += pattern.substr(0, open);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    const std::string pointer{pattern.substr(open + 1, close - open - 1)};
    const std::string value = scalar_at(document, pointer);
    if (value.empty() || value.find_first_of("+#/") != std::string::npos)
      return fail(Errc::invalid_argument,
                  "the document has no value at '" + pointer + "' that fits into a topic");
    topic += value;
    pattern.remove_prefix(close + 1);
  }
  return topic;
}

}  // namespace mainstay::adapters::mqtt
