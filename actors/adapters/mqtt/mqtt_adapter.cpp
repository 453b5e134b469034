#include "actors/adapters/mqtt/mqtt_adapter.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "actors/adapters/mqtt/arrivals.hpp"
#include "actors/adapters/mqtt/mqtt_link.hpp"
#include "actors/adapters/mqtt/mqtt_settings.hpp"
#include "actors/adapters/mqtt/production.hpp"
#include "actors/adapters/mqtt/sparkplug_host.hpp"
#include "actors/adapters/mqtt/sparkplug_payload.hpp"
#include "runtime/base/checksum.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/log.hpp"
#include "runtime/sys/clock.hpp"
#include "runtime/sys/random.hpp"

namespace mainstay::adapters {

namespace mqtt {
namespace {

using namespace integration;

constexpr Millis farewell{500};

MonotonicTime now() {
  return sys::system_clock().monotonic();
}
std::uint64_t wall_ms() {
  return sys::millis_of(sys::system_clock().wall());
}

std::string drawn_name() {
  Random& random = sys::system_random();
  return hex_of({random.next(), random.next()});
}

MqttMessage state_message(const std::string& host_id, bool online, std::uint64_t time_ms) {
  return {"spBv1.0/STATE/" + host_id,
          fmt::format(R"({{"online":{},"timestamp":{}}})", online, time_ms)};
}

std::string rebirth_payload() {
  Metric metric;
  metric.name = "Node Control/Rebirth";
  metric.type = DataType::boolean;
  metric.raw = true;
  return encode_payload({wall_ms(), std::nullopt, {metric}});
}

std::string member_text(const json::Value& value, std::string_view name) {
  const json::Value* member = value.is(json::Type::object) ? value.find(name) : nullptr;
  return member != nullptr && member->is(json::Type::string) ? member->text() : "";
}

class MqttAdapter final : public Adapter {
 public:
  MqttAdapter(std::string name, MqttSettings settings)
      : name_{std::move(name)}, settings_{std::move(settings)}, arrivals_{drawn_name()} {}

  ~MqttAdapter() override { say_offline(); }

  AdapterTraits traits() const override {
    return {.has_source = !settings_.groups.empty() || !settings_.reports.empty(),
            .has_effects = !settings_.dispatches.empty(),
            .idempotent = true};
  }

  Result<Page> fetch(const std::string& position, std::size_t messages_max) override;
  Result<std::vector<json::Value>> decode(const RawMessage& message) override;
  Result<void> acknowledge(const std::string& position) override;
  EffectResult apply(const Effect& effect) override;
  Result<std::optional<json::Value>> lookup(const Effect& effect) override;
  Result<void> probe() override { return open_calls(); }
  Result<ObservedPage> observe(const std::string& kind, const std::string& after) override;

 private:
  Result<void> listen(const Sessions& known);
  void make_source();
  void say_online();
  void say_offline();
  void take_received();
  void take(const MqttMessage& message);
  void take_sparkplug(const SparkplugTopic& topic, const std::string& payload);
  void ask_for_rebirths();
  Result<void> publish_acknowledgements();

  const DispatchRule* dispatch_of(const std::string& type) const;
  Result<void> open_calls();
  // Publishes, and waits for an answer on `answer_topic` whose member `name` is `value`.
  // `published`: whether it left us; then it may have been heard.
  Result<json::Value> ask(const std::string& topic, const std::string& question,
                          const std::string& answer_topic, const std::string& name,
                          const std::string& value, bool& published);

  std::string name_;
  MqttSettings settings_;
  Arrivals arrivals_;
  std::vector<Acknowledgement> to_publish_;
  std::unique_ptr<MqttLink> source_;  // with the fixed client id: of the one that fetches
  std::uint64_t connected_ms_ = 0;    // wall clock: tells the STATE of this connection from others
  std::unique_ptr<SparkplugHost> host_;
  std::uint64_t reported_gaps_ = 0;
  std::unique_ptr<MqttLink> calls_;  // with a name of its own
};

// --- in ---

void MqttAdapter::make_source() {
  LinkOptions options = settings_.link;
  options.client_id = settings_.client_id;
  options.clean_session = false;
  for (const std::string& group : settings_.groups)
    options.subscriptions.push_back("spBv1.0/" + group + "/#");
  for (const ReportRule& report : settings_.reports) options.subscriptions.push_back(report.topic);
  connected_ms_ = wall_ms();
  if (!settings_.host_id.empty()) {
    options.will = state_message(settings_.host_id, false, connected_ms_);
    options.subscriptions.push_back(options.will->topic);
  }
  source_ = std::make_unique<MqttLink>(std::move(options));
}

void MqttAdapter::say_online() {
  if (settings_.host_id.empty()) return;
  const MqttMessage online = state_message(settings_.host_id, true, connected_ms_);
  if (const auto sent = source_->publish(online.topic, online.payload, true); !sent)
    log_warn("mqtt", "adapter {}: cannot tell that it is online: {}", name_, sent.error().message);
}

// A broker tells the will only of those that break off.
void MqttAdapter::say_offline() {
  if (settings_.host_id.empty() || !source_ || !source_->connected()) return;
  const MqttMessage offline = state_message(settings_.host_id, false, connected_ms_);
  if (const auto sent = source_->publish(offline.topic, offline.payload, true))
    source_->run(now() + farewell, [this, &sent] { return source_->delivered(*sent); });
}

Result<void> MqttAdapter::listen(const Sessions& known) {
  if (!host_) host_ = std::make_unique<SparkplugHost>(known, settings_.rebirth_every);
  if (source_ && source_->connected()) return {};
  if (source_) take_received();
  make_source();
  TRY_ASSIGN(const bool is_new, source_->connect());
  if (is_new) host_->connected();
  say_online();
  return {};
}

void MqttAdapter::take_received() {
  while (!source_->received().empty()) {
    const MqttMessage message = std::move(source_->received().front());
    source_->received().pop_front();
    take(message);
  }
}

void MqttAdapter::take(const MqttMessage& message) {
  if (!settings_.host_id.empty() && message.topic == "spBv1.0/STATE/" + settings_.host_id) {
    // The will of an earlier connection came after our word: nodes would hold back their data.
    const auto state = json::parse(message.payload);
    const json::Value* online = state ? json::find(*state, "/online") : nullptr;
    if (online == nullptr || !(*online == json::Value::boolean(true))) say_online();
    return;
  }
  if (const auto topic = parse_topic(message.topic)) return take_sparkplug(*topic, message.payload);
  for (const ReportRule& rule : settings_.reports) {
    if (!topic_matches(rule.topic, message.topic)) continue;
    std::string answer = acknowledgement_of(rule, message.payload);
    Acknowledgement acknowledgement;
    if (!answer.empty()) acknowledgement = {rule.acknowledge_topic, std::move(answer)};
    arrivals_.add(report_of(rule, message.payload), std::move(acknowledgement));
    return;
  }
}

void MqttAdapter::take_sparkplug(const SparkplugTopic& topic, const std::string& bytes) {
  if (topic.kind == SparkplugKind::other) return;
  const auto payload = decode_payload(bytes);
  if (!payload) {
    // Its sequence number is missing, so the next message of the node shows a gap.
    RawMessage message;
    message.id = topic.path() + "/" + hex_of(xxh3_128(bytes));
    message.type = "unreadable";
    message.subject = topic.path();
    set_unreadable_body(message, bytes);
    arrivals_.add(std::move(message));
    return;
  }
  for (const SparkplugEvent& event : host_->on_message(topic, *payload))
    for (RawMessage& message : messages_of(event, settings_.counters, settings_.equipment))
      arrivals_.add(std::move(message));
  if (host_->gaps() != reported_gaps_) {
    reported_gaps_ = host_->gaps();
    log_warn("mqtt", "adapter {}: node {} skipped a sequence number; asking for its rebirth", name_,
             topic.node_path());
  }
}

void MqttAdapter::ask_for_rebirths() {
  for (const std::string& node : host_->rebirths_due(now())) {
    if (const auto sent = source_->publish(rebirth_topic(node), rebirth_payload()); !sent)
      log_warn("mqtt", "adapter {}: cannot ask {} for its rebirth: {}", name_, node,
               sent.error().message);
  }
}

Result<Page> MqttAdapter::fetch(const std::string& position, std::size_t messages_max) {
  TRY_ASSIGN(const ArrivalPosition from, parse_arrival_position(position));
  const MonotonicTime deadline = now() + settings_.wait;
  TRY(listen(from.sessions));
  // What is not acknowledged is bounded: beyond it the socket is left alone.
  const auto enough = [this, &from] {
    take_received();
    ask_for_rebirths();
    return arrivals_.any_after(from) || arrivals_.size() >= settings_.unacknowledged_max;
  };
  const bool had_some = arrivals_.any_after(from);
  source_->run(had_some ? now() : deadline, enough);
  const std::size_t most = std::min(messages_max, settings_.unacknowledged_max);
  while (arrivals_.size() < most && source_->receive_more()) take_received();
  take_received();
  if (!arrivals_.any_after(from) && !source_->connected())
    return fail(Errc::unavailable, "the connection to the broker broke");
  if (!arrivals_.any_after(from)) return Page{{}, position, false};
  return arrivals_.page_after(from, host_->sessions(), messages_max);
}

Result<std::vector<json::Value>> MqttAdapter::decode(const RawMessage& message) {
  if (message.type == "unreadable")
    return fail(Errc::invalid_argument, "the payload is not Sparkplug B");
  TRY_ASSIGN(json::Value document, json::parse(message.body));
  if (message.id.starts_with("unnamed/"))
    return fail(Errc::invalid_argument, "the report has no id");
  std::vector<json::Value> documents;
  documents.push_back(std::move(document));
  return documents;
}

Result<void> MqttAdapter::acknowledge(const std::string& position) {
  TRY_ASSIGN(const ArrivalPosition upto, parse_arrival_position(position));
  std::vector<Acknowledgement> more = arrivals_.acknowledge(upto);
  std::move(more.begin(), more.end(), std::back_inserter(to_publish_));
  return publish_acknowledgements();
}

// One that is lost is asked for again by its sender, who repeats the report.
Result<void> MqttAdapter::publish_acknowledgements() {
  if (to_publish_.empty()) return {};
  if (!source_ || !source_->connected())
    return fail(Errc::unavailable, "not connected: reports are acknowledged later");
  std::vector<int> sent;
  for (const Acknowledgement& one : to_publish_) {
    TRY_ASSIGN(const int message, source_->publish(one.topic, one.payload));
    sent.push_back(message);
  }
  const bool all = source_->run(now() + settings_.answer_timeout, [this, &sent] {
    return std::all_of(sent.begin(), sent.end(),
                       [this](int message) { return source_->delivered(message); });
  });
  if (!all) return fail(Errc::unavailable, "the broker did not take the acknowledgements");
  to_publish_.clear();
  return {};
}

// --- out ---

const DispatchRule* MqttAdapter::dispatch_of(const std::string& type) const {
  const auto found = std::find_if(settings_.dispatches.begin(), settings_.dispatches.end(),
                                  [&type](const DispatchRule& rule) { return rule.type == type; });
  return found == settings_.dispatches.end() ? nullptr : &*found;
}

Result<void> MqttAdapter::open_calls() {
  if (!calls_) {
    LinkOptions options = settings_.link;
    options.client_id = settings_.client_id + "-" + drawn_name();
    for (const DispatchRule& rule : settings_.dispatches)
      options.subscriptions.push_back(rule.answer_topic);
    for (const ListRule& rule : settings_.lists) options.subscriptions.push_back(rule.answer_topic);
    calls_ = std::make_unique<MqttLink>(std::move(options));
  }
  TRY_ASSIGN(const bool is_new, calls_->connect());
  static_cast<void>(is_new);
  // A connection that broke while nobody used it shows now, before anything depends on it.
  calls_->receive_more();
  if (!calls_->connected()) TRY(calls_->connect());
  calls_->received().clear();
  return {};
}

Result<json::Value> MqttAdapter::ask(const std::string& topic, const std::string& question,
                                     const std::string& answer_topic, const std::string& name,
                                     const std::string& value, bool& published) {
  TRY(open_calls());
  TRY_ASSIGN(const int sent, calls_->publish(topic, question));
  static_cast<void>(sent);
  published = true;
  std::optional<json::Value> answer;
  calls_->run(now() + settings_.answer_timeout, [this, &answer_topic, &name, &value, &answer] {
    for (auto& received = calls_->received(); !received.empty(); received.pop_front()) {
      auto candidate = json::parse(received.front().payload);
      if (received.front().topic == answer_topic && candidate &&
          member_text(*candidate, name) == value)
        answer = std::move(*candidate);
    }
    return answer.has_value();
  });
  if (answer) return std::move(*answer);
  return fail(calls_->connected() ? Errc::deadline_exceeded : Errc::unavailable,
              "no answer on " + answer_topic);
}

EffectResult MqttAdapter::apply(const Effect& effect) {
  const DispatchRule* rule = dispatch_of(effect.type);
  if (rule == nullptr)
    return EffectResult::failed(Verdict::refused,
                                "no dispatch takes effects of type '" + effect.type + "'");
  const auto topic = filled_topic(rule->topic, effect.document);
  if (!topic) return EffectResult::failed(Verdict::refused, topic.error().message);
  json::Value question = json::Value::object();
  question.set("key", json::Value::string(effect.key));
  question.set("type", json::Value::string(effect.type));
  question.set("document", effect.document);
  bool published = false;
  const std::string text =
      rule->command ? encode_payload(command_of(effect, wall_ms())) : json::to_text(question);
  auto answer = ask(*topic, text, rule->answer_topic, "key", effect.key, published);
  if (!answer)
    return EffectResult::failed(published ? Verdict::unknown : Verdict::transient,
                                answer.error().message);
  const std::string status = member_text(*answer, "status");
  if (status == "accepted") return EffectResult::done(std::move(*answer));
  const std::string reason = member_text(*answer, "reason");
  if (status == "refused") return EffectResult::failed(Verdict::refused, reason);
  if (status == "conflict") return EffectResult::failed(Verdict::conflict, reason);
  if (status == "busy") return EffectResult::failed(Verdict::transient, reason);
  return EffectResult::failed(Verdict::unparsable, "'" + status + "' is not a known status");
}

// The question reaches the counterpart behind the dispatch it asks about: a broker keeps the order
// of what it hands to one subscriber.
Result<std::optional<json::Value>> MqttAdapter::lookup(const Effect& effect) {
  const DispatchRule* rule = dispatch_of(effect.type);
  if (rule == nullptr || rule->query_topic.empty())
    return fail(Errc::unsupported, "effects of type '" + effect.type + "' have no query_topic");
  json::Value question = json::Value::object();
  question.set("key", json::Value::string(effect.key));
  bool published = false;
  TRY_ASSIGN(json::Value answer, ask(rule->query_topic, json::to_text(question), rule->answer_topic,
                                     "key", effect.key, published));
  const std::string status = member_text(answer, "status");
  if (status == "unknown") return std::optional<json::Value>{};
  if (status == "accepted") return std::optional<json::Value>{std::move(answer)};
  return fail(Errc::unavailable, "the counterpart says '" + status + "' of this key");
}

// --- looking ---

Result<ObservedPage> MqttAdapter::observe(const std::string& kind, const std::string& after) {
  const auto rule = std::find_if(settings_.lists.begin(), settings_.lists.end(),
                                 [&kind](const ListRule& list) { return list.kind == kind; });
  if (rule == settings_.lists.end())
    return fail(Errc::invalid_argument, "settings.lists has no kind '" + kind + "'");
  const std::string request = drawn_name();
  json::Value question = json::Value::object();
  question.set("request", json::Value::string(request));
  question.set("after", json::Value::string(after));
  bool published = false;
  TRY_ASSIGN(const json::Value answer, ask(rule->request_topic, json::to_text(question),
                                           rule->answer_topic, "request", request, published));
  const json::Value* items = answer.find("items");
  if (items == nullptr || !items->is(json::Type::array))
    return fail(Errc::invalid_argument, "the answer has no array 'items'");
  ObservedPage page;
  for (const json::Value& item : items->items()) {
    const json::Value* document = item.is(json::Type::object) ? item.find("document") : nullptr;
    if (document == nullptr || member_text(item, "id").empty())
      return fail(Errc::invalid_argument, "an item without 'id' or 'document'");
    page.items.push_back({member_text(item, "id"), *document});
  }
  page.next = member_text(answer, "next");
  return page;
}

}  // namespace
}  // namespace mqtt

Result<std::unique_ptr<integration::Adapter>> make_mqtt_adapter(
    const integration::AdapterContext& context) {
  TRY_ASSIGN(mqtt::MqttSettings settings, mqtt::read_settings(context));
  return std::unique_ptr<integration::Adapter>{
      std::make_unique<mqtt::MqttAdapter>(context.name, std::move(settings))};
}

}  // namespace mainstay::adapters
