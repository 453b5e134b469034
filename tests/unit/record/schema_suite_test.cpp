// The JSON Schema project's own tests (Debian's json-schema-test-suite). Debian has them up to
// draft 7; the keywords we know mean the same in 2020-12, and what differs is named below.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "runtime/record/schema.hpp"

namespace mainstay::record {
namespace {

const std::filesystem::path suite = "/usr/share/json-schema-test-suite/tests/draft7";

// Files about keywords that 2020-12 has under other names, or about other documents.
const std::set<std::string> excluded_files = {
    "additionalItems.json",  // now `items` behind `prefixItems`
    "definitions.json",      // refers to the standard's own schema on the web
    "dependencies.json",     // now dependentRequired and dependentSchemas
    "refRemote.json",        // refers to documents on the web
};

// Groups with such keywords in the files that we run; each of their schemas must be refused.
const std::set<std::string> refused_groups = {
    "items.json: an array of schemas for items",       // now prefixItems
    "items.json: items with boolean schemas",          // the same
    "ref.json: relative pointer ref to array",         // array form of items
    "ref.json: escaped pointer ref",                   // a ref into unknown members
    "ref.json: nested refs",                           // definitions
    "ref.json: ref overrides any sibling keywords",    // definitions; not so in 2020-12
    "ref.json: remote ref, containing refs itself",    // the web
    "ref.json: $ref to boolean schema true",           // definitions
    "ref.json: $ref to boolean schema false",          // definitions
    "ref.json: Recursive references between schemas",  // $id below the top
};

json::Value read(const std::filesystem::path& path) {
  std::ifstream file{path};
  std::stringstream text;
  text << file.rdbuf();
  auto value = json::parse(text.str());
  EXPECT_TRUE(value) << path;
  return value ? *std::move(value) : json::Value{};
}

struct Counts {
  int groups = 0;
  int refused = 0;
  int tests = 0;
};

void run_group(const std::string& name, const json::Value& group, Counts& counts) {
  const auto schema = Schema::compile(*group.find("schema"));
  if (refused_groups.count(name) != 0) {
    EXPECT_FALSE(schema) << name;
    ++counts.refused;
    return;
  }
  ASSERT_TRUE(schema) << name << ": " << schema.error().message;
  ++counts.groups;
  for (const json::Value& test : group.find("tests")->items()) {
    ++counts.tests;
    const auto violation = (*schema)->check(*test.find("data"));
    EXPECT_EQ(!violation, test.find("valid")->as_boolean())
        << name << ": " << test.find("description")->text() << "\n"
        << (violation ? violation->message : "");
  }
}

TEST(SchemaSuite, AgreesOnEveryKeywordWeKnow) {
  ASSERT_TRUE(std::filesystem::is_directory(suite))
      << "the package json-schema-test-suite is missing";
  Counts counts;
  for (const auto& file : std::filesystem::directory_iterator{suite}) {
    const std::string name = file.path().filename();
    if (!file.is_regular_file() || excluded_files.count(name) != 0) continue;
    const json::Value groups = read(file.path());
    ASSERT_TRUE(groups.is(json::Type::array));
    for (const json::Value& group : groups.items())
      run_group(name + ": " + group.find("description")->text(), group, counts);
  }
  EXPECT_EQ(counts.refused, static_cast<int>(refused_groups.size()));
  EXPECT_GT(counts.groups, 80);
  EXPECT_GT(counts.tests, 340);
}

}  // namespace
}  // namespace mainstay::record
