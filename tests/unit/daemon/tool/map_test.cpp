// map test, which needs no node.
#include "tests/unit/daemon/tool/fake_node.hpp"

namespace mainstay::tool {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* rules = R"({"mapping":"erp-order","version":3,
  "when":{"value":"/state","exists":true},
  "records":[{"collection":"orders","key":{"$key":[{"$context":"adapter"},"/no"]},
              "sequence":"/rev","value":{"order":"/no","status":"/state"}},
             {"collection":"old","operation":"remove","key":"/no","when":{"value":"/old","exists":true}}],
  "effects":[{"type":"ask","key":{"$format":"ask/{/no}"},"subject":"/no","document":{"no":"/no"},
              "when":{"value":"/ask","exists":true}}],
  "trace":"/no"})";

class MapTest : public ToolTest {
 protected:
  Ran map(const std::string& document, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"map", "test", write_file("rules.json", rules), "-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tool(arguments, {}, document);
  }
};

TEST_F(MapTest, TellsWhatAMappingMakes) {
  const Ran made = map(R"({"no":"SO-1","state":"draft","rev":2,"old":1,"ask":1,"note":"x"})");
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(made.out,
            "put orders/test/SO-1, sequence 2\n"
            "  {\"order\":\"SO-1\",\"status\":\"draft\"}\n"
            "remove old/SO-1\n"
            "effect ask ask/SO-1, subject SO-1\n"
            "  {\"no\":\"SO-1\"}\n"
            "trace SO-1\n"
            "unmapped /note\n");
  const Ran json = map(R"({"no":"SO-1","state":"draft","x/y":1})", {"--json", "--adapter", "erp"});
  EXPECT_EQ(json.out,
            R"({"mapping":"erp-order","version":3,"records":[{"operation":"put",)"
            R"("collection":"orders","key":"erp/SO-1","value":{"order":"SO-1","status":"draft"}}],)"
            R"("effects":[],"unmapped":["/x~1y"],"trace":"SO-1"})"
            "\n");
  EXPECT_EQ(map("{}").out, "nothing: the mapping does not want this document\n");
}

TEST_F(MapTest, TheExitCodeTellsTheKindOfFailure) {
  EXPECT_EQ(map(R"({"no":"1","state":"draft","note":"x"})", {"--strict"}).code, 1);
  EXPECT_EQ(map(R"({"no":"1","state":"draft"})", {"--strict"}).code, 0);
  const Ran violation = map(R"({"no":"1","state":"done"})");
  EXPECT_EQ(violation.code, 7);
  EXPECT_THAT(violation.out, HasSubstr("  violation: at '/status': is none of "));
  const Ran refused = map(R"({"state":"done"})");
  EXPECT_EQ(refused.code, 7);
  EXPECT_THAT(refused.out, StartsWith("refused: at '': records[0].key: "));
  EXPECT_EQ(map("{").code, 2);
  const std::string bad = write_file("bad.json", R"({"mapping":"m","version":1,"rules":[]})");
  const Ran wrong = run_tool({"map", "test", bad, "-"}, {}, "{}");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("bad.json: the mapping: there is no member 'rules'"));
  EXPECT_EQ(run_tool({"map", "test", path("none.json"), "-"}, {}, "{}").code, 3);
}

// docs/integration/mapping.md begins with these.
TEST_F(MapTest, TheExamplesMapWholly) {
  for (const char* name : {"erp-order", "wms-shipment"}) {
    const std::string at = std::string{"config/examples/mappings/"} + name;
    const Ran made = run_tool(
        {"map", "test", at + ".json", at + ".document.json", "--strict", "--adapter", "erp"});
    EXPECT_EQ(made.code, 0) << name << ": " << made.out << made.err;
  }
}

}  // namespace
}  // namespace mainstay::tool
