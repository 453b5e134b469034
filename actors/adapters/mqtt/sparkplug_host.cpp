#include "actors/adapters/mqtt/sparkplug_host.hpp"

#include <algorithm>
#include <utility>

namespace mainstay::adapters::mqtt {

namespace {

constexpr std::uint64_t sequence_size = 256;

std::optional<std::uint64_t> bd_seq_of(const Payload& payload) {
  const auto metric = std::find_if(payload.metrics.begin(), payload.metrics.end(),
                                   [](const Metric& one) { return one.name == "bdSeq"; });
  if (metric == payload.metrics.end()) return std::nullopt;
  if (const auto* value = std::get_if<std::uint64_t>(&metric->raw)) return *value;
  if (const auto* value = std::get_if<std::uint32_t>(&metric->raw)) return *value;
  return std::nullopt;
}

}  // namespace

std::string to_string(const Session& session) {
  return std::to_string(session.bd_seq) + "@" + std::to_string(session.birth);
}

SparkplugHost::SparkplugHost(Sessions known, Millis rebirth_every)
    : sessions_{std::move(known)}, rebirth_every_{rebirth_every} {
  for (const auto& [path, session] : sessions_) nodes_[path];
}

void SparkplugHost::connected() {
  for (auto& [path, node] : nodes_) {
    node.in_order = false;
    node.asked.reset();
  }
}

std::vector<std::string> SparkplugHost::rebirths_due(MonotonicTime now) {
  std::vector<std::string> due;
  for (auto& [path, node] : nodes_) {
    if (node.in_order || (node.asked && now - *node.asked < rebirth_every_)) continue;
    // A node that is dead will be born by itself.
    if (const auto session = sessions_.find(path);
        session != sessions_.end() && session->second.ended)
      continue;
    node.asked = now;
    due.push_back(path);
  }
  return due;
}

std::vector<SparkplugEvent> SparkplugHost::on_message(const SparkplugTopic& topic,
                                                      const Payload& payload) {
  switch (topic.kind) {
    case SparkplugKind::nbirth:
      return on_node_birth(topic, payload);
    case SparkplugKind::ndeath:
      return on_node_death(topic, payload);
    case SparkplugKind::other:
      return {};
    default:
      break;
  }
  Node& node = nodes_[topic.node_path()];
  if (!takes_sequence(node, payload)) return {};
  if (topic.kind == SparkplugKind::dbirth) return on_birth(topic, payload, node);
  if (topic.kind != SparkplugKind::ddeath) return on_data(topic, payload, node);
  Device& device = node.devices[topic.device];
  if (!std::exchange(device.online, false)) return {};
  return {event_of(SparkplugEvent::Kind::death, topic, payload, device)};
}

// Whether the message is the next one of its node. If one was missed, what follows cannot be
// trusted: it may belong to another session. Cumulative counters make waiting for the rebirth free.
bool SparkplugHost::takes_sequence(Node& node, const Payload& payload) {
  if (!node.in_order) return false;
  const std::uint64_t last = (node.next_seq + sequence_size - 1) % sequence_size;
  if (payload.seq == last && payload.time == node.last_time) {
    ++duplicates_;
    return false;
  }
  if (payload.seq != node.next_seq) {
    ++gaps_;
    node.in_order = false;
    return false;
  }
  node.next_seq = (node.next_seq + 1) % sequence_size;
  node.last_time = payload.time;
  return true;
}

std::vector<SparkplugEvent> SparkplugHost::on_node_birth(const SparkplugTopic& topic,
                                                         const Payload& payload) {
  const auto bd_seq = bd_seq_of(payload);
  if (!bd_seq || !payload.seq) return {};
  const Session born{*bd_seq, payload.time.value_or(0), false};
  const auto [session, is_new] = sessions_.try_emplace(topic.node_path(), born);
  if (!is_new && (session->second.ended || session->second.bd_seq != *bd_seq))
    session->second = born;
  Node& node = nodes_[topic.node_path()];
  node = Node{};  // its devices have to be born again
  node.in_order = true;
  node.next_seq = (*payload.seq + 1) % sequence_size;
  node.last_time = payload.time;
  return on_birth(topic, payload, node);
}

std::vector<SparkplugEvent> SparkplugHost::on_node_death(const SparkplugTopic& topic,
                                                         const Payload& payload) {
  const auto session = sessions_.find(topic.node_path());
  const auto bd_seq = bd_seq_of(payload);
  // The will of an earlier connection may come after the birth of the next one.
  if (session == sessions_.end() || session->second.bd_seq != bd_seq || session->second.ended)
    return {};
  session->second.ended = true;
  Node& node = nodes_[topic.node_path()];
  node.in_order = false;
  std::vector<SparkplugEvent> events;
  for (auto& [name, device] : node.devices) {
    if (!std::exchange(device.online, false)) continue;
    SparkplugTopic dead = topic;
    dead.device = name;
    events.push_back(event_of(SparkplugEvent::Kind::death, dead, payload, device));
  }
  return events;
}

std::vector<SparkplugEvent> SparkplugHost::on_birth(const SparkplugTopic& topic,
                                                    const Payload& payload, Node& node) {
  Device device;
  device.online = true;
  for (const Metric& metric : payload.metrics) {
    if (metric.alias) device.aliases.insert_or_assign(*metric.alias, metric.name);
    device.metrics.insert_or_assign(metric.name,
                                    Known{metric.type, value_of(metric.raw, metric.type)});
  }
  SparkplugEvent event = event_of(SparkplugEvent::Kind::birth, topic, payload, device);
  for (const auto& [name, known] : device.metrics) event.changed.insert(name);
  node.devices.insert_or_assign(topic.device, std::move(device));
  return {std::move(event)};
}

std::vector<SparkplugEvent> SparkplugHost::on_data(const SparkplugTopic& topic,
                                                   const Payload& payload, Node& node) {
  Device& device = node.devices[topic.device];
  std::set<std::string> changed;
  for (const Metric& metric : payload.metrics) {
    std::string name = metric.name;
    if (const auto alias = device.aliases.find(metric.alias.value_or(0));
        name.empty() && metric.alias && alias != device.aliases.end())
      name = alias->second;
    const auto known = device.metrics.find(name);
    if (!device.online || known == device.metrics.end()) {
      node.in_order = false;  // a birth was missed
      return {};
    }
    // What a node stored while it was cut off is older than what is known.
    if (metric.historical) continue;
    const DataType type = metric.type == DataType::unknown ? known->second.type : metric.type;
    json::Value value = value_of(metric.raw, type);
    if (value == known->second.value) continue;
    known->second.value = std::move(value);
    changed.insert(name);
  }
  SparkplugEvent event = event_of(SparkplugEvent::Kind::data, topic, payload, device);
  event.changed = std::move(changed);
  return {std::move(event)};
}

SparkplugEvent SparkplugHost::event_of(SparkplugEvent::Kind kind, const SparkplugTopic& topic,
                                       const Payload& payload, const Device& device) const {
  SparkplugEvent event;
  event.kind = kind;
  event.path = topic.path();
  event.session = sessions_.at(topic.node_path());
  event.time = payload.time.value_or(0);
  for (const auto& [name, known] : device.metrics) event.metrics.emplace(name, known.value);
  return event;
}

}  // namespace mainstay::adapters::mqtt
