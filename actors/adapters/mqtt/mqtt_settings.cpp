#include "actors/adapters/mqtt/mqtt_settings.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "actors/adapters/common/settings.hpp"
#include "runtime/base/json.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::adapters::mqtt {

namespace {

constexpr std::size_t password_bytes_max = 4096;
constexpr std::size_t client_id_bytes_max = 200;

std::string topic(Settings& from, std::string_view name, bool filter, bool required) {
  std::string text = required ? from.required_text(name) : from.text(name, "");
  if (!filter && text.find_first_of("+#") != std::string::npos)
    from.wrong(name, "expected a topic without + and #");
  return text;
}

std::string pointer(Settings& from, std::string_view name, std::string_view otherwise) {
  std::string text = from.text(name, otherwise);
  if (const auto checked = json::check_pointer(text); !checked)
    from.wrong(name, checked.error().message);
  return text;
}

Names names(Settings& from, std::string_view name) {
  Names result;
  std::optional<Settings> table = from.table(name);
  if (!table) return result;
  for (const auto& [key, value] : from.value(name)->members())
    result.emplace_back(key, table->required_text(key));
  return result;
}

CounterRule read_counters(Settings& from) {
  CounterRule rule;
  rule.type = from.required_text("type");
  rule.counters = names(from, "counters");
  if (rule.counters.empty()) from.wrong("counters", "must be given: member = \"metric\"");
  rule.context = names(from, "context");
  rule.session = from.text("session", "");
  return rule;
}

ReportRule read_report(Settings& from) {
  ReportRule rule;
  rule.type = from.required_text("type");
  rule.topic = topic(from, "topic", true, true);
  rule.id = pointer(from, "id", "/id");
  rule.version = pointer(from, "version", "");
  rule.subject = pointer(from, "subject", "");
  rule.acknowledge_topic = topic(from, "acknowledge_topic", false, true);
  return rule;
}

DispatchRule read_dispatch(Settings& from) {
  DispatchRule rule;
  rule.type = from.required_text("type");
  rule.topic = topic(from, "topic", false, true);
  rule.command = from.choice("form", "json", {"json", "command"}) == "command";
  rule.answer_topic = topic(from, "answer_topic", false, true);
  rule.query_topic = topic(from, "query_topic", false, false);
  return rule;
}

ListRule read_list(Settings& from) {
  ListRule rule;
  rule.kind = from.required_text("kind");
  rule.request_topic = topic(from, "request_topic", false, true);
  rule.answer_topic = topic(from, "answer_topic", false, true);
  return rule;
}

std::string file_path(Settings& from, std::string_view name, const std::string& directory) {
  const std::string path = from.text(name, "");
  return path.empty() ? path : (std::filesystem::path{directory} / path).string();
}

Result<void> read_password(LinkOptions& link, const std::string& path) {
  if (path.empty()) return {};
  TRY_ASSIGN(std::string text, sys::read_file(path, password_bytes_max));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  link.password = std::move(text);
  return {};
}

}  // namespace

Result<MqttSettings> read_settings(const integration::AdapterContext& context) {
  Settings from{context.settings};
  MqttSettings settings;
  LinkOptions& link = settings.link;
  link.host = from.required_text("host");
  link.port = static_cast<int>(from.integer("port", 1883, 1, 65535));
  link.username = from.text("username", "");
  const std::string password_file = file_path(from, "password_file", context.directory);
  link.ca_file = file_path(from, "ca_file", context.directory);
  link.certificate_file = file_path(from, "certificate_file", context.directory);
  link.key_file = file_path(from, "key_file", context.directory);
  if (link.certificate_file.empty() != link.key_file.empty())
    from.wrong("key_file", "must be given together with certificate_file");
  link.keepalive_seconds = static_cast<int>(from.integer("keepalive", 10, 5, 3600));
  link.connect_timeout = from.duration("connect_timeout", "5s");
  settings.client_id = from.text("client_id", "mainstay-" + context.name);
  if (settings.client_id.size() > client_id_bytes_max) from.wrong("client_id", "is too long");
  settings.groups = from.texts("groups");
  settings.host_id = from.text("host_id", "");
  settings.equipment = from.text("equipment", "");
  settings.wait = from.duration("wait", "1s");
  settings.rebirth_every = from.duration("rebirth_every", "2s");
  settings.answer_timeout =
      from.duration("answer_timeout", std::to_string(context.call_timeout.count()) + "ms");
  settings.unacknowledged_max =
      static_cast<std::size_t>(from.integer("unacknowledged_max", 10'000, 1, 1'000'000));
  for (Settings& table : from.tables("counters")) settings.counters.push_back(read_counters(table));
  for (Settings& table : from.tables("reports")) settings.reports.push_back(read_report(table));
  for (Settings& table : from.tables("dispatch"))
    settings.dispatches.push_back(read_dispatch(table));
  for (Settings& table : from.tables("lists")) settings.lists.push_back(read_list(table));
  if (!settings.counters.empty() && settings.groups.empty())
    from.wrong("groups", "must be given: the Sparkplug groups whose counters are read");
  TRY(from.done());
  TRY(read_password(link, password_file));
  return settings;
}

}  // namespace mainstay::adapters::mqtt
