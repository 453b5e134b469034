#include "actors/adapters/tryton/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "runtime/integration/exact.hpp"

namespace mainstay::adapters::tryton {

using json::Type;
using json::Value;

namespace {

constexpr std::size_t day_size = 10;      // 2026-11-28
constexpr std::size_t second_size = 19;   // 2026-11-28T06:37:00
constexpr unsigned unit_digits_max = 12;  // more are a mistake

int number_in(std::string_view text, std::size_t at, std::size_t size) {
  int value = -1;
  if (at + size <= text.size()) std::from_chars(text.data() + at, text.data() + at + size, value);
  return value;
}

int part(const Value& value, std::string_view name) {
  const Value* found = value.find(name);
  return found == nullptr || !found->is(Type::number)
             ? 0
             : number_in(found->text(), 0, found->text().size());
}

std::string day_of(const Value& value) {
  return fmt::format("{:04}-{:02}-{:02}", part(value, "year"), part(value, "month"),
                     part(value, "day"));
}

std::string clock_of(const Value& value) {
  return fmt::format("{:02}:{:02}:{:02}.{:06}", part(value, "hour"), part(value, "minute"),
                     part(value, "second"), part(value, "microsecond"));
}

std::string without_spaces(std::string text) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  return text;
}

// Nothing for a class that is not known: then the object stays as it is.
std::optional<Value> decode_class(const Value& value, std::string_view name) {
  if (name == "Decimal") {
    const std::string digits = text_at(value, "/decimal");
    return json::is_number(digits) ? Value::number(digits) : Value::string(digits);
  }
  if (name == "date") return Value::string(day_of(value));
  if (name == "datetime") return Value::string(day_of(value) + "T" + clock_of(value) + "Z");
  if (name == "time") return Value::string(clock_of(value));
  if (name == "timedelta") {
    const Value* seconds = value.find("seconds");
    return seconds == nullptr ? Value{} : *seconds;
  }
  if (name == "bytes") return Value::string(without_spaces(text_at(value, "/base64")));
  return std::nullopt;
}

void decode_members(const Value& value, Value& plain) {
  for (const auto& [name, member] : value.members()) {
    const bool dotted = !name.empty() && name.back() == '.';
    const std::string plain_name = dotted ? name.substr(0, name.size() - 1) : name;
    // "party" and "party.": the object says more than the number.
    if (!dotted && value.find(name + ".") != nullptr) continue;
    Value decoded = decode(member);
    // Some answers give the number only beside the object.
    if (const Value* id = dotted ? value.find(plain_name) : nullptr;
        id != nullptr && id->is(Type::number) && decoded.is(Type::object) &&
        decoded.find("id") == nullptr)
      decoded.set("id", *id);
    plain.set(plain_name, std::move(decoded));
  }
}

unsigned digits_at(const Value& row, std::string_view pointer, bool& known) {
  const std::string digits = text_at(row, pointer);
  const int value = number_in(digits, 0, digits.size());
  known = value >= 0 && value <= static_cast<int>(unit_digits_max);
  return known ? static_cast<unsigned>(value) : 0;
}

Result<void> round_member(Value& row, std::string_view name,
                          std::initializer_list<std::string_view> digits_pointers) {
  Value* found = row.find(name);
  if (found == nullptr || !found->is(Type::number)) return {};
  for (const std::string_view pointer : digits_pointers) {
    bool known = false;
    const unsigned digits = digits_at(row, pointer, known);
    if (!known) continue;
    TRY_ASSIGN(const Decimal value, rounded(found->text(), digits));
    *found = Value::number(value.to_string());
    return {};
  }
  return {};
}

}  // namespace

Value text(std::string_view value) {
  return Value::string(std::string{value});
}
Value integer(std::int64_t value) {
  return Value::number(std::to_string(value));
}
Value list(std::initializer_list<Value> items) {
  return Value::array(json::Array{items});
}
Value object(std::initializer_list<json::Member> members) {
  return Value::object(json::Object{members});
}

Value ids(const Ids& values) {
  Value all = Value::array();
  for (const Id id : values) all.items().push_back(integer(id));
  return all;
}

Value clause(std::string_view field, std::string_view comparison, Value value) {
  return list({text(field), text(comparison), std::move(value)});
}

Value money(const Decimal& value) {
  return object({{"__class__", text("Decimal")}, {"decimal", text(value.to_string())}});
}

Value quantity(const Decimal& value) {
  return Value::number(value.to_string());
}

bool is_date(std::string_view day) {
  return day.size() == day_size && day[4] == '-' && day[7] == '-' && number_in(day, 0, 4) > 0 &&
         number_in(day, 5, 2) > 0 && number_in(day, 8, 2) > 0;
}

Value date(std::string_view day) {
  return object({{"__class__", text("date")},
                 {"year", integer(number_in(day, 0, 4))},
                 {"month", integer(number_in(day, 5, 2))},
                 {"day", integer(number_in(day, 8, 2))}});
}

Value moment(std::string_view time) {
  Value value = date(time.substr(0, day_size));
  value.set("__class__", text("datetime"));
  value.set("hour", integer(std::max(0, number_in(time, 11, 2))));
  value.set("minute", integer(std::max(0, number_in(time, 14, 2))));
  value.set("second", integer(std::max(0, number_in(time, 17, 2))));
  value.set("microsecond", integer(std::max(0, number_in(time, second_size + 1, 6))));
  return value;
}

std::string earlier(std::string_view time, Millis by) {
  using namespace std::chrono;
  const year_month_day day{year{number_in(time, 0, 4)},
                           month{static_cast<unsigned>(number_in(time, 5, 2))},
                           std::chrono::day{static_cast<unsigned>(number_in(time, 8, 2))}};
  if (!day.ok()) return std::string{time};
  const auto moment = sys_days{day} + hours{number_in(time, 11, 2)} +
                      minutes{number_in(time, 14, 2)} + seconds{number_in(time, 17, 2)} +
                      microseconds{number_in(time, second_size + 1, 6)} - by;
  const auto midnight = floor<days>(moment);
  const year_month_day that_day{midnight};
  const hh_mm_ss clock{floor<microseconds>(moment - midnight)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                     static_cast<int>(that_day.year()), static_cast<unsigned>(that_day.month()),
                     static_cast<unsigned>(that_day.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

Value decode(const Value& value) {
  if (value.is(Type::array)) {
    Value plain = Value::array();
    plain.items().reserve(value.items().size());
    for (const Value& item : value.items()) plain.items().push_back(decode(item));
    return plain;
  }
  if (!value.is(Type::object)) return value;
  if (const Value* name = value.find("__class__"); name != nullptr && name->is(Type::string))
    if (auto plain = decode_class(value, name->text())) return std::move(*plain);
  Value plain = Value::object();
  decode_members(value, plain);
  return plain;
}

Id id_at(const Value& row, std::string_view name) {
  const Value* found = row.is(Type::object) ? row.find(name) : nullptr;
  if (found != nullptr && found->is(Type::object)) found = found->find("id");
  Id id = 0;
  if (found != nullptr && found->is(Type::number))
    std::from_chars(found->text().data(), found->text().data() + found->text().size(), id);
  return id;
}

Id id_of(const Value& row) {
  return id_at(row, "id");
}

Ids ids_at(const Value& row, std::string_view name) {
  const Value* found = row.is(Type::object) ? row.find(name) : nullptr;
  Ids all;
  if (found == nullptr || !found->is(Type::array)) return all;
  for (const Value& item : found->items()) {
    Id id = 0;
    if (item.is(Type::number))
      std::from_chars(item.text().data(), item.text().data() + item.text().size(), id);
    all.push_back(id);
  }
  return all;
}

std::string text_at(const Value& row, std::string_view pointer) {
  const Value* found = json::find(row, pointer);
  const bool readable = found != nullptr && (found->is(Type::string) || found->is(Type::number));
  return readable ? found->text() : "";
}

bool is_true(const Value& value) {
  return value.is(Type::boolean) && value.as_boolean();
}

Result<Decimal> rounded(std::string_view number, unsigned digits) {
  TRY_ASSIGN(const std::string exact,
             integration::decimal_text(
                 number, {.scale = digits, .rounding = integration::Rounding::half_even}));
  return Decimal::parse(exact);
}

Result<void> round_quantities(Value& row) {
  if (row.is(Type::array)) {
    for (Value& item : row.items()) TRY(round_quantities(item));
    return {};
  }
  if (!row.is(Type::object)) return {};
  TRY(round_member(
      row, "quantity",
      {"/uom/digits", "/unit/digits", "/product/default_uom/digits", "/default_uom/digits"}));
  TRY(round_member(row, "internal_quantity", {"/product/default_uom/digits"}));
  TRY(round_member(row, "expected_quantity", {"/uom/digits"}));
  for (auto& [name, member] : row.members())
    if (member.is(Type::array)) TRY(round_quantities(member));
  return {};
}

}  // namespace mainstay::adapters::tryton
