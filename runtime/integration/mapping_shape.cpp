// Rules that give a result its shape: templates, paths, constants, loops, choices.
#include <array>

#include "runtime/integration/mapping_compiler.hpp"

namespace mainstay::integration::rules {

namespace {

using json::Type;

class Constant final : public Rule {
 public:
  explicit Constant(Value value) : value_{std::move(value)}, bytes_{bytes_of(value_)} {}

 private:
  Outcome make(const Scope& scope) const override {
    if (scope.budget.bytes < bytes_) return refuse(scope, "the results become too large");
    scope.budget.bytes -= bytes_;
    return value_;
  }
  void cover_parts(const Scope&, Coverage&) const override {}

  const Value value_;
  const std::size_t bytes_;
};

class Copy final : public Rule {
 public:
  explicit Copy(Path path) : path_{std::move(path)} {}
  std::string where(const Scope& scope) const override { return path_.pointer(scope); }

 private:
  Outcome make(const Scope& scope) const override {
    const Value* value = path_.find(scope);
    if (value == nullptr) return std::nullopt;
    const std::size_t bytes = bytes_of(*value);
    if (scope.budget.bytes < bytes) return refuse(scope, "the results become too large");
    scope.budget.bytes -= bytes;
    return *value;
  }
  void cover_parts(const Scope& scope, Coverage& coverage) const override {
    coverage.add(path_.find(scope));
  }

  const Path path_;
};

class ObjectOf final : public Rule {
 public:
  using Members = std::vector<std::pair<std::string, RulePtr>>;
  explicit ObjectOf(Members members) : members_{std::move(members)} {}

 private:
  Outcome make(const Scope& scope) const override {
    Value object = Value::object();
    for (const auto& [name, rule] : members_) {
      TRY_ASSIGN(std::optional<Value> value, rule->eval(scope));
      if (value) object.members().emplace_back(name, *std::move(value));
    }
    return object;
  }
  void cover_parts(const Scope& scope, Coverage& coverage) const override {
    for (const auto& [name, rule] : members_) rule->cover(scope, coverage);
  }

  const Members members_;
};

class ArrayOf final : public Rule {
 public:
  explicit ArrayOf(std::vector<RulePtr> items) : items_{std::move(items)} {}

 private:
  Outcome make(const Scope& scope) const override {
    Value array = Value::array();
    for (const RulePtr& rule : items_) {
      TRY_ASSIGN(std::optional<Value> value, rule->eval(scope));
      if (value) array.items().push_back(*std::move(value));
    }
    return array;
  }
  void cover_parts(const Scope& scope, Coverage& coverage) const override {
    for (const RulePtr& rule : items_) rule->cover(scope, coverage);
  }

  const std::vector<RulePtr> items_;
};

class Loop final : public Rule {
 public:
  Loop(EachPath each, ConditionPtr where, RulePtr value)
      : each_{std::move(each)}, where_{std::move(where)}, value_{std::move(value)} {}
  std::string where(const Scope& scope) const override { return each_.path.pointer(scope); }

 private:
  Outcome make(const Scope& scope) const override {
    if (each_.path.find(scope) == nullptr) return std::nullopt;
    TRY_ASSIGN(const std::vector<const Value*> items, each_.items(scope));
    Value array = Value::array();
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Scope inner{scope.root, scope.context, scope.budget, items[i], i, &scope};
      if (where_) {
        TRY_ASSIGN(const bool wanted, where_->holds(inner));
        if (!wanted) continue;
      }
      TRY_ASSIGN(std::optional<Value> value, value_->eval(inner));
      if (value) array.items().push_back(*std::move(value));
    }
    return array;
  }
  void cover_parts(const Scope& scope, Coverage& coverage) const override {
    const auto items = each_.items(scope);
    if (!items) return;
    for (std::size_t i = 0; i < items->size(); ++i) {
      if (!coverage.step()) return;
      const Scope inner{scope.root, scope.context, scope.budget, (*items)[i], i, &scope};
      if (where_) where_->cover(inner, coverage);
      value_->cover(inner, coverage);
    }
  }

  const EachPath each_;
  const ConditionPtr where_;
  const RulePtr value_;
};

class FirstOf final : public Rule {
 public:
  explicit FirstOf(std::vector<RulePtr> rules) : rules_{std::move(rules)} {}

 private:
  Outcome make(const Scope& scope) const override {
    for (const RulePtr& rule : rules_) {
      TRY_ASSIGN(std::optional<Value> value, rule->eval(scope));
      if (value) return value;
    }
    return std::nullopt;
  }
  void cover_parts(const Scope& scope, Coverage& coverage) const override {
    for (const RulePtr& rule : rules_) rule->cover(scope, coverage);
  }

  const std::vector<RulePtr> rules_;
};

class Choice final : public Rule {
 public:
  Choice(ConditionPtr test, RulePtr then, RulePtr otherwise)
      : test_{std::move(test)}, then_{std::move(then)}, otherwise_{std::move(otherwise)} {}

 private:
  Outcome make(const Scope& scope) const override {
    TRY_ASSIGN(const bool good, test_->holds(scope));
    const RulePtr& chosen = good ? then_ : otherwise_;
    if (!chosen) return std::nullopt;
    return chosen->eval(scope);
  }
  void cover_parts(const Scope& scope, Coverage& coverage) const override {
    test_->cover(scope, coverage);
    if (then_) then_->cover(scope, coverage);
    if (otherwise_) otherwise_->cover(scope, coverage);
  }

  const ConditionPtr test_;
  const RulePtr then_;
  const RulePtr otherwise_;
};

class Index final : public Rule {
 public:
  explicit Index(std::size_t start) : start_{start} {}

 private:
  Outcome make(const Scope& scope) const override {
    return Value::number(std::to_string(start_ + scope.index));
  }
  void cover_parts(const Scope&, Coverage&) const override {}

  const std::size_t start_;
};

class FromContext final : public Rule {
 public:
  explicit FromContext(std::string MapContext::*member) : member_{member} {}

 private:
  Outcome make(const Scope& scope) const override {
    const std::string& text = scope.context.*member_;
    if (text.empty()) return std::nullopt;
    return Value::string(text);
  }
  void cover_parts(const Scope&, Coverage&) const override {}

  std::string MapContext::*const member_;
};

// --- from their texts ---

Result<RulePtr> build_const(Compiler&, const Value& text, const std::string&) {
  return make_constant(*text.find("$const"));
}

Result<RulePtr> build_context(Compiler&, const Value& text, const std::string& place) {
  constexpr std::array<std::pair<std::string_view, std::string MapContext::*>, 4> members = {
      {{"adapter", &MapContext::adapter},
       {"id", &MapContext::message_id},
       {"version", &MapContext::version},
       {"time", &MapContext::time}}};
  const Value& name = *text.find("$context");
  for (const auto& [known, member] : members)
    if (name.is(Type::string) && name.text() == known) return std::make_unique<FromContext>(member);
  return wrong(place + ".$context", "is one of adapter, id, version, time");
}

Result<RulePtr> build_each(Compiler& compiler, const Value& text, const std::string& place) {
  TRY_ASSIGN(EachPath each, compiler.each(*text.find("$each"), place + ".$each"));
  TRY_ASSIGN(const bool single, compiler.flag(text, "single", place));
  each.single = each.single || single;
  ConditionPtr where;
  if (const Value* given = text.find("where"); given != nullptr) {
    TRY_ASSIGN(where, compiler.condition(*given, place + ".where"));
  }
  const Value* value = text.find("value");
  if (value == nullptr) return wrong(place, "has a value: the rule for one item");
  TRY_ASSIGN(RulePtr rule, compiler.rule(*value, place + ".value"));
  return std::make_unique<Loop>(std::move(each), std::move(where), std::move(rule));
}

Result<RulePtr> build_first(Compiler& compiler, const Value& text, const std::string& place) {
  TRY_ASSIGN(std::vector<RulePtr> rules, compiler.rules(*text.find("$first"), place + ".$first"));
  return std::make_unique<FirstOf>(std::move(rules));
}

Result<RulePtr> build_if(Compiler& compiler, const Value& text, const std::string& place) {
  TRY_ASSIGN(ConditionPtr test, compiler.condition(*text.find("$if"), place + ".$if"));
  const Value* then_text = text.find("then");
  const Value* else_text = text.find("else");
  if (then_text == nullptr) return wrong(place, "has a then, and may have an else");
  TRY_ASSIGN(RulePtr then, compiler.rule(*then_text, place + ".then"));
  RulePtr otherwise;
  if (else_text != nullptr) {
    TRY_ASSIGN(otherwise, compiler.rule(*else_text, place + ".else"));
  }
  return std::make_unique<Choice>(std::move(test), std::move(then), std::move(otherwise));
}

Result<RulePtr> build_index(Compiler& compiler, const Value& text, const std::string& place) {
  constexpr std::uint64_t start_max = 1'000'000'000;
  TRY_ASSIGN(const auto start, compiler.count(text, "$index", start_max, place));
  return std::make_unique<Index>(*start);
}

Result<RulePtr> build_path(Compiler&, const Value& text, const std::string& place) {
  return make_path(*text.find("$path"), place + ".$path");
}

}  // namespace

Result<RulePtr> make_object(Compiler& compiler, const Value& text, const std::string& place) {
  ObjectOf::Members members;
  for (const auto& [name, member] : text.members()) {
    TRY_ASSIGN(RulePtr rule, compiler.rule(member, place + "." + name.substr(0, 64)));
    members.emplace_back(name, std::move(rule));
  }
  return std::make_unique<ObjectOf>(std::move(members));
}

Result<RulePtr> make_array(Compiler& compiler, const Value& text, const std::string& place) {
  std::vector<RulePtr> items;
  for (const Value& item : text.items()) {
    TRY_ASSIGN(RulePtr rule, compiler.rule(item, place + "[" + std::to_string(items.size()) + "]"));
    items.push_back(std::move(rule));
  }
  return std::make_unique<ArrayOf>(std::move(items));
}

Result<RulePtr> make_path(const Value& text, const std::string& place) {
  if (!text.is(Type::string)) return wrong(place, "is a path, in a string");
  auto path = Path::parse(text.text());
  if (!path) return wrong(place, path.error().message);
  return std::make_unique<Copy>(*std::move(path));
}

RulePtr make_constant(Value value) {
  return std::make_unique<Constant>(std::move(value));
}

const std::vector<Operator>& shape_operators() {
  static const std::vector<Operator> table = {
      {"$const", {}, build_const},
      {"$context", {}, build_context},
      {"$each", {"single", "where", "value"}, build_each},
      {"$first", {}, build_first},
      {"$if", {"then", "else"}, build_if},
      {"$index", {}, build_index},
      {"$path", {}, build_path},
  };
  return table;
}

}  // namespace mainstay::integration::rules
