// What the events of edge nodes mean as messages of the hub: states of counters, births and deaths.
// Pure.
#pragma once

#include <vector>

#include "actors/adapters/mqtt/mqtt_settings.hpp"
#include "actors/adapters/mqtt/sparkplug_host.hpp"
#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters::mqtt {

// A message of a rule is known by device, session and the values of its counters and context: the
// same state told twice is the same message, and a state that was lost is covered by the next.
std::vector<integration::RawMessage> messages_of(const SparkplugEvent& event,
                                                 const std::vector<CounterRule>& rules,
                                                 const std::string& equipment_type);

// A JSON report. Without an id it is what it is, under a name of its bytes: decoding parks it.
integration::RawMessage report_of(const ReportRule& rule, std::string payload);
// What nobody can read, kept for people: as text if it is plain text, else in hexadecimal digits.
void set_unreadable_body(integration::RawMessage& message, std::string_view bytes);
// The text that acknowledges it; "" if it has no id.
std::string acknowledgement_of(const ReportRule& rule, const std::string& payload);

// Whether a topic fits a filter with + and # (MQTT 3.1.1, 4.7).
bool topic_matches(std::string_view filter, std::string_view topic);
// An effect as a Sparkplug command: a metric for each scalar member of its document, and its key.
Payload command_of(const integration::Effect& effect, std::uint64_t time_ms);
// "jobs/{/line}" with the values of the document. Errors: invalid_argument.
Result<std::string> filled_topic(std::string_view pattern, const json::Value& document);

}  // namespace mainstay::adapters::mqtt
