#include "runtime/record/schema.hpp"

#include <algorithm>
#include <functional>

#include "runtime/base/limits.hpp"
#include "runtime/record/schema_node.hpp"

namespace mainstay::record {

namespace {

using json::Type;
using json::Value;

constexpr std::size_t patterns_max = 64;
constexpr std::int64_t pattern_memory_bytes = 512 * 1024;
// Subschemas that look at the same value, one inside the other: bounds the stack of a check.
constexpr std::size_t chain_max = 64;
// So that multiples are found with 128-bit numbers.
constexpr std::size_t multiple_digits_max = 18;

std::string step_of(std::string_view name) {
  std::string step = "/";
  for (const char c : name) {
    if (c == '~')
      step += "~0";
    else if (c == '/')
      step += "~1";
    else
      step += c;
  }
  return step;
}

// The fragment of a $ref, with %xx resolved.
std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    const int high = at + 2 < text.size() ? digit(text[at + 1]) : -1;
    const int low = at + 2 < text.size() ? digit(text[at + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return out;
}

class Compiler {
 public:
  Result<SchemaNodes> compile(const Value& schema) {
    TRY(node(schema, ""));
    for (const auto& [from, target, place] : refs_) {
      const auto at = places_.find(target);
      if (at == places_.end())
        return fail(Errc::invalid_argument, "at '" + place + "': refers to nothing in the schema");
      nodes_[from].ref = at->second;
    }
    TRY(check_chains());
    return std::move(nodes_);
  }

 private:
  using Place = const std::string&;

  static Failure wrong(Place place, std::string_view what) {
    return fail(Errc::invalid_argument, "at '" + place + "': " + std::string{what});
  }

  Result<std::size_t> node(const Value& schema, Place place) {
    const std::size_t at = nodes_.size();
    nodes_.emplace_back();
    places_.emplace(place, at);
    if (schema.is(Type::boolean)) {
      nodes_[at].always = schema.as_boolean();
      return at;
    }
    if (!schema.is(Type::object)) return wrong(place, "a schema is an object, true or false");
    for (const auto& [name, value] : schema.members())
      TRY(keyword(at, name, value, place + step_of(name)));
    return at;
  }

  Result<void> keyword(std::size_t at, std::string_view name, const Value& value, Place place) {
    static const std::map<std::string_view,
                          Result<void> (Compiler::*)(std::size_t, const Value&, Place)>
        handlers = {
            {"type", &Compiler::on_type},
            {"enum", &Compiler::on_enum},
            {"const", &Compiler::on_const},
            {"allOf", &Compiler::on_list<&SchemaNode::all_of>},
            {"anyOf", &Compiler::on_list<&SchemaNode::any_of>},
            {"oneOf", &Compiler::on_list<&SchemaNode::one_of>},
            {"prefixItems", &Compiler::on_list<&SchemaNode::prefix_items>},
            {"not", &Compiler::on_node<&SchemaNode::negated>},
            {"if", &Compiler::on_node<&SchemaNode::condition>},
            {"then", &Compiler::on_node<&SchemaNode::then>},
            {"else", &Compiler::on_node<&SchemaNode::otherwise>},
            {"additionalProperties", &Compiler::on_node<&SchemaNode::additional_properties>},
            {"propertyNames", &Compiler::on_node<&SchemaNode::property_names>},
            {"items", &Compiler::on_node<&SchemaNode::items>},
            {"contains", &Compiler::on_node<&SchemaNode::contains>},
            {"$ref", &Compiler::on_ref},
            {"$defs", &Compiler::on_definitions},
            {"properties", &Compiler::on_properties},
            {"patternProperties", &Compiler::on_pattern_properties},
            {"required", &Compiler::on_required},
            {"dependentRequired", &Compiler::on_dependent_required},
            {"minProperties", &Compiler::on_count<&SchemaNode::min_properties>},
            {"maxProperties", &Compiler::on_count<&SchemaNode::max_properties>},
            {"minContains", &Compiler::on_count<&SchemaNode::min_contains>},
            {"maxContains", &Compiler::on_count<&SchemaNode::max_contains>},
            {"minItems", &Compiler::on_count<&SchemaNode::min_items>},
            {"maxItems", &Compiler::on_count<&SchemaNode::max_items>},
            {"minLength", &Compiler::on_count<&SchemaNode::min_length>},
            {"maxLength", &Compiler::on_count<&SchemaNode::max_length>},
            {"uniqueItems", &Compiler::on_unique_items},
            {"minimum", &Compiler::on_number<&SchemaNode::minimum>},
            {"maximum", &Compiler::on_number<&SchemaNode::maximum>},
            {"exclusiveMinimum", &Compiler::on_number<&SchemaNode::exclusive_minimum>},
            {"exclusiveMaximum", &Compiler::on_number<&SchemaNode::exclusive_maximum>},
            {"multipleOf", &Compiler::on_multiple_of},
            {"pattern", &Compiler::on_pattern},
            {"$schema", &Compiler::on_dialect},
            {"$id", &Compiler::on_id},
        };
    constexpr std::string_view annotations[] = {"$comment", "title",      "description",
                                                "default",  "examples",   "format",
                                                "readOnly", "deprecated", "writeOnly"};
    const auto handler = handlers.find(name);
    if (handler != handlers.end()) return (this->*handler->second)(at, value, place);
    if (std::find(std::begin(annotations), std::end(annotations), name) != std::end(annotations))
      return {};
    return wrong(place, "this keyword is not supported; docs/data-model.md lists those that are");
  }

  template <auto Member>
  Result<void> on_node(std::size_t at, const Value& value, Place place) {
    TRY_ASSIGN(const std::size_t child, node(value, place));
    nodes_[at].*Member = child;
    return {};
  }

  template <auto Member>
  Result<void> on_list(std::size_t at, const Value& value, Place place) {
    if (!value.is(Type::array) || value.items().empty())
      return wrong(place, "is an array of at least one schema");
    for (std::size_t i = 0; i < value.items().size(); ++i) {
      TRY_ASSIGN(const std::size_t child, node(value.items()[i], place + "/" + std::to_string(i)));
      (nodes_[at].*Member).push_back(child);
    }
    return {};
  }

  template <auto Member>
  Result<void> on_count(std::size_t at, const Value& value, Place place) {
    constexpr std::int64_t digits_max = 15;
    if (value.is(Type::number)) {
      const json::Number number = json::number_of(value.text());
      if (number.is_integer() && !number.negative && number.point <= digits_max) {
        std::string digits = number.digits;
        digits.resize(static_cast<std::size_t>(number.point), '0');
        nodes_[at].*Member = digits.empty() ? 0 : std::stoull(digits);
        return {};
      }
    }
    return wrong(place, "is a whole number, 0 or more");
  }

  template <auto Member>
  Result<void> on_number(std::size_t at, const Value& value, Place place) {
    if (!value.is(Type::number)) return wrong(place, "is a number");
    nodes_[at].*Member = json::number_of(value.text());
    return {};
  }

  Result<void> on_multiple_of(std::size_t at, const Value& value, Place place) {
    TRY(on_number<&SchemaNode::multiple_of>(at, value, place));
    const json::Number& number = *nodes_[at].multiple_of;
    if (number.is_zero() || number.negative) return wrong(place, "is greater than 0");
    if (number.digits.size() > multiple_digits_max)
      return wrong(place, "has at most 18 significant digits");
    return {};
  }

  Result<void> on_type(std::size_t at, const Value& value, Place place) {
    SchemaNode& node = nodes_[at];
    node.types = 0;
    const auto take = [&](const Value& name) {
      if (!name.is(Type::string)) return false;
      node.types_text += (node.types_text.empty() ? "" : " or ") + name.text();
      if (name.text() == "integer") return node.integer = true;
      for (const Type type :
           {Type::null, Type::boolean, Type::number, Type::string, Type::array, Type::object}) {
        if (name.text() != json::to_string(type)) continue;
        *node.types |= static_cast<std::uint8_t>(1u << static_cast<unsigned>(type));
        return true;
      }
      return false;
    };
    bool good = false;
    if (value.is(Type::array))
      good =
          !value.items().empty() && std::all_of(value.items().begin(), value.items().end(), take);
    else
      good = take(value);
    if (!good)
      return wrong(place,
                   "is null, boolean, integer, number, string, array or object, or several of "
                   "them in an array");
    return {};
  }

  Result<void> on_enum(std::size_t at, const Value& value, Place place) {
    if (!value.is(Type::array)) return wrong(place, "is an array");
    nodes_[at].enumeration = value.items();
    return {};
  }

  Result<void> on_const(std::size_t at, const Value& value, Place) {
    nodes_[at].constant = value;
    return {};
  }

  Result<void> on_ref(std::size_t at, const Value& value, Place place) {
    if (!value.is(Type::string) || !value.text().starts_with('#'))
      return wrong(place, "refers to a place within this schema: \"#/$defs/…\"");
    const auto target = unescaped(std::string_view{value.text()}.substr(1));
    if (!target || !json::check_pointer(*target))
      return wrong(place, "is '#' and a JSON pointer into this schema");
    refs_.push_back({at, *target, place});
    return {};
  }

  Result<void> on_definitions(std::size_t, const Value& value, Place place) {
    if (!value.is(Type::object)) return wrong(place, "is an object of schemas");
    for (const auto& [name, schema] : value.members())
      TRY(node_only(schema, place + step_of(name)));
    return {};
  }
  Result<void> node_only(const Value& schema, Place place) {
    TRY_ASSIGN([[maybe_unused]] const std::size_t made, node(schema, place));
    return {};
  }

  Result<void> on_properties(std::size_t at, const Value& value, Place place) {
    if (!value.is(Type::object)) return wrong(place, "is an object of schemas");
    for (const auto& [name, schema] : value.members()) {
      TRY_ASSIGN(const std::size_t child, node(schema, place + step_of(name)));
      nodes_[at].properties.emplace(name, child);
    }
    return {};
  }

  Result<std::unique_ptr<RE2>> expression(const std::string& pattern, Place place) {
    if (++patterns_ > patterns_max)
      return wrong(place, "a schema has at most " + std::to_string(patterns_max) + " patterns");
    RE2::Options options;
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_max_mem(pattern_memory_bytes);
    auto compiled = std::make_unique<RE2>(pattern, options);
    if (!compiled->ok()) return wrong(place, "RE2 refuses the pattern: " + compiled->error());
    return compiled;
  }

  Result<void> on_pattern(std::size_t at, const Value& value, Place place) {
    if (!value.is(Type::string)) return wrong(place, "is a string");
    TRY_ASSIGN(nodes_[at].pattern, expression(value.text(), place));
    return {};
  }

  Result<void> on_pattern_properties(std::size_t at, const Value& value, Place place) {
    if (!value.is(Type::object)) return wrong(place, "is an object of schemas");
    for (const auto& [pattern, schema] : value.members()) {
      TRY_ASSIGN(auto compiled, expression(pattern, place));
      TRY_ASSIGN(const std::size_t child, node(schema, place + step_of(pattern)));
      nodes_[at].pattern_properties.emplace_back(std::move(compiled), child);
    }
    return {};
  }

  static Result<std::vector<std::string>> names(const Value& value, Place place) {
    std::vector<std::string> names;
    if (!value.is(Type::array)) return wrong(place, "is an array of names");
    for (const Value& name : value.items()) {
      if (!name.is(Type::string)) return wrong(place, "is an array of names");
      names.push_back(name.text());
    }
    return names;
  }

  Result<void> on_required(std::size_t at, const Value& value, Place place) {
    TRY_ASSIGN(nodes_[at].required, names(value, place));
    return {};
  }

  Result<void> on_dependent_required(std::size_t at, const Value& value, Place place) {
    if (!value.is(Type::object)) return wrong(place, "is an object of arrays of names");
    for (const auto& [name, list] : value.members()) {
      TRY_ASSIGN(auto wanted, names(list, place + step_of(name)));
      nodes_[at].dependent_required.emplace_back(name, std::move(wanted));
    }
    return {};
  }

  Result<void> on_unique_items(std::size_t at, const Value& value, Place place) {
    if (!value.is(Type::boolean)) return wrong(place, "is true or false");
    nodes_[at].unique_items = value.as_boolean();
    return {};
  }

  Result<void> on_dialect(std::size_t, const Value& value, Place place) {
    constexpr std::string_view dialect = "https://json-schema.org/draft/2020-12/schema";
    if (!value.is(Type::string) || value.text() != dialect || place != "/$schema")
      return wrong(place, "is \"" + std::string{dialect} + "\", at the top only");
    return {};
  }

  // Below the top it would move what '#' refers to.
  Result<void> on_id(std::size_t, const Value& value, Place place) {
    if (!value.is(Type::string) || place != "/$id")
      return wrong(place, "is a string, at the top only");
    return {};
  }

  // Subschemas that look at the same value as their parent.
  std::vector<std::size_t> same_value(const SchemaNode& node) const {
    std::vector<std::size_t> next;
    for (const auto* list : {&node.all_of, &node.any_of, &node.one_of})
      next.insert(next.end(), list->begin(), list->end());
    for (const NodeRef& one : {node.negated, node.condition, node.then, node.otherwise, node.ref})
      if (one) next.push_back(*one);
    return next;
  }

  // Refuses circles of them, which a check would never leave, and long chains. Without recursion:
  // the chains are what is being measured.
  Result<void> check_chains() const {
    std::vector<std::size_t> waiting(nodes_.size(), 0);  // parents not done yet
    std::vector<std::size_t> length(nodes_.size(), 1);
    for (const SchemaNode& node : nodes_)
      for (const std::size_t next : same_value(node)) waiting[next] += 1;
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (waiting[i] == 0) ready.push_back(i);
    std::size_t done = 0;
    while (!ready.empty()) {
      const std::size_t at = ready.back();
      ready.pop_back();
      ++done;
      if (length[at] > chain_max)
        return fail(Errc::invalid_argument, "more than " + std::to_string(chain_max) +
                                                " subschemas stand inside each other for one "
                                                "value");
      for (const std::size_t next : same_value(nodes_[at])) {
        length[next] = std::max(length[next], length[at] + 1);
        if (--waiting[next] == 0) ready.push_back(next);
      }
    }
    if (done != nodes_.size())
      return fail(Errc::invalid_argument, "a $ref leads in a circle back to itself");
    return {};
  }

  struct Ref {
    std::size_t from;
    std::string target;
    std::string place;
  };
  SchemaNodes nodes_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::vector<Ref> refs_;
  std::size_t patterns_ = 0;
};

class CompiledSchema final : public Schema {
 public:
  CompiledSchema(Value source, SchemaNodes nodes)
      : source_{std::move(source)}, nodes_{std::move(nodes)} {}
  std::optional<Violation> check(const Value& value) const override {
    return check_schema(nodes_, value);
  }
  const Value& source() const override { return source_; }

 private:
  Value source_;
  SchemaNodes nodes_;
};

}  // namespace

Result<std::shared_ptr<const Schema>> Schema::compile(const Value& schema) {
  if (json::to_text(schema).size() > limits::schema_bytes_max)
    return fail(Errc::invalid_argument,
                "a schema has at most " + std::to_string(limits::schema_bytes_max) + " bytes");
  TRY_ASSIGN(SchemaNodes nodes, Compiler{}.compile(schema));
  return std::shared_ptr<const Schema>{std::make_shared<CompiledSchema>(schema, std::move(nodes))};
}

}  // namespace mainstay::record
