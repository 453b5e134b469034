#include "runtime/integration/canonical.hpp"

#include <map>

#include "runtime/integration/hub.hpp"
#include "runtime/record/declaration.hpp"
#include "runtime/record/ledger.hpp"

namespace mainstay::integration {

namespace {

using Operation = MappedRecord::Operation;

const record::Declaration* declaration_of(const std::string& collection) {
  static const auto declarations = [] {
    std::map<std::string, record::Declaration> all;
    for (const DeclaredCollection& one : canonical_collections()) {
      auto declaration = record::parse_declaration(one.declaration);
      ASSERT_MSG(declaration.has_value(), "the canonical collections are checked by tests");
      all.emplace(one.name, *std::move(declaration));
    }
    return all;
  }();
  const auto at = declarations.find(collection);
  return at == declarations.end() ? nullptr : &at->second;
}

std::optional<std::string> violation_of(const record::Declaration& declaration,
                                        const json::Value& value, const std::string& place) {
  if (declaration.schema == nullptr) return std::nullopt;
  const auto violation = declaration.schema->check(value);
  if (!violation) return std::nullopt;
  return "at '" + place + violation->pointer + "': " + violation->message;
}

}  // namespace

std::optional<std::string> canonical_violation(const MappedRecord& record) {
  const record::Declaration* declaration = declaration_of(record.collection);
  const bool whole = record.operation == Operation::put || record.operation == Operation::post;
  if (declaration == nullptr) return std::nullopt;
  if (!declaration->ledger) {
    if (!whole) return std::nullopt;
    return violation_of(*declaration, record.value, "");
  }
  if (record.operation != Operation::post)
    return record.collection + " is a ledger, whose entries are posted and stay";
  const auto entry =
      record::parse_entry(*declaration->ledger, record.key, json::to_text(record.value));
  if (!entry) return entry.error().message;
  const json::Value* data = record.value.find("data");
  if (data == nullptr) return std::nullopt;
  return violation_of(*declaration, *data, "/data");
}

}  // namespace mainstay::integration
