// Makes rules of the text of a mapping. Private to the mapping's sources.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/integration/mapping_rule.hpp"

namespace mainstay::integration::rules {

using Table = std::map<std::string, Value, std::less<>>;

class Compiler;

// A rule {"$name": argument, option: …}. `build` sees the whole object.
struct Operator {
  std::string_view name;
  std::vector<std::string_view> options;
  Result<RulePtr> (*build)(Compiler& compiler, const Value& text, const std::string& place);
};
// In alphabetical order within each file.
const std::vector<Operator>& shape_operators();   // mapping_shape.cpp
const std::vector<Operator>& text_operators();    // mapping_text.cpp
const std::vector<Operator>& number_operators();  // mapping_number.cpp

class Compiler {
 public:
  // Errors of all: invalid_argument, with the place in the mapping and what is expected.

  Result<void> read_tables(const Value& tables);

  Result<RulePtr> rule(const Value& text, const std::string& place);
  Result<ConditionPtr> condition(const Value& text, const std::string& place);
  // "lines", {"path":"lines","single":true}
  Result<EachPath> each(const Value& text, const std::string& place);

  // For operators: the rules in an argument that is an array, and options by name.
  Result<std::vector<RulePtr>> rules(const Value& text, const std::string& place);
  Result<bool> flag(const Value& text, std::string_view option, const std::string& place);
  // "": not given.
  Result<std::string> word(const Value& text, std::string_view option, const std::string& place);
  Result<std::optional<std::uint64_t>> count(const Value& text, std::string_view option,
                                             std::uint64_t most, const std::string& place);
  std::shared_ptr<const Table> table(std::string_view name) const;  // null: there is none

 private:
  Result<RulePtr> operation(const Value& text, const std::string& place);
  Result<RulePtr> plain(const Value& text, const std::string& place);
  Result<Rule::Common> common(const Value& text, const std::string& place);
  Result<ConditionPtr> condition_parts(const Value& text, const std::string& place);
  Result<ConditionPtr> comparison(const Value& text, const std::string& place);
  Result<void> enter(const std::string& place);

  std::map<std::string, std::shared_ptr<const Table>, std::less<>> tables_;
  std::size_t rules_ = 0;
  std::size_t depth_ = 0;
};

Failure wrong(const std::string& place, std::string_view what);
// Errors: unknown members, by name. `text` must be an object.
Result<void> check_members(const Value& text, const std::string& place,
                           std::initializer_list<std::string_view> known);

// A template: an object or an array of rules, a path, a constant. Made in mapping_shape.cpp.
Result<RulePtr> make_object(Compiler& compiler, const Value& text, const std::string& place);
Result<RulePtr> make_array(Compiler& compiler, const Value& text, const std::string& place);
Result<RulePtr> make_path(const Value& text, const std::string& place);
RulePtr make_constant(Value value);

}  // namespace mainstay::integration::rules
