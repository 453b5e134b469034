// The [settings] of an mqtt adapter: docs/integration/adapters/mqtt.md. Plain values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "actors/adapters/mqtt/mqtt_link.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters::mqtt {

using Names = std::vector<std::pair<std::string, std::string>>;

// Devices that have all these counters give messages of this type.
struct CounterRule {
  std::string type;
  Names counters;       // member of the document, metric: cumulative numbers
  Names context;        // member, metric: what they count for ("order")
  std::string session;  // a metric that changes when the counters start again; "": bdSeq
};

// JSON messages that their sender repeats until they are acknowledged.
struct ReportRule {
  std::string type;
  std::string topic;    // a filter
  std::string id;       // pointer
  std::string version;  // pointer; "": none
  std::string subject;  // pointer; "": the id
  std::string acknowledge_topic;
};

// Effects that are published and answered on another topic, by their key.
struct DispatchRule {
  std::string type;
  std::string topic;     // may contain {/pointer} into the document
  bool command = false;  // a Sparkplug command, its metrics are the document's scalars; else JSON
  std::string answer_topic;
  std::string query_topic;  // asks what became of a key; "": lookup is not possible
};

// A list that the counterpart gives page by page when asked.
struct ListRule {
  std::string kind;
  std::string request_topic;
  std::string answer_topic;
};

struct MqttSettings {
  LinkOptions link;  // without what a use of it adds
  std::string client_id;
  std::vector<std::string> groups;  // of Sparkplug
  std::string host_id;              // primary host; "": no STATE is published
  std::string equipment;            // type of births and deaths; "": none
  Millis wait{};
  Millis rebirth_every{};
  Millis answer_timeout{};
  std::size_t unacknowledged_max = 0;
  std::vector<CounterRule> counters;
  std::vector<ReportRule> reports;
  std::vector<DispatchRule> dispatches;
  std::vector<ListRule> lists;
};

// Errors: invalid_argument, naming the setting and what is expected.
Result<MqttSettings> read_settings(const integration::AdapterContext& context);

}  // namespace mainstay::adapters::mqtt
