#include "runtime/record/ledger.hpp"

#include <algorithm>

#include "runtime/base/limits.hpp"

namespace mainstay::record {

namespace {

using json::Type;
using json::Value;

Failure wrong(std::string_view member, std::string_view what) {
  return fail(Errc::invalid_argument, std::string{member} + ": " + std::string{what});
}

bool is_dimension(const LedgerDeclaration& ledger, std::string_view name) {
  const auto& names = ledger.dimensions;
  return std::find(names.begin(), names.end(), name) != names.end();
}

Result<void> check_members(const LedgerDeclaration& ledger, const Value& entry) {
  constexpr std::string_view known[] = {"quantity", "from", "to", "reverses", "data"};
  for (const auto& [name, value] : entry.members()) {
    const bool good = std::find(std::begin(known), std::end(known), name) != std::end(known) ||
                      is_dimension(ledger, name);
    if (!good) return wrong(name, "is neither a member of an entry nor a dimension of the ledger");
  }
  for (const std::string_view end : {"from", "to"}) {
    const Value* side = entry.find(end);
    if (side == nullptr) continue;
    if (!side->is(Type::object)) return wrong(end, "is an object of dimensions");
    for (const auto& [name, value] : side->members()) {
      if (!is_dimension(ledger, name))
        return wrong(std::string{end} + "." + name, "is not a dimension of the ledger");
      if (entry.find(name) != nullptr)
        return wrong(name, "stands at the top and in '" + std::string{end} + "'; say it once");
    }
  }
  return {};
}

// One end of an entry: each dimension from the end itself or from the top.
Result<Dimensions> end_of(const LedgerDeclaration& ledger, const Value& entry,
                          std::string_view end) {
  const Value* side = entry.find(end);
  Dimensions dimensions;
  for (const std::string& name : ledger.dimensions) {
    const Value* value = side == nullptr ? nullptr : side->find(name);
    if (value == nullptr) value = entry.find(name);
    const std::string place = std::string{end} + "." + name;
    if (value == nullptr) return wrong(place, "is missing");
    if (!value->is(Type::string)) return wrong(place, "is a string");
    dimensions.emplace_back(name, value->text());
  }
  if (const auto position = position_of(ledger, dimensions); !position)
    return wrong(end, position.error().message);
  return dimensions;
}

Result<Decimal> quantity_of(const LedgerDeclaration& ledger, const Value& entry) {
  const Value* value = entry.find("quantity");
  if (value == nullptr) return wrong("quantity", "is missing");
  if (!value->is(Type::string) && !value->is(Type::number))
    return wrong("quantity", "is a decimal number, best in a string");
  const auto number = Decimal::parse(value->text());
  if (!number) return wrong("quantity", number.error().message);
  const auto quantity = number->rescaled(ledger.scale);
  if (!quantity) return wrong("quantity", quantity.error().message);
  if (quantity->is_zero() || quantity->is_negative()) return wrong("quantity", "is greater than 0");
  return *quantity;
}

}  // namespace

Result<LedgerEntry> parse_entry(const LedgerDeclaration& ledger, std::string_view id,
                                std::string_view text) {
  TRY_ASSIGN(const Value value, json::parse(text));
  if (!value.is(Type::object)) return fail(Errc::invalid_argument, "an entry is a JSON object");
  TRY(check_members(ledger, value));
  LedgerEntry entry;
  entry.id = id;
  TRY_ASSIGN(entry.quantity, quantity_of(ledger, value));
  TRY_ASSIGN(entry.from, end_of(ledger, value, "from"));
  TRY_ASSIGN(entry.to, end_of(ledger, value, "to"));
  if (entry.from == entry.to)
    return fail(Errc::invalid_argument, "from and to are the same; an entry has two ends");
  if (const Value* reverses = value.find("reverses"); reverses != nullptr) {
    if (!reverses->is(Type::string) || reverses->text().empty())
      return wrong("reverses", "is the id of an entry");
    if (reverses->text() == id) return wrong("reverses", "an entry does not reverse itself");
    entry.reverses = reverses->text();
  }
  if (const Value* data = value.find("data"); data != nullptr) entry.data = *data;
  return entry;
}

std::string to_json(const LedgerEntry& entry) {
  Value value = Value::object();
  Value from = Value::object();
  Value to = Value::object();
  for (std::size_t i = 0; i < entry.from.size(); ++i) {
    const auto& [name, left] = entry.from[i];
    const std::string& right = entry.to[i].second;
    if (left == right) {
      value.members().emplace_back(name, Value::string(left));
    } else {
      from.members().emplace_back(name, Value::string(left));
      to.members().emplace_back(name, Value::string(right));
    }
  }
  value.members().emplace_back("quantity", Value::string(entry.quantity.to_string()));
  value.members().emplace_back("from", std::move(from));
  value.members().emplace_back("to", std::move(to));
  if (entry.reverses) value.members().emplace_back("reverses", Value::string(*entry.reverses));
  if (!entry.data.is(Type::null)) value.members().emplace_back("data", entry.data);
  return json::canonical_text(value);
}

Dimensions in_order(const LedgerDeclaration& ledger, Dimensions dimensions) {
  const auto& names = ledger.dimensions;
  const auto place = [&](const auto& dimension) {
    return std::find(names.begin(), names.end(), dimension.first);
  };
  std::stable_sort(dimensions.begin(), dimensions.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return dimensions;
}

Result<std::string> position_of(const LedgerDeclaration& ledger, const Dimensions& dimensions) {
  if (dimensions.size() != ledger.dimensions.size())
    return fail(Errc::invalid_argument,
                "a position has " + std::to_string(ledger.dimensions.size()) + " dimensions");
  std::string position;
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    const auto& [name, value] = dimensions[i];
    if (name != ledger.dimensions[i])
      return fail(Errc::invalid_argument, "'" + name + "' stands where dimension '" +
                                              ledger.dimensions[i] + "' is expected");
    if (value.empty()) return wrong(name, "is empty");
    for (const char c : value)
      if (static_cast<unsigned char>(c) < 0x20) return wrong(name, "holds a control character");
    position += value;
    position += '\0';
  }
  if (position.size() > limits::balance_key_bytes_max)
    return fail(Errc::invalid_argument, "the dimensions together have more than " +
                                            std::to_string(limits::balance_key_bytes_max) +
                                            " bytes");
  return position;
}

Dimensions dimensions_of(const LedgerDeclaration& ledger, std::string_view position) {
  Dimensions dimensions;
  for (const std::string& name : ledger.dimensions) {
    const std::size_t end = position.find('\0');
    ASSERT_MSG(end != std::string_view::npos, "a position of this ledger");
    dimensions.emplace_back(name, position.substr(0, end));
    position.remove_prefix(end + 1);
  }
  ASSERT(position.empty());
  return dimensions;
}

bool is_guarded(const LedgerDeclaration& ledger, const Dimensions& dimensions) {
  if (!ledger.never_below) return false;
  return std::none_of(ledger.except.begin(), ledger.except.end(), [&](const Dimensions& pattern) {
    return std::all_of(pattern.begin(), pattern.end(), [&](const auto& wanted) {
      return std::find(dimensions.begin(), dimensions.end(), wanted) != dimensions.end();
    });
  });
}

}  // namespace mainstay::record
