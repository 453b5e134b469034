#include "runtime/integration/rows.hpp"

#include <charconv>
#include <cstdio>

#include "runtime/integration/hub.hpp"
#include "runtime/record/index_key.hpp"

namespace mainstay::integration {

namespace {

using json::Type;
using json::Value;

Value text(std::string value) {
  return Value::string(std::move(value));
}
Value number(std::uint64_t value) {
  return Value::number(std::to_string(value));
}

// Left out while empty: rows stay short.
void add(Value& row, const char* name, const std::string& value) {
  if (!value.empty()) row.set(name, text(value));
}
void add(Value& row, const char* name, const Value& value) {
  if (!value.is(Type::null)) row.set(name, value);
}

// Reads one row; what is wrong is remembered.
class Reader {
 public:
  Reader(const Value& value, const char* what) : value_{value}, what_{what} {
    if (!value.is(Type::object)) wrong_ = "is no object";
  }

  std::string text(const char* name, bool must = false) {
    const Value* found = find(name);
    if (found != nullptr && found->is(Type::string)) return found->text();
    if (must || found != nullptr) wrong(name, "a text");
    return {};
  }
  std::uint64_t number(const char* name) {
    const Value* found = find(name);
    if (found == nullptr) return 0;
    std::uint64_t result = 0;
    if (found->is(Type::number)) {
      const std::string& digits = found->text();
      const auto end = digits.data() + digits.size();
      if (std::from_chars(digits.data(), end, result).ptr == end) return result;
    }
    wrong(name, "a whole number");
    return 0;
  }
  bool boolean(const char* name) {
    const Value* found = find(name);
    if (found == nullptr) return false;
    if (found->is(Type::boolean)) return found->as_boolean();
    wrong(name, "true or false");
    return false;
  }
  Value any(const char* name) {
    const Value* found = find(name);
    return found == nullptr ? Value{} : *found;
  }

  template <class Row>
  Result<Row> result(Row row) const {
    if (wrong_.empty()) return row;
    return fail(Errc::corrupt, std::string{what_} + " " + wrong_);
  }

  void wrong(const char* name, const char* wanted) {
    if (wrong_.empty()) wrong_ = "needs '" + std::string{name} + "': " + wanted;
  }

 private:
  const Value* find(const char* name) const {
    return value_.is(Type::object) ? value_.find(name) : nullptr;
  }

  const Value& value_;
  const char* what_;
  std::string wrong_;
};

constexpr std::string_view effect_states[] = {"intent",       "sent",    "unknown",
                                              "acknowledged", "refused", "parked"};
constexpr std::string_view letter_classes[] = {"transient",  "conflict", "refused",
                                               "unparsable", "drift",    "behind"};

const record::IndexState* open_index(const record::Collection& row) {
  for (const record::IndexState& index : row.indexes)
    if (index.name == "open" && index.ready) return &index;
  return nullptr;
}

}  // namespace

std::string_view to_string(EffectState state) {
  return effect_states[static_cast<std::size_t>(state)];
}

std::optional<EffectState> effect_state_of(std::string_view name) {
  for (std::size_t i = 0; i < std::size(effect_states); ++i)
    if (effect_states[i] == name) return static_cast<EffectState>(i);
  return std::nullopt;
}

std::string_view to_string(LetterClass kind) {
  return letter_classes[static_cast<std::size_t>(kind)];
}

Value to_value(const PlacementRow& row) {
  Value value = Value::object();
  value.set("adapter", text(row.adapter));
  value.set("node", number(row.node));
  add(value, "boot", row.boot);
  value.set("epoch", number(row.epoch));
  value.set("paused", Value::boolean(row.paused));
  if (row.prefer != 0) value.set("prefer", number(row.prefer));
  add(value, "since", row.since);
  return value;
}

Result<PlacementRow> placement_row(const Value& value) {
  Reader in{value, "a placement"};
  PlacementRow row;
  row.adapter = in.text("adapter", true);
  row.node = in.number("node");
  row.boot = in.text("boot");
  row.epoch = in.number("epoch");
  row.paused = in.boolean("paused");
  row.prefer = in.number("prefer");
  row.since = in.text("since");
  return in.result(std::move(row));
}

Value to_value(const NodeRow& row) {
  Value value = Value::object();
  value.set("node", number(row.node));
  value.set("boot", text(row.boot));
  value.set("draining", Value::boolean(row.draining));
  Value adapters = Value::object();
  for (const NodeRow::Candidate& candidate : row.adapters) {
    Value one = Value::object();
    one.set("kind", text(candidate.kind));
    one.set("hash", text(candidate.hash));
    adapters.set(candidate.adapter, std::move(one));
  }
  value.set("adapters", std::move(adapters));
  return value;
}

Result<NodeRow> node_row(const Value& value) {
  Reader in{value, "a node's row"};
  NodeRow row;
  row.node = in.number("node");
  row.boot = in.text("boot", true);
  row.draining = in.boolean("draining");
  const Value adapters = in.any("adapters");
  if (!adapters.is(Type::object)) {
    in.wrong("adapters", "an object");
    return in.result(std::move(row));
  }
  for (const auto& [name, one] : adapters.members()) {
    Reader candidate{one, "a candidate"};
    row.adapters.push_back({name, candidate.text("kind"), candidate.text("hash")});
  }
  return in.result(std::move(row));
}

Value to_value(const InboxRow& row) {
  Value value = Value::object();
  value.set("adapter", text(row.adapter));
  value.set("id", text(row.id));
  add(value, "version", row.version);
  value.set("type", text(row.type));
  value.set("subject", text(row.subject));
  add(value, "trace", row.trace);
  value.set("at", text(row.at));
  add(value, "mapping", row.mapping);
  value.set("hash", text(row.hash));
  json::Array records;
  for (const auto& [collection, key] : row.records) {
    Value one = Value::object();
    one.set("collection", text(collection));
    one.set("key", text(key));
    records.push_back(std::move(one));
  }
  value.set("records", Value::array(std::move(records)));
  return value;
}

Value to_value(const EffectRow& row) {
  Value value = Value::object();
  value.set("adapter", text(row.adapter));
  value.set("key", text(row.key));
  value.set("type", text(row.type));
  value.set("subject", text(row.subject));
  add(value, "trace", row.trace);
  value.set("state", text(std::string{to_string(row.state)}));
  value.set("attempt", number(row.attempt));
  value.set("document", row.document);
  Value source = Value::object();
  source.set("collection", text(row.source_collection));
  source.set("key", text(row.source_key));
  source.set("version", number(row.source_version));
  source.set("revision", number(row.source_revision));
  value.set("source", std::move(source));
  if (row.position != 0) value.set("position", number(row.position));
  value.set("created", text(row.created));
  add(value, "sent", row.sent);
  add(value, "finished", row.finished);
  add(value, "receipt", row.receipt);
  add(value, "detail", row.detail);
  if (is_open(row.state)) value.set("open", text(row.adapter));
  return value;
}

Result<EffectRow> effect_row(const Value& value) {
  Reader in{value, "an effect"};
  EffectRow row;
  row.adapter = in.text("adapter", true);
  row.key = in.text("key", true);
  row.type = in.text("type", true);
  row.subject = in.text("subject");
  row.trace = in.text("trace");
  const auto state = effect_state_of(in.text("state", true));
  if (!state) in.wrong("state", "one of its states");
  row.state = state.value_or(EffectState::parked);
  row.attempt = static_cast<std::uint32_t>(in.number("attempt"));
  row.document = in.any("document");
  const Value source_value = in.any("source");
  Reader source{source_value, "a source"};
  row.source_collection = source.text("collection");
  row.source_key = source.text("key");
  row.source_version = source.number("version");
  row.source_revision = source.number("revision");
  row.position = in.number("position");
  row.created = in.text("created");
  row.sent = in.text("sent");
  row.finished = in.text("finished");
  row.receipt = in.any("receipt");
  row.detail = in.text("detail");
  return in.result(std::move(row));
}

Value to_value(const LetterRow& row) {
  Value value = Value::object();
  value.set("adapter", text(row.adapter));
  value.set("direction", text(row.direction));
  value.set("id", text(row.id));
  add(value, "version", row.version);
  value.set("type", text(row.type));
  value.set("subject", text(row.subject));
  add(value, "trace", row.trace);
  value.set("class", text(row.kind));
  value.set("reason", text(row.reason));
  value.set("body", text(row.body));
  add(value, "content_type", row.content_type);
  add(value, "mapping", row.mapping);
  value.set("attempts", number(row.attempts));
  value.set("first", text(row.first));
  value.set("last", text(row.last));
  value.set("state", text(row.state));
  value.set("edited", Value::boolean(row.edited));
  value.set("revision", number(row.revision));
  if (row.is_open()) value.set("open", text(row.adapter));
  return value;
}

Result<LetterRow> letter_row(const Value& value) {
  Reader in{value, "a dead letter"};
  LetterRow row;
  row.adapter = in.text("adapter", true);
  row.direction = in.text("direction", true);
  row.id = in.text("id", true);
  row.version = in.text("version");
  row.type = in.text("type");
  row.subject = in.text("subject");
  row.trace = in.text("trace");
  row.kind = in.text("class");
  row.reason = in.text("reason");
  row.body = in.text("body");
  row.content_type = in.text("content_type");
  row.mapping = in.text("mapping");
  row.attempts = in.number("attempts");
  row.first = in.text("first");
  row.last = in.text("last");
  row.state = in.text("state", true);
  row.edited = in.boolean("edited");
  row.revision = in.number("revision");
  return in.result(std::move(row));
}

Value to_value(const CommandRow& row) {
  Value value = Value::object();
  value.set("adapter", text(row.adapter));
  value.set("id", text(row.id));
  value.set("command", text(row.command));
  add(value, "arguments", row.arguments);
  add(value, "asked_by", row.asked_by);
  value.set("at", text(row.at));
  value.set("state", text(row.state));
  add(value, "progress", row.progress);
  add(value, "detail", row.detail);
  if (row.state == "asked" || row.state == "running") value.set("open", text(row.adapter));
  return value;
}

Result<CommandRow> command_row(const Value& value) {
  Reader in{value, "a command"};
  CommandRow row;
  row.adapter = in.text("adapter", true);
  row.id = in.text("id", true);
  row.command = in.text("command", true);
  row.arguments = in.any("arguments");
  row.asked_by = in.text("asked_by");
  row.at = in.text("at");
  row.state = in.text("state", true);
  row.progress = in.any("progress");
  row.detail = in.text("detail");
  return in.result(std::move(row));
}

std::string inbox_key(std::string_view adapter, std::string_view id, std::string_view version) {
  return std::string{adapter} + "/" + key_part(id) + "/" + key_part(version);
}
std::string effect_key(std::string_view adapter, std::string_view key) {
  return std::string{adapter} + "/" + key_part(key);
}
std::string letter_key(std::string_view adapter, std::string_view direction, std::string_view id) {
  return std::string{adapter} + "/" + std::string{direction} + "/" + key_part(id);
}

std::optional<Value> find_value(const record::StateReader& view, std::string_view collection,
                                std::string_view key) {
  const auto record = view.find_record(collection, key);
  if (!record || record->tombstone) return std::nullopt;
  auto value = json::parse(record->value.view());
  if (!value) return std::nullopt;
  return *std::move(value);
}

void scan_open(const record::StateReader& view, std::string_view collection,
               std::string_view adapter,
               const std::function<bool(std::string_view key, const Value& value,
                                        const record::Record& record)>& visit) {
  const auto is_open_here = [&](const Value& value) {
    const Value* open = value.is(Type::object) ? value.find("open") : nullptr;
    return open != nullptr && open->is(Type::string) && open->text() == adapter;
  };
  const auto look = [&](std::string_view key, const record::Record& record) {
    if (record.tombstone) return true;
    const auto value = json::parse(record.value.view());
    return !value || !is_open_here(*value) || visit(key, *value, record);
  };
  const auto row = view.find_collection(collection);
  if (!row) return;
  const record::IndexState* index = open_index(*row);
  if (index == nullptr) return view.scan_records(collection, std::string{adapter} + "/", "", look);
  const auto wanted = record::index_key(text(std::string{adapter}));
  if (!wanted) return;
  view.scan_index(row->id, index->id, *wanted, "",
                  [&](std::string_view value, std::string_view key) {
                    if (value != *wanted) return false;
                    const auto record = view.find_record(collection, key);
                    return !record || look(key, *record);
                  });
}

record::Action put_action(std::string_view collection, std::string key, const Value& value) {
  record::Action action;
  action.kind = record::ActionKind::put;
  action.collection = collection;
  action.key = std::move(key);
  action.value = Bytes{json::to_text(value)};
  return action;
}

record::Action patch_action(std::string_view collection, std::string key, const Value& patch) {
  record::Action action = put_action(collection, std::move(key), patch);
  action.kind = record::ActionKind::patch;
  return action;
}

std::string time_text(WallTime time) {
  const auto millis = std::chrono::floor<Millis>(time);
  const auto day = std::chrono::floor<std::chrono::days>(millis);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{millis - day};
  char out[64];
  std::snprintf(
      out, sizeof out, "%04d-%02u-%02uT%02ld:%02ld:%02ld.%03ldZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<long>(clock.hours().count()), static_cast<long>(clock.minutes().count()),
      static_cast<long>(clock.seconds().count()), static_cast<long>(clock.subseconds().count()));
  return out;
}

std::optional<WallTime> time_of(std::string_view text) {
  // "2026-01-02T03:04:05.678Z"
  if (text.size() != 24 || text.back() != 'Z') return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t size) -> int {
    int value = -1;
    const char* end = text.data() + at + size;
    return std::from_chars(text.data() + at, end, value).ptr == end ? value : -1;
  };
  const int year = part(0, 4), month = part(5, 2), day = part(8, 2), hour = part(11, 2),
            minute = part(14, 2), second = part(17, 2), millis = part(20, 3);
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour < 0 || minute < 0 || second < 0 || millis < 0) return std::nullopt;
  return WallTime{std::chrono::sys_days{date}.time_since_epoch() + std::chrono::hours{hour} +
                  std::chrono::minutes{minute} + std::chrono::seconds{second} + Millis{millis}};
}

}  // namespace mainstay::integration
