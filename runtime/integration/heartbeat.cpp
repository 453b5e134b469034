#include "runtime/integration/heartbeat.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/base/assert.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/integration/rows.hpp"

namespace mainstay::integration {

using json::Type;
using json::Value;

namespace {

constexpr std::int64_t missed_max = 3;
// A call or a commit may take its time.
constexpr Millis grace{10'000};

std::string text_of(const Value& object, std::string_view name) {
  const Value* member = object.find(name);
  return member != nullptr && member->is(Type::string) ? member->text() : std::string{};
}

void add(Value& row, const char* name, const std::string& value) {
  if (!value.empty()) row.set(name, Value::string(value));
}

std::vector<std::string> names_of(const AdapterDefinition& definition) {
  std::vector<std::string> names;
  if (definition.source) names.emplace_back(source_path);
  if (definition.exports.empty()) return names;
  names.emplace_back(export_path);
  for (std::size_t number = 0; number < definition.effects.lanes; ++number)
    names.push_back(lane_path(number));
  return names;
}

}  // namespace

std::string lane_path(std::size_t number) {
  return "lane-" + std::to_string(number);
}

std::string path_key(std::string_view adapter, std::string_view path) {
  return std::string{adapter} + "/" + std::string{path};
}

Value to_value(const PathRow& row) {
  Value value = Value::object();
  value.set("adapter", Value::string(row.adapter));
  value.set("path", Value::string(row.path));
  value.set("every_ms", Value::number(std::to_string(row.every_ms)));
  value.set("since", Value::string(row.since));
  add(value, "next", row.next);
  add(value, "sent", row.sent);
  add(value, "arrived", row.arrived);
  add(value, "reached", row.reached);
  add(value, "breaker", row.breaker);
  add(value, "trouble", row.trouble);
  return value;
}

Result<PathRow> path_row(const Value& value) {
  if (!value.is(Type::object)) return fail(Errc::corrupt, "a path's row is no object");
  PathRow row;
  row.adapter = text_of(value, "adapter");
  row.path = text_of(value, "path");
  if (row.adapter.empty() || row.path.empty())
    return fail(Errc::corrupt, "a path's row needs 'adapter' and 'path'");
  if (const Value* every = value.find("every_ms"); every != nullptr && every->is(Type::number))
    std::from_chars(every->text().data(), every->text().data() + every->text().size(),
                    row.every_ms);
  row.since = text_of(value, "since");
  row.next = text_of(value, "next");
  row.sent = text_of(value, "sent");
  row.arrived = text_of(value, "arrived");
  row.reached = text_of(value, "reached");
  row.breaker = text_of(value, "breaker");
  row.trouble = text_of(value, "trouble");
  return row;
}

PathRow path_of(const record::StateReader& view, const AdapterDefinition& definition,
                std::string_view path, WallTime now) {
  const auto value = find_value(view, hub::paths, path_key(definition.name, path));
  const auto known = value ? path_row(*value) : Result<PathRow>{fail(Errc::not_found, "")};
  PathRow row = known ? *known : PathRow{};
  row.adapter = definition.name;
  row.path = path;
  if (row.since.empty()) row.since = time_text(now);
  Millis every = definition.heartbeat;
  if (path == source_path) {
    ASSERT(definition.source);
    every = std::max(every, definition.source->poll);
  }
  row.every_ms = static_cast<std::uint64_t>(every.count());
  return row;
}

std::vector<PathRow> paths_of(const record::StateReader& view, const AdapterDefinition& definition,
                              WallTime now) {
  std::vector<PathRow> rows;
  for (const std::string& name : names_of(definition))
    rows.push_back(path_of(view, definition, name, now));
  return rows;
}

std::vector<record::Action> path_changes(const record::StateReader& view,
                                         const AdapterDefinition& definition, WallTime now) {
  std::vector<record::Action> actions;
  std::vector<std::string> keys;
  for (const PathRow& row : paths_of(view, definition, now)) {
    keys.push_back(path_key(row.adapter, row.path));
    const auto before = find_value(view, hub::paths, keys.back());
    if (!before || *before != to_value(row)) actions.push_back(put_path(row));
  }
  view.scan_records(
      hub::paths, definition.name + "/", "",
      [&](std::string_view key, const record::Record& record) {
        if (record.tombstone || std::find(keys.begin(), keys.end(), key) != keys.end()) return true;
        record::Action action;
        action.kind = record::ActionKind::remove;
        action.collection = hub::paths;
        action.key = key;
        actions.push_back(std::move(action));
        return true;
      });
  return actions;
}

record::Action put_path(const PathRow& row) {
  return put_action(hub::paths, path_key(row.adapter, row.path), to_value(row));
}

Millis heartbeat_age(const PathRow& row, WallTime now) {
  const auto then = time_of(row.sent.empty() ? row.since : row.sent);
  if (!then || *then >= now) return Millis{0};
  return std::chrono::duration_cast<Millis>(now - *then);
}

Millis heartbeat_delay(const PathRow& row) {
  const auto sent = time_of(row.sent), arrived = time_of(row.arrived);
  if (!sent || !arrived || *arrived < *sent) return Millis{0};
  return std::chrono::duration_cast<Millis>(*arrived - *sent);
}

bool is_overdue(const PathRow& row, WallTime now) {
  const Millis every{static_cast<std::int64_t>(row.every_ms)};
  return heartbeat_age(row, now) > missed_max * every + grace;
}

}  // namespace mainstay::integration
