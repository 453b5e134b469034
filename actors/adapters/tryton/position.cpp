#include "actors/adapters/tryton/position.hpp"

#include <charconv>

namespace mainstay::adapters::tryton {

using json::Type;
using json::Value;

namespace {

constexpr std::int64_t position_version = 1;
constexpr Id range_ids_max = 100'000;  // of one block: what is more was not written by us

Id number_of(std::string_view text) {
  Id value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

const Value* member(const Value& value, std::string_view name, Type type) {
  const Value* found = value.is(Type::object) ? value.find(name) : nullptr;
  return found != nullptr && found->is(type) ? found : nullptr;
}

std::string text_member(const Value& value, std::string_view name) {
  const Value* found = member(value, name, Type::string);
  return found == nullptr ? "" : found->text();
}

Id number_member(const Value& value, std::string_view name) {
  const Value* found = member(value, name, Type::number);
  return found == nullptr ? 0 : number_of(found->text());
}

ModelPosition parse_model(const Value& value) {
  ModelPosition model;
  model.watermark = text_member(value, "watermark");
  model.after = number_member(value, "after");
  model.high = text_member(value, "high");
  if (const Value* seen = member(value, "seen", Type::object))
    for (const auto& [id, of] : seen->members())
      model.seen[number_of(id)] = {text_at(of, "/0"), text_at(of, "/1")};
  if (const Value* swept = member(value, "swept", Type::object))
    for (const auto& [block, of] : swept->members())
      model.swept[number_of(block)] = {text_at(of, "/0"), text_at(of, "/1")};
  return model;
}

Value to_value(const ModelPosition& model) {
  Value value = object({{"watermark", text(model.watermark)}});
  if (model.after != 0) value.set("after", integer(model.after));
  if (!model.high.empty()) value.set("high", text(model.high));
  Value seen = Value::object();
  for (const auto& [id, of] : model.seen)
    seen.set(std::to_string(id), list({text(of.version), text(of.modified)}));
  if (!model.seen.empty()) value.set("seen", std::move(seen));
  Value swept = Value::object();
  for (const auto& [block, of] : model.swept)
    swept.set(std::to_string(block), list({text(of.hash), text(of.ranges)}));
  if (!model.swept.empty()) value.set("swept", std::move(swept));
  return value;
}

Value to_value(const SweepPosition& sweep) {
  return object({{"model", text(sweep.model)},
                 {"block", integer(sweep.block)},
                 {"skip", integer(static_cast<std::int64_t>(sweep.skip))},
                 {"hash", text(sweep.hash)},
                 {"due_ms", integer(static_cast<std::int64_t>(sweep.due_ms))}});
}

}  // namespace

Result<Position> parse_position(const std::string& text) {
  Position position;
  if (text.empty()) return position;
  TRY_ASSIGN(const Value value, json::parse(text));
  if (number_member(value, "version") != position_version)
    return fail(Errc::invalid_argument, "the position is not one of this adapter");
  position.turn = static_cast<std::size_t>(number_member(value, "turn"));
  if (const Value* models = member(value, "models", Type::object))
    for (const auto& [name, of] : models->members()) position.models[name] = parse_model(of);
  if (const Value* sweep = member(value, "sweep", Type::object)) {
    position.sweep.model = text_member(*sweep, "model");
    position.sweep.block = number_member(*sweep, "block");
    position.sweep.skip = static_cast<std::size_t>(number_member(*sweep, "skip"));
    position.sweep.hash = text_member(*sweep, "hash");
    position.sweep.due_ms = static_cast<std::uint64_t>(number_member(*sweep, "due_ms"));
  }
  return position;
}

std::string to_text(const Position& position) {
  Value models = Value::object();
  for (const auto& [name, model] : position.models) models.set(name, to_value(model));
  return json::to_text(object({{"version", integer(position_version)},
                               {"turn", integer(static_cast<std::int64_t>(position.turn))},
                               {"models", std::move(models)},
                               {"sweep", to_value(position.sweep)}}));
}

std::string to_ranges(const Ids& sorted) {
  std::string ranges;
  for (std::size_t at = 0; at < sorted.size();) {
    std::size_t end = at;
    while (end + 1 < sorted.size() && sorted[end + 1] == sorted[end] + 1) ++end;
    if (!ranges.empty()) ranges += ',';
    ranges += std::to_string(sorted[at]);
    if (end > at) ranges += "-" + std::to_string(sorted[end]);
    at = end + 1;
  }
  return ranges;
}

Ids from_ranges(std::string_view ranges) {
  Ids all;
  while (!ranges.empty()) {
    const auto comma = ranges.find(',');
    const std::string_view range = ranges.substr(0, comma);
    const auto dash = range.find('-');
    const Id first = number_of(range.substr(0, dash));
    const Id last = dash == std::string_view::npos ? first : number_of(range.substr(dash + 1));
    for (Id id = first; id <= last && id - first < range_ids_max; ++id) all.push_back(id);
    ranges = comma == std::string_view::npos ? std::string_view{} : ranges.substr(comma + 1);
  }
  return all;
}

}  // namespace mainstay::adapters::tryton
