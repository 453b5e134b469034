#include "runtime/record/declaration.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <map>

#include "runtime/base/limits.hpp"

namespace mainstay::record {

namespace {

using json::Type;
using json::Value;

constexpr std::uint64_t hour_ms = 3'600'000;
constexpr std::uint64_t window_hours = limits::retention_window_ms / hour_ms;
constexpr std::uint64_t history_hours_max = 20ULL * 366 * 24;
constexpr std::size_t description_bytes_max = 1024;

Failure wrong(std::string_view place, std::string_view what) {
  return fail(Errc::invalid_argument, std::string{place} + ": " + std::string{what});
}

Result<void> check_members(const Value& value, std::string_view place,
                           std::initializer_list<std::string_view> known) {
  if (!value.is(Type::object)) return wrong(place, "is a JSON object");
  for (const auto& [name, member] : value.members()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string names;
    for (const std::string_view each : known)
      names += (names.empty() ? "" : ", ") + std::string{each};
    return wrong(place, "there is no member '" + name.substr(0, 64) + "'; known: " + names);
  }
  return {};
}

// A whole number from `low` to `high`.
Result<std::uint64_t> count_of(const Value& value, std::string_view place, std::uint64_t low,
                               std::uint64_t high) {
  std::uint64_t count = 0;
  bool good = value.is(Type::number);
  if (good) {
    const char* end = value.text().data() + value.text().size();
    const auto [rest, error] = std::from_chars(value.text().data(), end, count);
    good = error == std::errc{} && rest == end && count >= low && count <= high;
  }
  if (!good)
    return wrong(place,
                 "is a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return count;
}

Result<std::string> string_of(const Value& value, std::string_view place) {
  if (!value.is(Type::string)) return wrong(place, "is a string");
  return value.text();
}

bool is_name(std::string_view text, std::size_t most) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), good);
}

// --- the members ---

Result<Kind> kind_of(const Value& value) {
  for (const Kind kind : {Kind::document, Kind::ledger})
    if (value.is(Type::string) && value.text() == to_string(kind)) return kind;
  return wrong("kind", "is \"document\" or \"ledger\"");
}

Result<ConflictRule> conflict_of(const Value& value) {
  for (const ConflictRule rule :
       {ConflictRule::last_writer_wins, ConflictRule::home_region, ConflictRule::keep_both})
    if (value.is(Type::string) && value.text() == to_string(rule)) return rule;
  return wrong("conflict", "is \"last_writer_wins\", \"home_region\" or \"keep_both\"");
}

Result<IndexDeclaration> index_of(const Value& value, const std::string& place) {
  TRY(check_members(value, place, {"name", "pointer"}));
  const Value* name = value.find("name");
  const Value* pointer = value.find("pointer");
  if (name == nullptr || pointer == nullptr) return wrong(place, "has a name and a pointer");
  IndexDeclaration index;
  TRY_ASSIGN(index.name, string_of(*name, place + ".name"));
  TRY_ASSIGN(index.pointer, string_of(*pointer, place + ".pointer"));
  if (!is_name(index.name, limits::index_name_bytes_max))
    return wrong(place + ".name", "has 1 to " + std::to_string(limits::index_name_bytes_max) +
                                      " characters of a-z, 0-9, '_' and '-'");
  if (index.pointer.size() > limits::pointer_bytes_max)
    return wrong(place + ".pointer",
                 "has at most " + std::to_string(limits::pointer_bytes_max) + " bytes");
  if (const auto good = json::check_pointer(index.pointer); !good)
    return wrong(place + ".pointer", good.error().message);
  return index;
}

Result<std::vector<IndexDeclaration>> indexes_of(const Value& value) {
  if (!value.is(Type::array) || value.items().size() > limits::indexes_max)
    return wrong("indexes", "is an array of at most " + std::to_string(limits::indexes_max));
  std::vector<IndexDeclaration> indexes;
  for (const Value& item : value.items()) {
    const std::string place = "indexes[" + std::to_string(indexes.size()) + "]";
    TRY_ASSIGN(IndexDeclaration index, index_of(item, place));
    const bool again =
        std::any_of(indexes.begin(), indexes.end(),
                    [&](const IndexDeclaration& earlier) { return earlier.name == index.name; });
    if (again) return wrong(place + ".name", "'" + index.name + "' stands twice");
    indexes.push_back(std::move(index));
  }
  return indexes;
}

Result<std::vector<std::string>> dimensions_of(const Value* value) {
  const std::string most = std::to_string(limits::ledger_dimensions_max);
  const bool good = value != nullptr && value->is(Type::array) && !value->items().empty() &&
                    value->items().size() <= limits::ledger_dimensions_max;
  if (!good) return wrong("ledger.dimensions", "is an array of 1 to " + most + " names");
  constexpr std::string_view taken[] = {"id", "quantity", "from", "to", "reverses", "data"};
  std::vector<std::string> names;
  for (const Value& item : value->items()) {
    TRY_ASSIGN(std::string name, string_of(item, "ledger.dimensions"));
    if (!is_name(name, limits::index_name_bytes_max))
      return wrong("ledger.dimensions", "names have 1 to 32 characters of a-z, 0-9, '_' and '-'");
    if (std::find(std::begin(taken), std::end(taken), name) != std::end(taken))
      return wrong("ledger.dimensions", "'" + name + "' is a member of every entry");
    if (std::find(names.begin(), names.end(), name) != names.end())
      return wrong("ledger.dimensions", "'" + name + "' stands twice");
    names.push_back(std::move(name));
  }
  return names;
}

Result<Dimensions> exception_of(const LedgerDeclaration& ledger, const Value& value) {
  if (!value.is(Type::object) || value.members().empty())
    return wrong("ledger.except", "is an array of objects such as {\"location\":\"SUPPLIER\"}");
  for (const auto& [name, wanted] : value.members()) {
    const auto& names = ledger.dimensions;
    if (std::find(names.begin(), names.end(), name) == names.end())
      return wrong("ledger.except", "'" + name.substr(0, 64) + "' is not a dimension");
    if (!wanted.is(Type::string)) return wrong("ledger.except." + name, "is a string");
  }
  Dimensions exception;  // in the declared order
  for (const std::string& name : ledger.dimensions)
    if (const Value* wanted = value.find(name); wanted != nullptr)
      exception.emplace_back(name, wanted->text());
  return exception;
}

Result<LedgerDeclaration> ledger_of(const Value& value) {
  TRY(check_members(value, "ledger", {"dimensions", "scale", "never_below", "except"}));
  LedgerDeclaration ledger;
  TRY_ASSIGN(ledger.dimensions, dimensions_of(value.find("dimensions")));
  if (const Value* scale = value.find("scale"); scale != nullptr) {
    TRY_ASSIGN(const std::uint64_t digits, count_of(*scale, "ledger.scale", 0, Decimal::scale_max));
    ledger.scale = static_cast<unsigned>(digits);
  }
  if (const Value* low = value.find("never_below"); low != nullptr && !low->is(Type::null)) {
    const bool form = low->is(Type::string) || low->is(Type::number);
    auto number = form ? Decimal::parse(low->text())
                       : Result<Decimal>{wrong("ledger.never_below", "is a decimal number")};
    if (number) number = number->rescaled(ledger.scale);
    if (!number) return wrong("ledger.never_below", number.error().message);
    ledger.never_below = *number;
  }
  if (const Value* except = value.find("except"); except != nullptr) {
    if (!except->is(Type::array) || except->items().size() > limits::ledger_exceptions_max)
      return wrong("ledger.except", "is an array of at most " +
                                        std::to_string(limits::ledger_exceptions_max) + " objects");
    for (const Value& item : except->items()) {
      TRY_ASSIGN(Dimensions exception, exception_of(ledger, item));
      ledger.except.push_back(std::move(exception));
    }
  }
  return ledger;
}

Result<void> read_limits(const Value& value, Declaration& declaration) {
  TRY(check_members(value, "limits", {"value_bytes", "records"}));
  if (const Value* bytes = value.find("value_bytes"); bytes != nullptr) {
    TRY_ASSIGN(declaration.value_bytes_max,
               count_of(*bytes, "limits.value_bytes", 1, limits::record_value_bytes_max));
    if (declaration.value_bytes_max == limits::record_value_bytes_max)
      declaration.value_bytes_max = 0;
  }
  if (const Value* records = value.find("records"); records != nullptr) {
    constexpr std::uint64_t records_max = 1'000'000'000'000'000;
    TRY_ASSIGN(declaration.records_max, count_of(*records, "limits.records", 0, records_max));
  }
  return {};
}

Result<void> read_retention(const Value& value, Declaration& declaration) {
  TRY(check_members(value, "retention", {"history_hours"}));
  const Value* hours = value.find("history_hours");
  if (hours == nullptr) return {};
  TRY_ASSIGN(const std::uint64_t count,
             count_of(*hours, "retention.history_hours", window_hours, history_hours_max));
  // The window itself needs no rule of its own.
  declaration.history_ms = count == window_hours ? 0 : count * hour_ms;
  return {};
}

Result<void> read_schema(const Value& value, Declaration& declaration) {
  if (value.is(Type::null)) return {};
  auto schema = Schema::compile(value);
  if (!schema) return wrong("schema", schema.error().message);
  declaration.schema = *std::move(schema);
  return {};
}

Result<void> read_member(std::string_view name, const Value& value, Declaration& declaration) {
  if (name == "kind") {
    TRY_ASSIGN(declaration.kind, kind_of(value));
  } else if (name == "description") {
    TRY_ASSIGN(declaration.description, string_of(value, "description"));
    if (declaration.description.size() > description_bytes_max)
      return wrong("description",
                   "has at most " + std::to_string(description_bytes_max) + " bytes");
  } else if (name == "schema") {
    TRY(read_schema(value, declaration));
  } else if (name == "indexes") {
    TRY_ASSIGN(declaration.indexes, indexes_of(value));
  } else if (name == "limits") {
    TRY(read_limits(value, declaration));
  } else if (name == "retention") {
    TRY(read_retention(value, declaration));
  } else if (name == "conflict") {
    TRY_ASSIGN(declaration.conflict, conflict_of(value));
  } else if (name == "ledger" && !value.is(Type::null)) {
    TRY_ASSIGN(declaration.ledger, ledger_of(value));
  }
  return {};
}

Value number(std::uint64_t count) {
  return Value::number(std::to_string(count));
}

Value json_of(const LedgerDeclaration& ledger) {
  Value value = Value::object();
  Value dimensions = Value::array();
  for (const std::string& name : ledger.dimensions)
    dimensions.items().push_back(Value::string(name));
  value.set("dimensions", std::move(dimensions));
  value.set("scale", number(ledger.scale));
  if (ledger.never_below) value.set("never_below", Value::string(ledger.never_below->to_string()));
  Value except = Value::array();
  for (const Dimensions& exception : ledger.except) {
    Value pattern = Value::object();
    for (const auto& [name, wanted] : exception) pattern.set(name, Value::string(wanted));
    except.items().push_back(std::move(pattern));
  }
  value.set("except", std::move(except));
  return value;
}

Value json_of(const std::vector<IndexDeclaration>& indexes) {
  Value list = Value::array();
  for (const IndexDeclaration& index : indexes)
    list.items().push_back(Value::object(
        {{"name", Value::string(index.name)}, {"pointer", Value::string(index.pointer)}}));
  return list;
}

}  // namespace

std::string_view to_string(Kind kind) {
  return kind == Kind::document ? "document" : "ledger";
}

std::string_view to_string(ConflictRule rule) {
  switch (rule) {
    case ConflictRule::last_writer_wins:
      return "last_writer_wins";
    case ConflictRule::home_region:
      return "home_region";
    case ConflictRule::keep_both:
      return "keep_both";
  }
  UNREACHABLE();
}

Result<Declaration> parse_declaration(std::string_view text) {
  TRY_ASSIGN(const Value value, json::parse(text));
  TRY(check_members(
      value, "the declaration",
      {"kind", "description", "schema", "indexes", "limits", "retention", "conflict", "ledger"}));
  Declaration declaration;
  for (const auto& [name, member] : value.members()) TRY(read_member(name, member, declaration));
  if (declaration.kind == Kind::ledger && !declaration.ledger)
    return wrong("ledger", "is missing; a ledger names its dimensions");
  if (declaration.kind == Kind::document && declaration.ledger)
    return wrong("ledger", "goes with \"kind\":\"ledger\" only");
  return declaration;
}

std::string to_json(const Declaration& declaration) {
  const std::uint64_t bytes = declaration.value_bytes_max == 0 ? limits::record_value_bytes_max
                                                               : declaration.value_bytes_max;
  const std::uint64_t hours =
      declaration.history_ms == 0 ? window_hours : declaration.history_ms / hour_ms;
  Value value = Value::object();
  value.set("kind", Value::string(std::string{to_string(declaration.kind)}));
  value.set("description", Value::string(declaration.description));
  value.set("schema", declaration.schema ? declaration.schema->source() : Value{});
  value.set("indexes", json_of(declaration.indexes));
  value.set("limits", Value::object({{"value_bytes", number(bytes)},
                                     {"records", number(declaration.records_max)}}));
  value.set("retention", Value::object({{"history_hours", number(hours)}}));
  value.set("conflict", Value::string(std::string{to_string(declaration.conflict)}));
  if (declaration.ledger) value.set("ledger", json_of(*declaration.ledger));
  return json::to_text(value);
}

Result<void> check_change(const Declaration& from, const Declaration& to) {
  const auto stays = [](std::string_view what) {
    return fail(Errc::conflict,
                std::string{what} + " cannot change while the collection has records");
  };
  if (from.kind != to.kind) return stays("the kind");
  if (from.ledger && from.ledger->dimensions != to.ledger->dimensions) return stays("dimensions");
  if (from.ledger && from.ledger->scale != to.ledger->scale) return stays("the scale");
  return {};
}

const Declaration* system_declaration(std::string_view collection) {
  static const Declaration plain;
  const bool known = collection == system_collection::collections ||
                     collection == system_collection::tokens ||
                     collection == system_collection::audit;
  return known ? &plain : nullptr;
}

}  // namespace mainstay::record
