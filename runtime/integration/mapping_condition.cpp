// Conditions: {"value": rule, "equals" | "in" | "exists" | "above" | "below": …}, {"all": […]},
// {"any": […]}, {"not": …}.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/integration/exact.hpp"
#include "runtime/integration/mapping_compiler.hpp"

namespace mainstay::integration::rules {

namespace {

using json::Type;

class Group final : public Condition {
 public:
  Group(bool all, std::vector<ConditionPtr> parts) : all_{all}, parts_{std::move(parts)} {}

  Result<bool> holds(const Scope& scope) const override {
    for (const ConditionPtr& part : parts_) {
      TRY_ASSIGN(const bool good, part->holds(scope));
      if (good != all_) return good;
    }
    return all_;
  }
  void cover(const Scope& scope, Coverage& coverage) const override {
    for (const ConditionPtr& part : parts_) part->cover(scope, coverage);
  }

 private:
  const bool all_;  // else: any of them
  const std::vector<ConditionPtr> parts_;
};

class Not final : public Condition {
 public:
  explicit Not(ConditionPtr part) : part_{std::move(part)} {}
  Result<bool> holds(const Scope& scope) const override {
    TRY_ASSIGN(const bool good, part_->holds(scope));
    return !good;
  }
  void cover(const Scope& scope, Coverage& coverage) const override {
    part_->cover(scope, coverage);
  }

 private:
  const ConditionPtr part_;
};

// What a value is compared with; nothing there is equal to nothing, and neither above nor below.
struct Test {
  std::vector<Value> among;  // equals, in
  bool has_among = false;
  std::optional<bool> exists;
  std::optional<json::Number> above;
  std::optional<json::Number> below;
};

class Comparison final : public Condition {
 public:
  Comparison(RulePtr value, Test test) : value_{std::move(value)}, test_{std::move(test)} {}

  Result<bool> holds(const Scope& scope) const override {
    TRY_ASSIGN(const std::optional<Value> value, value_->eval(scope));
    if (test_.exists && *test_.exists != value.has_value()) return false;
    if (test_.has_among &&
        (!value || std::find(test_.among.begin(), test_.among.end(), *value) == test_.among.end()))
      return false;
    if (!test_.above && !test_.below) return true;
    if (!value) return false;
    const auto text = text_of(*value);
    const auto number = text ? plain_number(*text) : std::nullopt;
    if (!number) return value_->refuse(scope, "is compared as a number, and is none");
    const json::Number size = json::number_of(*number);
    return (!test_.above || size > *test_.above) && (!test_.below || size < *test_.below);
  }
  void cover(const Scope& scope, Coverage& coverage) const override {
    value_->cover(scope, coverage);
  }

 private:
  const RulePtr value_;
  const Test test_;
};

Result<std::optional<json::Number>> bound_of(const Value& text, std::string_view name,
                                             const std::string& place) {
  const Value* bound = text.find(name);
  if (bound == nullptr) return std::nullopt;
  const bool good =
      (bound->is(Type::number) || bound->is(Type::string)) && json::is_number(bound->text());
  if (!good) return wrong(place + "." + std::string{name}, "is a number");
  return json::number_of(bound->text());
}

}  // namespace

Result<ConditionPtr> Compiler::condition(const Value& text, const std::string& place) {
  TRY(enter(place));
  auto made = condition_parts(text, place);
  --depth_;
  return made;
}

Result<ConditionPtr> Compiler::condition_parts(const Value& text, const std::string& place) {
  if (text.find("value") != nullptr) return comparison(text, place);
  TRY(check_members(text, place, {"value", "all", "any", "not"}));
  if (text.members().size() != 1)
    return wrong(place,
                 "is one of {\"value\": …, \"equals\": …}, {\"all\": […]}, {\"any\": […]}, "
                 "{\"not\": …}");
  const auto& [name, parts_text] = text.members().front();
  if (name == "not") {
    TRY_ASSIGN(ConditionPtr part, condition(parts_text, place + ".not"));
    return std::make_unique<const Not>(std::move(part));
  }
  if (!parts_text.is(Type::array) || parts_text.items().empty())
    return wrong(place + "." + name, "is an array of conditions");
  std::vector<ConditionPtr> parts;
  for (const Value& item : parts_text.items()) {
    TRY_ASSIGN(ConditionPtr part,
               condition(item, fmt::format("{}.{}[{}]", place, name, parts.size())));
    parts.push_back(std::move(part));
  }
  return std::make_unique<const Group>(name == "all", std::move(parts));
}

Result<ConditionPtr> Compiler::comparison(const Value& text, const std::string& place) {
  TRY(check_members(text, place, {"value", "equals", "in", "exists", "above", "below"}));
  if (text.members().size() < 2)
    return wrong(place, "has a value, and one of equals, in, exists, above, below");
  TRY_ASSIGN(RulePtr value, rule(*text.find("value"), place + ".value"));
  Test test;
  if (const Value* equals = text.find("equals"); equals != nullptr) test.among = {*equals};
  if (const Value* in = text.find("in"); in != nullptr) {
    if (!in->is(Type::array)) return wrong(place + ".in", "is an array of constants");
    if (!test.among.empty()) return wrong(place, "has either equals or in");
    test.among = in->items();
  }
  test.has_among = text.find("equals") != nullptr || text.find("in") != nullptr;
  if (text.find("exists") != nullptr) {
    TRY_ASSIGN(test.exists, flag(text, "exists", place));
  }
  TRY_ASSIGN(test.above, bound_of(text, "above", place));
  TRY_ASSIGN(test.below, bound_of(text, "below", place));
  return std::make_unique<const Comparison>(std::move(value), std::move(test));
}

}  // namespace mainstay::integration::rules
