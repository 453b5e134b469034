// A compiled JSON Schema: one node for each subschema, with its keywords ready to be checked.
// Private to schema.cpp and schema_check.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <re2/re2.h>

#include "runtime/base/json.hpp"
#include "runtime/record/schema.hpp"

namespace mainstay::record {

// Places in SchemaNodes. Nothing: the keyword is not there.
using NodeRef = std::optional<std::size_t>;

struct SchemaNode {
  std::optional<bool> always;  // the schemas true and false

  std::optional<std::uint8_t> types;  // bits 1 << json::Type
  bool integer = false;               // "integer" among them: numbers without a fraction
  std::string types_text;             // for people
  std::optional<json::Value> constant;
  std::optional<std::vector<json::Value>> enumeration;

  std::vector<std::size_t> all_of;
  std::vector<std::size_t> any_of;
  std::vector<std::size_t> one_of;
  NodeRef negated;
  NodeRef condition;
  NodeRef then;
  NodeRef otherwise;
  NodeRef ref;

  std::map<std::string, std::size_t, std::less<>> properties;
  std::vector<std::pair<std::unique_ptr<RE2>, std::size_t>> pattern_properties;
  NodeRef additional_properties;
  NodeRef property_names;
  std::vector<std::string> required;
  std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;
  std::optional<std::uint64_t> min_properties;
  std::optional<std::uint64_t> max_properties;

  std::vector<std::size_t> prefix_items;
  NodeRef items;
  NodeRef contains;
  std::optional<std::uint64_t> min_contains;
  std::optional<std::uint64_t> max_contains;
  std::optional<std::uint64_t> min_items;
  std::optional<std::uint64_t> max_items;
  bool unique_items = false;

  std::optional<json::Number> minimum;
  std::optional<json::Number> maximum;
  std::optional<json::Number> exclusive_minimum;
  std::optional<json::Number> exclusive_maximum;
  std::optional<json::Number> multiple_of;

  std::optional<std::uint64_t> min_length;
  std::optional<std::uint64_t> max_length;
  std::unique_ptr<RE2> pattern;
};

using SchemaNodes = std::vector<SchemaNode>;

// The first violation of `value` against the node at 0.
std::optional<Violation> check_schema(const SchemaNodes& nodes, const json::Value& value);

}  // namespace mainstay::record
