// Rules for numbers, exact: decimals, sums, products, units.
#include "runtime/base/decimal.hpp"
#include "runtime/integration/exact.hpp"
#include "runtime/integration/mapping_compiler.hpp"
#include "runtime/integration/units.hpp"

namespace mainstay::integration::rules {

namespace {

using json::Type;

// How a result is written.
struct Form {
  DecimalForm digits;
  bool as_number = false;
  bool negate = false;
  bool absolute = false;

  Value value(std::string text) const {
    const bool negative = text.front() == '-';
    if (absolute && negative) text.erase(0, 1);
    const bool zero = text.find_first_of("123456789") == std::string::npos;
    if (negate && !zero) {
      if (text.front() == '-')
        text.erase(0, 1);
      else
        text.insert(0, "-");
    }
    return as_number ? Value::number(std::move(text)) : Value::string(std::move(text));
  }
};

// A number as a string or a number of JSON.
std::optional<std::string> number_text(const Value& value, const NumberStyle& style) {
  if (value.is(Type::number)) return value.text();
  if (value.is(Type::string)) return plain_number(value.text(), style);
  return std::nullopt;
}

std::string shown(const Value& value) {
  return json::to_text(value).substr(0, 48);
}

class DecimalOf final : public Rule {
 public:
  DecimalOf(RulePtr value, NumberStyle style, Form form)
      : value_{std::move(value)}, style_{style}, form_{form} {}
  std::string where(const Scope& scope) const override { return value_->where(scope); }

 private:
  Outcome make(const Scope& scope) const override {
    TRY_ASSIGN(const std::optional<Value> value, value_->eval(scope));
    if (!value) return std::nullopt;
    const auto number = number_text(*value, style_);
    if (!number) return refuse(scope, shown(*value) + " is not a decimal number");
    auto text = decimal_text(*number, form_.digits);
    if (!text) return refuse(scope, text.error().message);
    return form_.value(*std::move(text));
  }
  void cover_parts(const Scope& scope, Coverage& coverage) const override {
    value_->cover(scope, coverage);
  }

  const RulePtr value_;
  const NumberStyle style_;
  const Form form_;
};

// The sum or the product of everything that its rules make; what is an array counts by its items.
class Total final : public Rule {
 public:
  Total(bool sum, RulePtr parts, Form form) : sum_{sum}, parts_{std::move(parts)}, form_{form} {}

 private:
  Outcome make(const Scope& scope) const override {
    TRY_ASSIGN(const std::optional<Value> parts, parts_->eval(scope));
    if (!parts) return std::nullopt;
    std::vector<std::string> numbers;
    if (!parts->is(Type::array)) return refuse(scope, "has an array to work on");
    for (const Value& part : parts->items()) {
      const auto& list = part.is(Type::array) ? part.items() : json::Array{part};
      for (const Value& value : list) {
        auto number = number_text(value, {});
        if (!number) return refuse(scope, shown(value) + " is not a decimal number");
        numbers.push_back(*std::move(number));
      }
    }
    auto text = sum_ ? sum_of(numbers, form_.digits) : product_of(numbers, form_.digits);
    if (!text) return refuse(scope, text.error().message);
    return form_.value(*std::move(text));
  }
  void cover_parts(const Scope& scope, Coverage& coverage) const override {
    parts_->cover(scope, coverage);
  }

  const bool sum_;
  const RulePtr parts_;
  const Form form_;
};

class UnitOf final : public Rule {
 public:
  UnitOf(RulePtr value, RulePtr from, RulePtr to, Form form)
      : value_{std::move(value)}, from_{std::move(from)}, to_{std::move(to)}, form_{form} {}
  std::string where(const Scope& scope) const override { return value_->where(scope); }

 private:
  Result<const Unit*> unit(const Rule& rule, const Scope& scope) const {
    TRY_ASSIGN(const std::optional<Value> code, rule.eval(scope));
    const auto text = code ? text_of(*code) : std::nullopt;
    if (!text) return refuse(scope, "the unit is not there");
    const Unit* unit = find_unit(*text);
    if (unit == nullptr)
      return refuse(scope, "'" + text->substr(0, 32) +
                               "' is no UN/ECE Recommendation 20 code with an exact factor");
    return unit;
  }

  Outcome make(const Scope& scope) const override {
    TRY_ASSIGN(const std::optional<Value> value, value_->eval(scope));
    if (!value) return std::nullopt;
    const auto number = number_text(*value, {});
    if (!number) return refuse(scope, shown(*value) + " is not a decimal number");
    TRY_ASSIGN(const Unit* from, unit(*from_, scope));
    TRY_ASSIGN(const Unit* to, unit(*to_, scope));
    auto text = convert(*number, *from, *to, form_.digits);
    if (!text) return refuse(scope, text.error().message);
    return form_.value(*std::move(text));
  }
  void cover_parts(const Scope& scope, Coverage& coverage) const override {
    value_->cover(scope, coverage);
    from_->cover(scope, coverage);
    to_->cover(scope, coverage);
  }

  const RulePtr value_;
  const RulePtr from_;
  const RulePtr to_;
  const Form form_;
};

// --- from their texts ---

Result<Form> form_of(Compiler& compiler, const Value& text, const std::string& place) {
  Form form;
  TRY_ASSIGN(const auto scale, compiler.count(text, "scale", Decimal::scale_max, place));
  if (scale) form.digits.scale = static_cast<unsigned>(*scale);
  TRY_ASSIGN(const std::string round, compiler.word(text, "round", place));
  if (!round.empty()) {
    const auto rounding = rounding_of(round);
    if (!rounding) return wrong(place + ".round", "is one of half_even, half_up, down, up");
    if (!scale) return wrong(place + ".round", "goes with a scale");
    form.digits.rounding = *rounding;
  }
  TRY_ASSIGN(const std::string as, compiler.word(text, "as", place));
  if (!as.empty() && as != "text" && as != "number")
    return wrong(place + ".as", "is \"text\" or \"number\"");
  form.as_number = as == "number";
  TRY_ASSIGN(form.negate, compiler.flag(text, "negate", place));
  TRY_ASSIGN(form.absolute, compiler.flag(text, "absolute", place));
  return form;
}

Result<char> sign_of(Compiler& compiler, const Value& text, std::string_view option, char otherwise,
                     const std::string& place) {
  TRY_ASSIGN(const std::string sign, compiler.word(text, option, place));
  if (sign.empty()) return otherwise;
  if (sign.size() != 1 || std::string_view{"0123456789+-eE"}.find(sign) != std::string_view::npos)
    return wrong(place + "." + std::string{option}, "is one character such as \",\"");
  return sign.front();
}

Result<RulePtr> build_decimal(Compiler& compiler, const Value& text, const std::string& place) {
  TRY_ASSIGN(RulePtr value, compiler.rule(*text.find("$decimal"), place + ".$decimal"));
  TRY_ASSIGN(const Form form, form_of(compiler, text, place));
  NumberStyle style;
  TRY_ASSIGN(style.point, sign_of(compiler, text, "point", '.', place));
  TRY_ASSIGN(style.group, sign_of(compiler, text, "group", '\0', place));
  if (style.point == style.group) return wrong(place + ".group", "is another sign than the point");
  return std::make_unique<DecimalOf>(std::move(value), style, form);
}

template <bool sum>
Result<RulePtr> build_total(Compiler& compiler, const Value& text, const std::string& place) {
  const std::string name = sum ? "$sum" : "$product";
  TRY_ASSIGN(RulePtr parts, compiler.rule(*text.find(name), place + "." + name));
  TRY_ASSIGN(const Form form, form_of(compiler, text, place));
  return std::make_unique<Total>(sum, std::move(parts), form);
}

Result<RulePtr> build_unit(Compiler& compiler, const Value& text, const std::string& place) {
  const Value* from_text = text.find("from");
  const Value* to_text = text.find("to");
  if (from_text == nullptr || to_text == nullptr)
    return wrong(place, "has from and to, rules that make codes: {\"$const\": \"KGM\"}");
  TRY_ASSIGN(RulePtr value, compiler.rule(*text.find("$unit"), place + ".$unit"));
  TRY_ASSIGN(RulePtr from, compiler.rule(*from_text, place + ".from"));
  TRY_ASSIGN(RulePtr to, compiler.rule(*to_text, place + ".to"));
  TRY_ASSIGN(const Form form, form_of(compiler, text, place));
  return std::make_unique<UnitOf>(std::move(value), std::move(from), std::move(to), form);
}

}  // namespace

const std::vector<Operator>& number_operators() {
  static const std::vector<Operator> table = {
      {"$decimal", {"scale", "round", "as", "negate", "absolute", "point", "group"}, build_decimal},
      {"$product", {"scale", "round", "as", "negate", "absolute"}, build_total<false>},
      {"$sum", {"scale", "round", "as", "negate", "absolute"}, build_total<true>},
      {"$unit", {"from", "to", "scale", "round", "as", "negate", "absolute"}, build_unit},
  };
  return table;
}

}  // namespace mainstay::integration::rules
