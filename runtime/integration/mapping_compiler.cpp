#include "runtime/integration/mapping_compiler.hpp"

#include <algorithm>
#include <charconv>

namespace mainstay::integration::rules {

namespace {

using json::Type;

constexpr std::string_view common_options[] = {"when", "default", "required", "keep_null"};

const Operator* find_operator(std::string_view name) {
  for (const auto* table : {&shape_operators(), &text_operators(), &number_operators()})
    for (const Operator& one : *table)
      if (one.name == name) return &one;
  return nullptr;
}

std::string operator_names() {
  std::vector<std::string_view> names;
  for (const auto* table : {&shape_operators(), &text_operators(), &number_operators()})
    for (const Operator& one : *table) names.push_back(one.name);
  std::sort(names.begin(), names.end());
  std::string all;
  for (const std::string_view name : names) all += (all.empty() ? "" : " ") + std::string{name};
  return all;
}

std::string known_options(const Operator& one) {
  std::string all{one.name};
  for (const std::string_view option : one.options) all += ", " + std::string{option};
  for (const std::string_view option : common_options) all += ", " + std::string{option};
  return all;
}

bool is_rule(const Value& text) {
  return std::any_of(text.members().begin(), text.members().end(), [](const json::Member& member) {
    return !member.first.empty() && member.first.front() == '$';
  });
}

}  // namespace

Failure wrong(const std::string& place, std::string_view what) {
  return fail(Errc::invalid_argument, place + ": " + std::string{what});
}

Result<void> check_members(const Value& text, const std::string& place,
                           std::initializer_list<std::string_view> known) {
  if (!text.is(Type::object)) return wrong(place, "is a JSON object");
  for (const auto& [name, member] : text.members()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string names;
    for (const std::string_view each : known)
      names += (names.empty() ? "" : ", ") + std::string{each};
    return wrong(place, "there is no member '" + name.substr(0, 64) + "'; known: " + names);
  }
  return {};
}

Result<void> Compiler::read_tables(const Value& tables) {
  if (!tables.is(Type::object))
    return wrong("tables", "is an object of tables: {\"units\": {\"u\": \"C62\"}}");
  std::size_t rows = 0;
  for (const auto& [name, rows_text] : tables.members()) {
    const std::string place = "tables." + name.substr(0, 64);
    if (!rows_text.is(Type::object)) return wrong(place, "is an object from key to value");
    Table table;
    for (const auto& [key, value] : rows_text.members()) table.emplace(key, value);
    rows += table.size();
    if (rows > limits::mapping_table_rows_max)
      return wrong(place, "the tables have more than " +
                              std::to_string(limits::mapping_table_rows_max) + " rows");
    tables_.emplace(name, std::make_shared<const Table>(std::move(table)));
  }
  return {};
}

std::shared_ptr<const Table> Compiler::table(std::string_view name) const {
  const auto at = tables_.find(name);
  return at == tables_.end() ? nullptr : at->second;
}

Result<void> Compiler::enter(const std::string& place) {
  if (++rules_ > limits::mapping_rules_max)
    return wrong(place,
                 "a mapping has at most " + std::to_string(limits::mapping_rules_max) + " rules");
  if (depth_ >= limits::mapping_depth_max)
    return wrong(place, "rules stand at most " + std::to_string(limits::mapping_depth_max) +
                            " levels inside one another");
  ++depth_;
  return {};
}

Result<RulePtr> Compiler::rule(const Value& text, const std::string& place) {
  TRY(enter(place));
  auto made = text.is(Type::object) && is_rule(text) ? operation(text, place) : plain(text, place);
  --depth_;
  return made;
}

Result<RulePtr> Compiler::plain(const Value& text, const std::string& place) {
  Result<RulePtr> made = [&]() -> Result<RulePtr> {
    if (text.is(Type::object)) return make_object(*this, text, place);
    if (text.is(Type::array)) return make_array(*this, text, place);
    if (text.is(Type::string)) return make_path(text, place);
    return make_constant(text);
  }();
  if (!made) return made;
  Rule::Common common;
  common.place = place;
  common.keep_null = text.is(Type::null);
  (*made)->set(std::move(common));
  return made;
}

Result<RulePtr> Compiler::operation(const Value& text, const std::string& place) {
  const Operator* chosen = nullptr;
  for (const auto& [name, member] : text.members()) {
    if (name.empty() || name.front() != '$') continue;
    const Operator* one = find_operator(name);
    if (one == nullptr)
      return wrong(place,
                   "there is no rule '" + name.substr(0, 64) + "'; there are " + operator_names());
    if (chosen != nullptr)
      return wrong(place, "has both " + std::string{chosen->name} + " and " + name);
    chosen = one;
  }
  for (const json::Member& member : text.members()) {
    const std::string& name = member.first;
    const auto is = [&name](std::string_view option) { return option == name; };
    const bool known = name == chosen->name ||
                       std::any_of(chosen->options.begin(), chosen->options.end(), is) ||
                       std::any_of(std::begin(common_options), std::end(common_options), is);
    if (!known)
      return wrong(place, "there is no member '" + name.substr(0, 64) +
                              "'; known: " + known_options(*chosen));
  }
  TRY_ASSIGN(Rule::Common options, common(text, place));
  if (chosen->name == "$const") options.keep_null = true;
  TRY_ASSIGN(RulePtr made, chosen->build(*this, text, place));
  made->set(std::move(options));
  return made;
}

Result<Rule::Common> Compiler::common(const Value& text, const std::string& place) {
  Rule::Common common;
  common.place = place;
  if (const Value* when = text.find("when"); when != nullptr) {
    TRY_ASSIGN(common.when, condition(*when, place + ".when"));
  }
  if (const Value* fallback = text.find("default"); fallback != nullptr) {
    TRY_ASSIGN(common.fallback, rule(*fallback, place + ".default"));
  }
  TRY_ASSIGN(common.required, flag(text, "required", place));
  TRY_ASSIGN(common.keep_null, flag(text, "keep_null", place));
  return common;
}

Result<EachPath> Compiler::each(const Value& text, const std::string& place) {
  EachPath each;
  const Value* path = &text;
  if (text.is(Type::object)) {
    TRY(check_members(text, place, {"path", "single"}));
    TRY_ASSIGN(each.single, flag(text, "single", place));
    path = text.find("path");
  }
  if (path == nullptr || !path->is(Type::string))
    return wrong(place,
                 "is the path of an array: \"/lines\", {\"path\":\"/line\",\"single\":true}");
  auto parsed = Path::parse(path->text());
  if (!parsed) return wrong(place, parsed.error().message);
  each.path = *std::move(parsed);
  return each;
}

Result<std::vector<RulePtr>> Compiler::rules(const Value& text, const std::string& place) {
  if (!text.is(Type::array) || text.items().empty()) return wrong(place, "is an array of rules");
  std::vector<RulePtr> rules;
  for (const Value& item : text.items()) {
    TRY_ASSIGN(RulePtr made, rule(item, place + "[" + std::to_string(rules.size()) + "]"));
    rules.push_back(std::move(made));
  }
  return rules;
}

Result<bool> Compiler::flag(const Value& text, std::string_view option, const std::string& place) {
  const Value* value = text.find(option);
  if (value == nullptr) return false;
  if (!value->is(Type::boolean))
    return wrong(place + "." + std::string{option}, "is true or false");
  return value->as_boolean();
}

Result<std::string> Compiler::word(const Value& text, std::string_view option,
                                   const std::string& place) {
  const Value* value = text.find(option);
  if (value == nullptr) return std::string{};
  if (!value->is(Type::string) || value->text().empty())
    return wrong(place + "." + std::string{option}, "is a string that is not empty");
  return value->text();
}

Result<std::optional<std::uint64_t>> Compiler::count(const Value& text, std::string_view option,
                                                     std::uint64_t most, const std::string& place) {
  const Value* value = text.find(option);
  if (value == nullptr) return std::nullopt;
  std::uint64_t number = 0;
  bool good = value->is(Type::number);
  if (good) {
    const char* end = value->text().data() + value->text().size();
    const auto [rest, error] = std::from_chars(value->text().data(), end, number);
    good = error == std::errc{} && rest == end && number <= most;
  }
  if (!good)
    return wrong(place + "." + std::string{option},
                 "is a whole number from 0 to " + std::to_string(most));
  return number;
}

}  // namespace mainstay::integration::rules
