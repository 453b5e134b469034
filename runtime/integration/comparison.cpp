#include "runtime/integration/comparison.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/base/limits.hpp"
#include "runtime/integration/hub.hpp"

namespace mainstay::integration {

using json::Type;
using json::Value;

namespace {

constexpr std::string_view kinds[] = {"missing_here", "missing_there", "differs", "unexpected"};

Value text(std::string_view value) {
  return Value::string(std::string{value});
}
Value number(std::uint64_t value) {
  return Value::number(std::to_string(value));
}
std::string text_of(const Value& object, std::string_view name) {
  const Value* member = object.is(Type::object) ? object.find(name) : nullptr;
  return member != nullptr && member->is(Type::string) ? member->text() : std::string{};
}
std::uint64_t number_of(const Value& object, std::string_view name) {
  const Value* member = object.is(Type::object) ? object.find(name) : nullptr;
  std::uint64_t result = 0;
  if (member != nullptr && member->is(Type::number))
    std::from_chars(member->text().data(), member->text().data() + member->text().size(), result);
  return result;
}
bool flag_of(const Value& object, std::string_view name) {
  const Value* member = object.is(Type::object) ? object.find(name) : nullptr;
  return member != nullptr && member->is(Type::boolean) && member->as_boolean();
}

std::string escaped(std::string_view name) {
  std::string pointer;
  for (const char c : name) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
  return pointer;
}

void leaves(const Value& value, const std::string& pointer, std::vector<std::string>& found) {
  if (!value.is(Type::object)) {
    found.push_back(pointer);
    return;
  }
  for (const auto& [name, member] : value.members())
    leaves(member, pointer + '/' + escaped(name), found);
}

Value at(const Value& value, const std::string& pointer) {
  const Value* found = json::find(value, pointer);
  return found != nullptr ? *found : Value{};
}

// What is told of a value in a row: short, whatever it is.
Value told(const Value& value) {
  std::string whole = json::to_text(value);
  if (whole.size() <= limits::discrepancy_value_bytes_max) return value;
  std::size_t end = limits::discrepancy_value_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(whole[end]) & 0xc0) == 0x80) --end;
  return Value::string(whole.substr(0, end) + "…");
}

}  // namespace

bool same_value(const Value& here, const Value& there) {
  const auto is_amount = [](const Value& a, const Value& b) {
    return a.is(Type::number) && b.is(Type::string) && json::is_number(b.text());
  };
  if (is_amount(here, there) || is_amount(there, here))
    return json::number_of(here.text()) == json::number_of(there.text());
  return here == there;
}

std::vector<FieldDifference> differences(const Value& here, const Value& there,
                                         const std::vector<std::string>& fields) {
  std::vector<std::string> pointers = fields;
  if (pointers.empty()) leaves(there, "", pointers);
  std::vector<FieldDifference> found;
  for (const std::string& pointer : pointers) {
    const Value mine = at(here, pointer), theirs = at(there, pointer);
    if (same_value(mine, theirs)) continue;
    found.push_back({pointer, told(mine), told(theirs)});
    if (found.size() == limits::discrepancy_fields_max) break;
  }
  return found;
}

bool takes_part(const Value& value, const Where& where) {
  return std::all_of(where.begin(), where.end(), [&](const auto& wanted) {
    const Value* found = json::find(value, wanted.first);
    if (found == nullptr) return false;
    if (found->is(Type::boolean)) return wanted.second == (found->as_boolean() ? "true" : "false");
    return (found->is(Type::string) || found->is(Type::number)) &&
           same_value(*found, Value::string(wanted.second));
  });
}

std::string_view to_string(DifferenceKind kind) {
  return kinds[static_cast<std::size_t>(kind)];
}

std::optional<DifferenceKind> difference_kind_of(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kinds); ++i)
    if (kinds[i] == name) return static_cast<DifferenceKind>(i);
  return std::nullopt;
}

Value to_value(const DiscrepancyRow& row) {
  Value value = Value::object();
  value.set("adapter", text(row.adapter));
  value.set("name", text(row.name));
  value.set("key", text(row.difference.key));
  value.set("kind", text(to_string(row.difference.kind)));
  if (!row.difference.id.empty()) value.set("id", text(row.difference.id));
  json::Array fields;
  for (const FieldDifference& field : row.difference.fields)
    fields.push_back(Value::object(
        {{"pointer", text(field.pointer)}, {"here", field.here}, {"there", field.there}}));
  value.set("fields", Value::array(std::move(fields)));
  value.set("first", text(row.first));
  value.set("last", text(row.last));
  value.set("state", text(row.state));
  if (!row.explanation.empty()) {
    value.set("explained_by", text(row.explained_by));
    value.set("explained_at", text(row.explained_at));
    value.set("explanation", text(row.explanation));
  }
  if (row.state == "open") value.set("open", text(row.adapter));
  return value;
}

Result<DiscrepancyRow> discrepancy_row(const Value& value) {
  DiscrepancyRow row;
  row.adapter = text_of(value, "adapter");
  row.name = text_of(value, "name");
  row.difference.key = text_of(value, "key");
  row.difference.id = text_of(value, "id");
  row.first = text_of(value, "first");
  row.last = text_of(value, "last");
  row.state = text_of(value, "state");
  row.explained_by = text_of(value, "explained_by");
  row.explained_at = text_of(value, "explained_at");
  row.explanation = text_of(value, "explanation");
  const auto kind = difference_kind_of(text_of(value, "kind"));
  if (!kind || row.adapter.empty() || row.state.empty())
    return fail(Errc::corrupt, "this is not the row of a discrepancy");
  row.difference.kind = *kind;
  const Value* fields = value.find("fields");
  if (fields != nullptr && fields->is(Type::array))
    for (const Value& field : fields->items())
      row.difference.fields.push_back(
          {text_of(field, "pointer"), at(field, "/here"), at(field, "/there")});
  return row;
}

std::string discrepancy_key(std::string_view adapter, std::string_view name, std::string_view key) {
  return reconciliation_key(adapter, name) + '/' + key_part(key);
}

Value to_value(const ReconciliationRow& row) {
  Value value = Value::object({{"adapter", text(row.adapter)}, {"name", text(row.name)}});
  if (!row.cut.empty()) value.set("cut", text(row.cut));
  if (!row.verified_through.empty()) value.set("verified_through", text(row.verified_through));
  value.set("compared", number(row.compared));
  value.set("equal", number(row.equal));
  value.set("pending", number(row.pending));
  value.set("open", number(row.open));
  value.set("explained", number(row.explained));
  if (!row.accuracy.empty()) value.set("accuracy", text(row.accuracy));
  if (!row.last_run.empty()) value.set("last_run", text(row.last_run));
  value.set("passed", Value::boolean(row.passed));
  if (!row.every.empty()) value.set("every_ms", Value::number(row.every));
  if (!row.detail.empty()) value.set("detail", text(row.detail));
  return value;
}

Result<ReconciliationRow> reconciliation_row(const Value& value) {
  ReconciliationRow row;
  row.adapter = text_of(value, "adapter");
  row.name = text_of(value, "name");
  if (row.adapter.empty() || row.name.empty())
    return fail(Errc::corrupt, "this is not the row of a reconciliation");
  row.cut = text_of(value, "cut");
  row.verified_through = text_of(value, "verified_through");
  row.compared = number_of(value, "compared");
  row.equal = number_of(value, "equal");
  row.pending = number_of(value, "pending");
  row.open = number_of(value, "open");
  row.explained = number_of(value, "explained");
  row.accuracy = text_of(value, "accuracy");
  row.last_run = text_of(value, "last_run");
  row.passed = flag_of(value, "passed");
  if (value.find("every_ms") != nullptr) row.every = std::to_string(number_of(value, "every_ms"));
  row.detail = text_of(value, "detail");
  return row;
}

std::string reconciliation_key(std::string_view adapter, std::string_view name) {
  return std::string{adapter} + '/' + key_part(name);
}

std::string accuracy_text(std::uint64_t equal, std::uint64_t all) {
  constexpr std::uint64_t scale = 1'000'000;
  if (equal >= all) return "1";
  std::string digits = std::to_string(equal * scale / all);
  digits.insert(0, 6 - digits.size(), '0');
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  return "0." + digits;
}

}  // namespace mainstay::integration
