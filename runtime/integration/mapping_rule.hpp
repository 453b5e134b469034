// A compiled rule of a mapping: given a place in a document, it makes a JSON value, or nothing.
// Private to the mapping's sources. Immutable.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/result.hpp"
#include "runtime/integration/mapping.hpp"

namespace mainstay::integration::rules {

using json::Value;

// What one document may cost. Used up: the document is refused.
struct Budget {
  std::size_t steps = limits::mapping_steps_max;
  std::size_t bytes = limits::mapping_output_bytes_max;

  void spend(std::size_t more) { steps -= std::min(steps, more); }
};

// Where a rule stands in the document.
struct Scope {
  const Value& root;
  const MapContext& context;
  Budget& budget;
  const Value* item;             // what relative paths start from
  std::size_t index = 0;         // of the item, among those of its `each`
  const Scope* outer = nullptr;  // around it: "../"
};

// Which values of the document any rule could have read.
class Coverage {
 public:
  void add(const Value* value) {
    if (value != nullptr) read_.insert(value);
  }
  bool has(const Value* value) const { return read_.count(value) != 0; }
  // False: looking has cost enough.
  bool step() {
    if (steps_ > 0) --steps_;
    return steps_ > 0;
  }

 private:
  std::unordered_set<const Value*> read_;
  std::size_t steps_ = limits::mapping_steps_max;
};

using Outcome = Result<std::optional<Value>>;

class Condition {
 public:
  virtual ~Condition() = default;
  virtual Result<bool> holds(const Scope& scope) const = 0;
  virtual void cover(const Scope& scope, Coverage& coverage) const = 0;
};
using ConditionPtr = std::unique_ptr<const Condition>;

class Rule;
using RulePtr = std::unique_ptr<Rule>;

class Rule {
 public:
  virtual ~Rule() = default;

  // Nothing: what it asks for is not there. Errors: invalid_argument, with the pointer into the
  // document and the rule's place in the mapping.
  Outcome eval(const Scope& scope) const;
  void cover(const Scope& scope, Coverage& coverage) const;

  // The pointer to what it is about, for messages.
  virtual std::string where(const Scope& scope) const;
  Failure refuse(const Scope& scope, std::string_view what) const;

  // What every rule may carry beside its own.
  struct Common {
    std::string place;  // in the mapping
    ConditionPtr when;
    RulePtr fallback;
    bool required = false;
    bool keep_null = false;
  };
  void set(Common common) { common_ = std::move(common); }

 protected:
  virtual Outcome make(const Scope& scope) const = 0;
  virtual void cover_parts(const Scope& scope, Coverage& coverage) const = 0;
  bool has_default() const { return common_.fallback != nullptr; }

 private:
  Common common_;
};

// "/a/b" from the document, "a/b" from the item, "." the item, "../a" from the item around it.
class Path {
 public:
  // Errors: invalid_argument.
  static Result<Path> parse(std::string_view text);

  const Value* find(const Scope& scope) const;  // null: not there
  std::string pointer(const Scope& scope) const;

 private:
  bool absolute_ = false;
  unsigned up_ = 0;
  std::string pointer_;

  struct Step {
    std::string name;
    std::optional<std::size_t> index;
  };
  std::vector<Step> steps_;  // of the pointer
};

// A list to go through. `single`: something that is no list counts as a list of one.
struct EachPath {
  Path path;
  bool single = false;

  // Empty: not there, or null. Errors: invalid_argument: it is no list.
  Result<std::vector<const Value*>> items(const Scope& scope) const;
};

// A scalar as text: a string as it is, a number by its digits, true, false. Nothing: another type.
std::optional<std::string> text_of(const Value& value);
// Roughly what a copy takes.
std::size_t bytes_of(const Value& value);
// The names in a pointer. REQUIRES: it is one.
std::vector<std::string> steps_of(std::string_view pointer);
// Pointer to `wanted` within `root`; "" if it is the root, or not in it.
std::string pointer_of(const Value& root, const Value* wanted);

}  // namespace mainstay::integration::rules
