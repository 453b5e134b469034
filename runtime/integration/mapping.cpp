#include "runtime/integration/mapping.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "runtime/integration/hub.hpp"
#include "runtime/integration/mapping_compiler.hpp"

namespace mainstay::integration {

namespace {

using json::Type;
using json::Value;
using rules::Budget;
using rules::Compiler;
using rules::ConditionPtr;
using rules::Coverage;
using rules::EachPath;
using rules::RulePtr;
using rules::Scope;
using rules::wrong;

using Operation = MappedRecord::Operation;

// One output of the mapping: made once, or once for each item of the innermost `each`.
struct Output {
  std::string place;
  std::vector<EachPath> each;  // from the outside in
  ConditionPtr when;
  RulePtr key;
  RulePtr value;  // of an effect: its document
  // Of records.
  std::string collection;
  Operation operation = Operation::put;
  RulePtr sequence;
  // Of effects.
  std::string type;
  RulePtr subject;
};

struct Content {
  std::string name;
  std::uint64_t version = 0;
  ConditionPtr when;
  std::vector<Output> records;
  std::vector<Output> effects;
  RulePtr trace;
  std::vector<std::vector<std::string>> drop;  // steps, "*": any
};

// --- reading the text ---

bool is_collection(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= limits::collection_name_bytes_max && name.front() != '_' &&
         name.front() != '-' && std::all_of(name.begin(), name.end(), good);
}

Result<Operation> operation_of(const std::string& word, const std::string& place) {
  if (word.empty() || word == "put") return Operation::put;
  if (word == "merge") return Operation::merge;
  if (word == "remove") return Operation::remove;
  if (word == "post") return Operation::post;
  return wrong(place + ".operation", "is one of put, merge, remove, post");
}

class Reader {
 public:
  Result<Content> read(const Value& text) {
    TRY(rules::check_members(text, "the mapping",
                             {"mapping", "version", "description", "when", "records", "effects",
                              "trace", "tables", "drop"}));
    Content content;
    TRY_ASSIGN(content.name, compiler_.word(text, "mapping", "the mapping"));
    if (content.name.empty()) return wrong("mapping", "is missing; it is the mapping's name");
    TRY_ASSIGN(const auto version, compiler_.count(text, "version", INT64_MAX, "the mapping"));
    if (!version) return wrong("version", "is missing; it is a whole number that grows");
    content.version = *version;
    if (const Value* note = text.find("description"); note != nullptr && !note->is(Type::string))
      return wrong("description", "is a string");
    if (const Value* tables = text.find("tables"); tables != nullptr)
      TRY(compiler_.read_tables(*tables));
    if (const Value* when = text.find("when"); when != nullptr) {
      TRY_ASSIGN(content.when, compiler_.condition(*when, "when"));
    }
    if (const Value* trace = text.find("trace"); trace != nullptr) {
      TRY_ASSIGN(content.trace, compiler_.rule(*trace, "trace"));
    }
    TRY(read_outputs(text, "records", content.records));
    TRY(read_outputs(text, "effects", content.effects));
    if (content.records.empty() && content.effects.empty())
      return wrong("the mapping", "makes neither records nor effects");
    TRY(read_drop(text, content));
    return content;
  }

 private:
  Result<void> read_outputs(const Value& text, const std::string& name,
                            std::vector<Output>& outputs) {
    const Value* list = text.find(name);
    if (list == nullptr) return {};
    if (!list->is(Type::array)) return wrong(name, "is an array");
    for (const Value& item : list->items()) {
      const std::string place = name + "[" + std::to_string(outputs.size()) + "]";
      TRY_ASSIGN(Output output, name == "records" ? record(item, place) : effect(item, place));
      outputs.push_back(std::move(output));
    }
    return {};
  }

  Result<Output> record(const Value& text, const std::string& place) {
    TRY(rules::check_members(
        text, place, {"collection", "key", "operation", "sequence", "value", "each", "when"}));
    Output output;
    TRY(read_common(text, place, output));
    TRY_ASSIGN(output.collection, compiler_.word(text, "collection", place));
    if (!is_collection(output.collection) ||
        output.collection.substr(0, hub_prefix.size()) == hub_prefix)
      return wrong(place + ".collection", "is the name of a collection that is not the hub's own");
    TRY_ASSIGN(const std::string operation, compiler_.word(text, "operation", place));
    TRY_ASSIGN(output.operation, operation_of(operation, place));
    TRY_ASSIGN(output.sequence, optional_rule(text, "sequence", place));
    TRY_ASSIGN(output.value, optional_rule(text, "value", place));
    if ((output.value == nullptr) != (output.operation == Operation::remove))
      return wrong(place + ".value", "goes with every operation but remove");
    return output;
  }

  Result<Output> effect(const Value& text, const std::string& place) {
    TRY(rules::check_members(text, place, {"type", "key", "subject", "document", "each", "when"}));
    Output output;
    TRY(read_common(text, place, output));
    TRY_ASSIGN(output.type, compiler_.word(text, "type", place));
    if (output.type.empty()) return wrong(place + ".type", "is missing");
    TRY_ASSIGN(output.subject, optional_rule(text, "subject", place));
    TRY_ASSIGN(output.value, optional_rule(text, "document", place));
    if (output.value == nullptr) return wrong(place + ".document", "is missing");
    return output;
  }

  Result<void> read_common(const Value& text, const std::string& place, Output& output) {
    output.place = place;
    if (const Value* each = text.find("each"); each != nullptr) {
      const bool several = each->is(Type::array);
      const json::Array list = several ? each->items() : json::Array{*each};
      for (const Value& item : list) {
        TRY_ASSIGN(EachPath path, compiler_.each(item, place + ".each"));
        output.each.push_back(std::move(path));
      }
    }
    if (const Value* when = text.find("when"); when != nullptr) {
      TRY_ASSIGN(output.when, compiler_.condition(*when, place + ".when"));
    }
    TRY_ASSIGN(output.key, optional_rule(text, "key", place));
    if (output.key == nullptr) return wrong(place + ".key", "is missing");
    return {};
  }

  Result<RulePtr> optional_rule(const Value& text, std::string_view name,
                                const std::string& place) {
    const Value* rule = text.find(name);
    if (rule == nullptr) return RulePtr{};
    return compiler_.rule(*rule, place + "." + std::string{name});
  }

  Result<void> read_drop(const Value& text, Content& content) {
    const Value* list = text.find("drop");
    if (list == nullptr) return {};
    if (!list->is(Type::array)) return wrong("drop", "is an array of pointers");
    if (list->items().size() > limits::mapping_rules_max)
      return wrong("drop",
                   "has at most " + std::to_string(limits::mapping_rules_max) + " pointers");
    for (const Value& item : list->items()) {
      const std::string place = "drop[" + std::to_string(content.drop.size()) + "]";
      if (!item.is(Type::string) || item.text().empty() || !json::check_pointer(item.text()))
        return wrong(place, "is a pointer such as \"/lines/*/note\", where * is any step");
      content.drop.push_back(rules::steps_of(item.text()));
    }
    return {};
  }

  Compiler compiler_;
};

Failure too_much() {
  return fail(Errc::invalid_argument, "the document takes more steps than allowed");
}

// How many levels of arrays and objects; no further than `most`.
std::size_t depth_of(const Value& value, std::size_t most) {
  std::size_t deepest = 0;
  if (most == 0) return 0;
  if (value.is(Type::array))
    for (const Value& item : value.items()) deepest = std::max(deepest, depth_of(item, most - 1));
  if (value.is(Type::object))
    for (const auto& [name, member] : value.members())
      deepest = std::max(deepest, depth_of(member, most - 1));
  return value.is(Type::array) || value.is(Type::object) ? deepest + 1 : 0;
}

// --- what no rule read ---

class Unread {
 public:
  Unread(const Content& content, Coverage& coverage) : coverage_{coverage} {
    for (const auto& steps : content.drop) drops_.push_back(&steps);
  }

  // Errors: invalid_argument: the document is too large to look at.
  Result<std::vector<std::string>> of(const Value& root) {
    for (const auto* steps : drops_) mark(root, *steps, 0);
    std::string pointer;
    walk(root, pointer);
    if (!coverage_.step()) return too_much();
    return std::move(unread_);
  }

 private:
  void mark(const Value& at, const std::vector<std::string>& steps, std::size_t next) {
    if (!coverage_.step()) return;
    if (next == steps.size()) return coverage_.add(&at);
    const std::string& step = steps[next];
    if (at.is(Type::array)) {
      std::size_t wanted = 0;
      const auto [rest, error] = std::from_chars(step.data(), step.data() + step.size(), wanted);
      const bool index = error == std::errc{} && rest == step.data() + step.size();
      for (std::size_t i = 0; i < at.items().size(); ++i)
        if (step == "*" || (index && wanted == i)) mark(at.items()[i], steps, next + 1);
    } else if (at.is(Type::object)) {
      for (const auto& [name, member] : at.members())
        if (step == "*" || step == name) mark(member, steps, next + 1);
    }
  }

  void walk(const Value& at, std::string& pointer) {
    if (coverage_.has(&at) || unread_.size() >= limits::mapping_unmapped_max) return;
    if (!coverage_.step()) return;
    const std::size_t length = pointer.size();
    if (at.is(Type::array)) {
      for (std::size_t i = 0; i < at.items().size(); ++i) {
        pointer += "/" + std::to_string(i);
        walk(at.items()[i], pointer);
        pointer.resize(length);
      }
    } else if (at.is(Type::object)) {
      for (const auto& [name, member] : at.members()) {
        pointer += '/';
        for (const char c : name) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string{c};
        walk(member, pointer);
        pointer.resize(length);
      }
    } else {
      unread_.push_back(pointer);
    }
  }

  Coverage& coverage_;
  std::vector<const std::vector<std::string>*> drops_;
  std::vector<std::string> unread_;
};

// --- a compiled mapping ---

class Compiled final : public Mapping {
 public:
  explicit Compiled(Content content) : content_{std::move(content)} {}

  const std::string& name() const override { return content_.name; }
  std::uint64_t version() const override { return content_.version; }

  Result<Mapped> apply(const Value& document, const MapContext& context) const override {
    Budget budget;
    const Scope scope{document, context, budget, &document};
    if (content_.when) {
      TRY_ASSIGN(const bool wanted, content_.when->holds(scope));
      if (!wanted) return Mapped{};
    }
    Mapped mapped;
    for (const Output& output : content_.records)
      TRY(each(output, scope, 0, [&](const Scope& at) { return add_record(output, at, mapped); }));
    for (const Output& output : content_.effects)
      TRY(each(output, scope, 0, [&](const Scope& at) { return add_effect(output, at, mapped); }));
    if (content_.trace) {
      TRY_ASSIGN(mapped.trace, text(*content_.trace, scope, true));
    }
    TRY_ASSIGN(mapped.unmapped, unread(scope));
    if (budget.steps == 0) return too_much();
    return mapped;
  }

 private:
  using Make = std::function<Result<void>(const Scope&)>;

  static Result<void> each(const Output& output, const Scope& scope, std::size_t level,
                           const Make& make) {
    if (level == output.each.size()) {
      if (output.when) {
        TRY_ASSIGN(const bool wanted, output.when->holds(scope));
        if (!wanted) return {};
      }
      return make(scope);
    }
    TRY_ASSIGN(const std::vector<const Value*> items, output.each[level].items(scope));
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Scope inner{scope.root, scope.context, scope.budget, items[i], i, &scope};
      TRY(each(output, inner, level + 1, make));
    }
    return {};
  }

  static void cover(const Output& output, const Scope& scope, std::size_t level,
                    Coverage& coverage) {
    if (!coverage.step()) return;
    if (level < output.each.size()) {
      const auto items = output.each[level].items(scope);
      if (!items) return;
      for (std::size_t i = 0; i < items->size(); ++i) {
        const Scope inner{scope.root, scope.context, scope.budget, (*items)[i], i, &scope};
        cover(output, inner, level + 1, coverage);
      }
      return;
    }
    if (output.when) output.when->cover(scope, coverage);
    for (const RulePtr* rule : {&output.key, &output.value, &output.sequence, &output.subject})
      if (*rule) (*rule)->cover(scope, coverage);
  }

  Result<std::vector<std::string>> unread(const Scope& scope) const {
    Coverage coverage;
    if (content_.when) content_.when->cover(scope, coverage);
    if (content_.trace) content_.trace->cover(scope, coverage);
    for (const Output& output : content_.records) cover(output, scope, 0, coverage);
    for (const Output& output : content_.effects) cover(output, scope, 0, coverage);
    return Unread{content_, coverage}.of(scope.root);
  }

  // "": nothing is made, where that is allowed.
  static Result<std::string> text(const rules::Rule& rule, const Scope& scope, bool optional) {
    TRY_ASSIGN(const std::optional<Value> value, rule.eval(scope));
    if (!value && optional) return std::string{};
    if (!value) return rule.refuse(scope, "is required, and nothing is there");
    auto made = rules::text_of(*value);
    if (!made) return rule.refuse(scope, "makes no text and no number");
    return *std::move(made);
  }

  static Result<std::string> key(const Output& output, const Scope& scope) {
    TRY_ASSIGN(std::string key, text(*output.key, scope, false));
    const bool good =
        !key.empty() && key.size() <= limits::record_key_bytes_max &&
        std::none_of(key.begin(), key.end(), [](char c) { return c >= 0 && c < 0x20; });
    if (!good)
      return output.key->refuse(scope, "makes no key: 1 to " +
                                           std::to_string(limits::record_key_bytes_max) +
                                           " bytes without control characters");
    return key;
  }

  static Result<Value> value(const Output& output, const Scope& scope) {
    TRY_ASSIGN(std::optional<Value> value, output.value->eval(scope));
    if (!value) return output.value->refuse(scope, "is required, and nothing is there");
    if (depth_of(*value, json::depth_max + 1) > json::depth_max)
      return output.value->refuse(scope, "makes a value that is nested too deeply");
    if (rules::bytes_of(*value) > limits::record_value_bytes_max / 8 &&
        json::to_text(*value).size() > limits::record_value_bytes_max)
      return output.value->refuse(scope, "makes a value that is too large");
    return *std::move(value);
  }

  static Result<void> add_record(const Output& output, const Scope& scope, Mapped& mapped) {
    MappedRecord record;
    record.operation = output.operation;
    record.collection = output.collection;
    TRY_ASSIGN(record.key, key(output, scope));
    if (output.sequence) {
      TRY_ASSIGN(record.sequence, text(*output.sequence, scope, true));
    }
    if (output.value) {
      TRY_ASSIGN(record.value, value(output, scope));
    }
    for (const MappedRecord& other : mapped.records) {
      if (other.collection != record.collection || other.key != record.key) continue;
      const bool same = other.operation == record.operation && other.value == record.value &&
                        other.sequence == record.sequence;
      if (same) return {};
      return output.key->refuse(
          scope, "makes " + record.collection + "/" + record.key + " twice, differently");
    }
    mapped.records.push_back(std::move(record));
    return check_count(output, scope, mapped);
  }

  static Result<void> add_effect(const Output& output, const Scope& scope, Mapped& mapped) {
    MappedEffect effect;
    effect.type = output.type;
    TRY_ASSIGN(effect.key, key(output, scope));
    effect.subject = effect.key;
    if (output.subject) {
      TRY_ASSIGN(effect.subject, text(*output.subject, scope, false));
    }
    TRY_ASSIGN(effect.document, value(output, scope));
    for (const MappedEffect& other : mapped.effects) {
      if (other.key != effect.key) continue;
      if (other.type == effect.type && other.document == effect.document) return {};
      return output.key->refuse(scope, "makes the effect " + effect.key + " twice, differently");
    }
    mapped.effects.push_back(std::move(effect));
    return check_count(output, scope, mapped);
  }

  static Result<void> check_count(const Output& output, const Scope& scope, const Mapped& mapped) {
    if (mapped.records.size() + mapped.effects.size() <= limits::mapping_outputs_max) return {};
    return output.key->refuse(scope, "the document makes more than " +
                                         std::to_string(limits::mapping_outputs_max) +
                                         " records and effects");
  }

  const Content content_;
};

}  // namespace

Result<std::shared_ptr<const Mapping>> Mapping::parse(const Value& text) {
  TRY_ASSIGN(Content content, Reader{}.read(text));
  return std::make_shared<const Compiled>(std::move(content));
}

}  // namespace mainstay::integration
