#include "runtime/integration/hub.hpp"

#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "runtime/base/limits.hpp"
#include "runtime/record/declaration.hpp"
#include "runtime/record/ledger.hpp"

namespace mainstay::integration {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file{path};
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> index_names(const record::Declaration& declaration) {
  std::vector<std::string> names;
  for (const record::IndexDeclaration& index : declaration.indexes) names.push_back(index.name);
  return names;
}

TEST(HubCollections, CanBeDeclared) {
  std::set<std::string> names;
  for (const DeclaredCollection& one : hub_collections()) {
    const auto declaration = record::parse_declaration(one.declaration);
    ASSERT_TRUE(declaration) << one.name << ": " << declaration.error().message;
    EXPECT_EQ(one.name.substr(0, hub_prefix.size()), hub_prefix);
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    if (one.name == hub::inbox) {
      EXPECT_THAT(index_names(*declaration), testing::ElementsAre("subject", "trace"));
    }
    if (one.name == hub::effects) {
      EXPECT_THAT(index_names(*declaration),
                  testing::ElementsAre("open", "subject", "trace", "state"));
    }
  }
  EXPECT_EQ(names.size(), 11U);
}

TEST(CanonicalCollections, CanBeDeclaredAndEachIsItsFile) {
  std::set<std::string> names;
  for (const DeclaredCollection& one : canonical_collections()) {
    const auto declaration = record::parse_declaration(one.declaration);
    ASSERT_TRUE(declaration) << one.name << ": " << declaration.error().message;
    EXPECT_NE(declaration->schema, nullptr) << one.name;
    EXPECT_FALSE(declaration->description.empty()) << one.name;
    names.insert(one.name);
    auto file = json::parse(read_file("schemas/records/" + one.name + ".json")).value();
    EXPECT_TRUE(file.erase("name"));
    EXPECT_EQ(file, json::parse(one.declaration).value()) << one.name;
  }
  for (const char* name : {"items", "parties", "locations", "orders", "purchase_orders",
                           "shipments", "receipts", "production_orders", "production_reports",
                           "quality_results", "lot_status", "stock_observations", "stock_moves"})
    EXPECT_EQ(names.count(name), 1U) << name;
}

// config/examples/records/<collection>.json: {"valid": {key: value}, "invalid": [{"why", "value"}]}
TEST(CanonicalCollections, ExamplesAreJudgedAsTheySay) {
  for (const DeclaredCollection& one : canonical_collections()) {
    const auto declaration = record::parse_declaration(one.declaration).value();
    const auto examples =
        json::parse(read_file("config/examples/records/" + one.name + ".json")).value();
    ASSERT_NE(examples.find("valid"), nullptr) << one.name;
    const auto verdict = [&](const std::string& key, const json::Value& value) -> std::string {
      const json::Value* checked = &value;
      if (declaration.ledger) {
        const auto entry = record::parse_entry(*declaration.ledger, key, json::to_text(value));
        if (!entry) return entry.error().message;
        checked = value.find("data");
        if (checked == nullptr) return "";
      }
      const auto violation = declaration.schema->check(*checked);
      return violation ? "at '" + violation->pointer + "': " + violation->message : "";
    };
    EXPECT_FALSE(examples.find("valid")->members().empty()) << one.name;
    for (const auto& [key, value] : examples.find("valid")->members())
      EXPECT_EQ(verdict(key, value), "") << one.name << "/" << key;
    EXPECT_FALSE(examples.find("invalid")->items().empty()) << one.name;
    for (const json::Value& item : examples.find("invalid")->items())
      EXPECT_THAT(verdict("x", *item.find("value")), testing::HasSubstr(item.find("why")->text()))
          << one.name;
  }
}

TEST(KeyPart, EscapesWhatKeysCannotHold) {
  EXPECT_EQ(key_part("SO-1"), "SO-1");
  EXPECT_EQ(key_part("a/b%c\n"), "a%2Fb%25c%0A");
  EXPECT_EQ(key_part("Größe 5 €"), "Größe 5 €");
  EXPECT_EQ(key_part("\xc2\x85"), "%C2%85") << "a control character of Latin 1";
  EXPECT_EQ(key_part("\xff\xc3"), "%FF%C3") << "no UTF-8";
  EXPECT_EQ(key_part("\xed\xa0\x80"), "%ED%A0%80") << "a surrogate";
  EXPECT_EQ(key_part(""), "");
}

TEST(KeyPart, LongOnesEndInAHash) {
  const std::string a(500, 'a');
  EXPECT_EQ(key_part(a).size(), limits::key_part_bytes_max);
  EXPECT_NE(key_part(a), key_part(a + "b"));
  EXPECT_EQ(key_part(a), key_part(a));
  std::string euros;
  for (int i = 0; i < 100; ++i) euros += "€";
  EXPECT_LE(key_part(euros).size(), limits::key_part_bytes_max);
  EXPECT_EQ(key_part(key_part(euros)).find("%E2"), std::string::npos) << "no character is cut";
  for (std::size_t shift = 0; shift < 3; ++shift) {
    const std::string part = key_part(std::string(shift, 'a') + std::string(100, '/'));
    const std::string kept = part.substr(0, part.find("%~"));
    EXPECT_EQ((kept.size() - shift) % 3, 0U) << "no escape is cut: " << part;
  }
}

TEST(KeyPart, DifferentTextsHaveDifferentParts) {
  EXPECT_TRUE(rc::check([](const std::string& a, const std::string& b) {
    RC_ASSERT((a == b) == (key_part(a) == key_part(b)));
    RC_ASSERT(key_part(a).find('/') == std::string::npos);
  }));
  // What an escape looks like is itself escaped.
  EXPECT_NE(key_part("%2F"), key_part("/"));
}

}  // namespace
}  // namespace mainstay::integration
