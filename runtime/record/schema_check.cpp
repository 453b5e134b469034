#include <algorithm>

#include "runtime/record/schema_node.hpp"

namespace mainstay::record {

namespace {

using json::Number;
using json::Type;
using json::Value;

// Steps one check may take: subschemas visited, values compared, and patterns tried. A schema whose
// subschemas branch again and again would hold up the apply step of every replica.
constexpr std::size_t steps_max = 2'000'000;
constexpr std::size_t pattern_bytes_per_step = 16;

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

using Wide = unsigned __int128;

// Whether `value` is a whole multiple of `step`; both normal, so that neither mantissa ends in 0.
bool is_multiple(const Number& value, const Number& step) {
  if (value.is_zero()) return true;
  const auto exponent = [](const Number& n) {
    return n.point - static_cast<std::int64_t>(n.digits.size());
  };
  const std::int64_t shift = exponent(value) - exponent(step);
  if (shift < 0) return false;  // it would have to end in a 0
  const Wide modulus = std::stoull(step.digits);
  Wide rest = 0;
  for (const char digit : value.digits)
    rest = (rest * 10 + static_cast<Wide>(digit - '0')) % modulus;
  Wide factor = 10 % modulus;
  for (auto left = static_cast<std::uint64_t>(shift); left != 0; left >>= 1) {
    if ((left & 1) != 0) rest = rest * factor % modulus;
    factor = factor * factor % modulus;
  }
  return rest == 0;
}

std::string text_of(const Number& number) {
  std::string text = number.is_zero() ? "0" : "0." + number.digits;
  if (!number.is_zero()) text += "e" + std::to_string(number.point);
  return json::canonical_text(Value::number((number.negative ? "-" : "") + text));
}

std::string count(std::uint64_t n, std::string_view what) {
  return std::to_string(n) + " " + std::string{what};
}

std::string need_text(const std::string& name, const std::string& other) {
  return "has a member '" + name + "' but no '" + other + "'";
}

// One check. Functions return whether the value holds; the first violation found is kept, unless
// it is of a trial (anyOf, not, if …).
class Check {
 public:
  explicit Check(const SchemaNodes& nodes) : nodes_{nodes} {}

  std::optional<Violation> run(const Value& value) {
    if (node(0, value) && !exhausted_) return std::nullopt;
    if (exhausted_) return Violation{"", "takes more steps to check than allowed"};
    return first_;
  }

 private:
  bool wrong(std::string message) {
    if (trials_ == 0 && !first_) first_ = Violation{path_, std::move(message)};
    return false;
  }

  bool spend(std::size_t steps) {
    left_ -= std::min(left_, steps);
    if (left_ == 0) exhausted_ = true;
    return !exhausted_;
  }

  bool matches(const RE2& pattern, const std::string& text) {
    return spend(1 + text.size() / pattern_bytes_per_step) && RE2::PartialMatch(text, pattern);
  }

  // Whether the value would hold, without a word about it.
  bool trial(std::size_t at, const Value& value) {
    ++trials_;
    const bool good = node(at, value);
    --trials_;
    return good;
  }

  bool node(std::size_t at, const Value& value) {
    if (!spend(1)) return false;
    const SchemaNode& schema = nodes_[at];
    if (schema.always) return *schema.always || wrong("nothing is allowed here");
    if (!type(schema, value) || !fixed(schema, value)) return false;
    if (schema.ref && !node(*schema.ref, value)) return false;
    if (!combined(schema, value)) return false;
    switch (value.type()) {
      case Type::number:
        return number(schema, value);
      case Type::string:
        return string(schema, value.text());
      case Type::array:
        return array(schema, value);
      case Type::object:
        return object(schema, value);
      default:
        return true;
    }
  }

  bool type(const SchemaNode& schema, const Value& value) {
    if (!schema.types) return true;
    const bool listed = (*schema.types >> static_cast<unsigned>(value.type()) & 1) != 0;
    if (listed) return true;
    if (schema.integer && value.is(Type::number) && json::number_of(value.text()).is_integer())
      return true;
    return wrong("is of type " + std::string{json::to_string(value.type())} + ", not " +
                 schema.types_text);
  }

  bool fixed(const SchemaNode& schema, const Value& value) {
    if (schema.constant && *schema.constant != value)
      return wrong("is not " + json::to_text(*schema.constant));
    if (!schema.enumeration) return true;
    const auto& list = *schema.enumeration;
    if (!spend(list.size())) return false;
    if (std::find(list.begin(), list.end(), value) != list.end()) return true;
    if (trials_ != 0) return false;
    std::string allowed;
    for (const Value& each : list) allowed += (allowed.empty() ? "" : ", ") + json::to_text(each);
    return wrong("is none of " + allowed);
  }

  bool combined(const SchemaNode& schema, const Value& value) {
    for (const std::size_t each : schema.all_of)
      if (!node(each, value)) return false;
    const auto holds = [&](std::size_t each) { return trial(each, value); };
    if (!schema.any_of.empty() && std::none_of(schema.any_of.begin(), schema.any_of.end(), holds))
      return wrong("fits none of the forms in anyOf");
    if (!schema.one_of.empty()) {
      const auto fitting = std::count_if(schema.one_of.begin(), schema.one_of.end(), holds);
      if (fitting != 1)
        return wrong("fits " + std::to_string(fitting) + " of the forms in oneOf, not exactly one");
    }
    if (schema.negated && holds(*schema.negated)) return wrong("has a form that is excluded (not)");
    if (!schema.condition) return true;
    const NodeRef& branch = holds(*schema.condition) ? schema.then : schema.otherwise;
    return !branch || node(*branch, value);
  }

  bool number(const SchemaNode& schema, const Value& value) {
    if (!schema.minimum && !schema.maximum && !schema.exclusive_minimum &&
        !schema.exclusive_maximum && !schema.multiple_of)
      return true;
    const Number number = json::number_of(value.text());
    if (schema.minimum && number < *schema.minimum)
      return wrong("is less than the minimum " + text_of(*schema.minimum));
    if (schema.maximum && number > *schema.maximum)
      return wrong("is greater than the maximum " + text_of(*schema.maximum));
    if (schema.exclusive_minimum && number <= *schema.exclusive_minimum)
      return wrong("is not greater than " + text_of(*schema.exclusive_minimum));
    if (schema.exclusive_maximum && number >= *schema.exclusive_maximum)
      return wrong("is not less than " + text_of(*schema.exclusive_maximum));
    if (schema.multiple_of && !is_multiple(number, *schema.multiple_of))
      return wrong("is not a multiple of " + text_of(*schema.multiple_of));
    return true;
  }

  bool string(const SchemaNode& schema, const std::string& text) {
    if (schema.min_length || schema.max_length) {
      const std::size_t length = code_points(text);
      if (schema.min_length && length < *schema.min_length)
        return wrong("is shorter than " + count(*schema.min_length, "characters"));
      if (schema.max_length && length > *schema.max_length)
        return wrong("is longer than " + count(*schema.max_length, "characters"));
    }
    if (schema.pattern && !matches(*schema.pattern, text))
      return wrong("does not match the pattern " + schema.pattern->pattern());
    return true;
  }

  // A part of the value, one step down.
  bool part(std::size_t at, const Value& value, std::string_view step) {
    const std::size_t length = path_.size();
    path_ += '/';
    for (const char c : step) {
      if (c == '~')
        path_ += "~0";
      else if (c == '/')
        path_ += "~1";
      else
        path_ += c;
    }
    const bool good = node(at, value);
    path_.resize(length);
    return good;
  }

  bool array(const SchemaNode& schema, const Value& value) {
    const json::Array& items = value.items();
    if (schema.min_items && items.size() < *schema.min_items)
      return wrong("has fewer than " + count(*schema.min_items, "items"));
    if (schema.max_items && items.size() > *schema.max_items)
      return wrong("has more than " + count(*schema.max_items, "items"));
    for (std::size_t i = 0; i < items.size(); ++i) {
      const bool first = i < schema.prefix_items.size();
      if (!first && !schema.items) break;
      const std::size_t at = first ? schema.prefix_items[i] : *schema.items;
      if (!part(at, items[i], std::to_string(i))) return false;
    }
    if (schema.unique_items && !unique(items)) return wrong("holds an item twice");
    return !schema.contains || contained(schema, items);
  }

  bool unique(const json::Array& items) {
    if (!spend(items.size())) return false;
    std::vector<std::string> texts;
    texts.reserve(items.size());
    for (const Value& item : items) texts.push_back(json::canonical_text(item));
    std::sort(texts.begin(), texts.end());
    return std::adjacent_find(texts.begin(), texts.end()) == texts.end();
  }

  bool contained(const SchemaNode& schema, const json::Array& items) {
    const auto fitting = static_cast<std::uint64_t>(
        std::count_if(items.begin(), items.end(),
                      [&](const Value& item) { return trial(*schema.contains, item); }));
    const std::uint64_t least = schema.min_contains.value_or(1);
    if (fitting < least)
      return wrong("contains fewer than " + count(least, "items of the wanted form"));
    if (schema.max_contains && fitting > *schema.max_contains)
      return wrong("contains more than " + count(*schema.max_contains, "items of the wanted form"));
    return true;
  }

  bool object(const SchemaNode& schema, const Value& value) {
    const json::Object& members = value.members();
    if (schema.min_properties && members.size() < *schema.min_properties)
      return wrong("has fewer than " + count(*schema.min_properties, "members"));
    if (schema.max_properties && members.size() > *schema.max_properties)
      return wrong("has more than " + count(*schema.max_properties, "members"));
    if (!required(schema, value)) return false;
    return std::all_of(members.begin(), members.end(), [&](const json::Member& one) {
      return member(schema, one.first, one.second);
    });
  }

  bool required(const SchemaNode& schema, const Value& value) {
    const auto there = [&](const std::string& name) {
      return spend(1 + value.members().size() / 8) && value.find(name) != nullptr;
    };
    for (const std::string& name : schema.required)
      if (!there(name)) return wrong("has no member '" + name + "'");
    for (const auto& [name, wanted] : schema.dependent_required) {
      if (!there(name)) continue;
      const auto missing = std::find_if_not(wanted.begin(), wanted.end(), there);
      if (missing != wanted.end()) return wrong(need_text(name, *missing));
    }
    return true;
  }

  bool member(const SchemaNode& schema, const std::string& name, const Value& value) {
    if (schema.property_names && !trial(*schema.property_names, Value::string(name)))
      return wrong("has a member '" + name + "', whose name is not allowed");
    bool known = false;
    if (const auto at = schema.properties.find(name); at != schema.properties.end()) {
      known = true;
      if (!part(at->second, value, name)) return false;
    }
    for (const auto& [pattern, at] : schema.pattern_properties) {
      if (!matches(*pattern, name)) continue;
      known = true;
      if (!part(at, value, name)) return false;
    }
    if (known || !schema.additional_properties) return true;
    if (nodes_[*schema.additional_properties].always == false)
      return wrong("has a member '" + name + "', which is not allowed");
    return part(*schema.additional_properties, value, name);
  }

  const SchemaNodes& nodes_;
  std::string path_;
  std::size_t trials_ = 0;
  std::size_t left_ = steps_max;
  bool exhausted_ = false;
  std::optional<Violation> first_;
};

}  // namespace

std::optional<Violation> check_schema(const SchemaNodes& nodes, const Value& value) {
  return Check{nodes}.run(value);
}

}  // namespace mainstay::record
