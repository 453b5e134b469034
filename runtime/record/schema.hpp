// JSON Schema for records, checked inside the apply step: deterministic, exact (numbers are
// decimals), linear in time. A subset of draft 2020-12, all of whose keywords have the standard's
// meaning; a schema with any other keyword is refused when it is declared, never half obeyed.
//   type enum const  allOf anyOf oneOf not if then else  $ref (within the schema: "#…") $defs
//   properties patternProperties additionalProperties required minProperties maxProperties
//   propertyNames dependentRequired  prefixItems items contains minContains maxContains minItems
//   maxItems uniqueItems  minimum maximum exclusiveMinimum exclusiveMaximum multipleOf
//   minLength maxLength pattern (RE2 syntax)
//   annotations, without effect: $schema $id $comment title description default examples format
//   deprecated readOnly writeOnly
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::record {

struct Violation {
  std::string pointer;  // into the value
  std::string message;  // "is less than the minimum 0"
  bool operator==(const Violation&) const = default;
};

// Compiled; immutable and thread-safe.
class Schema {
 public:
  // Errors: invalid_argument with the place in the schema: unknown keyword, wrong form, a pattern
  // that RE2 refuses, a $ref to nothing or into a circle, larger than limits::schema_bytes_max.
  static Result<std::shared_ptr<const Schema>> compile(const json::Value& schema);
  virtual ~Schema() = default;

  // The first thing that is wrong, in the order of the text; nothing if the value is valid.
  virtual std::optional<Violation> check(const json::Value& value) const = 0;
  virtual const json::Value& source() const = 0;
};

}  // namespace mainstay::record
