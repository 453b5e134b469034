// The tool's collections, patches, history, feed, transactions, ledgers, operations and tokens,
// against the API over the real state machine.
#include "tests/unit/daemon/tool/fake_node.hpp"

namespace mainstay::tool {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr const char* stock =
    R"({"kind":"ledger","ledger":{"dimensions":["item","location"],"scale":1,)"
    R"("never_below":"0","except":[{"location":"SUPPLIER"}]}})";

using DataTest = ToolTest;

TEST_F(DataTest, CollectionsAreDeclaredShownListedAndDeleted) {
  EXPECT_EQ(ok({"collection", "declare", "parts", R"({"indexes":[{"name":"x","pointer":"/x"}]})"}),
            "declared parts: version 1\n");
  node_.backend.tick();
  EXPECT_THAT(ok({"collection", "show", "parts"}),
              testing::AllOf(HasSubstr("records      0"), HasSubstr("indexes      x\n")));
  EXPECT_EQ(ok({"collection", "list"}),
            "COLLECTION  KIND      VERSION  RECORDS  BYTES\n"
            "c           document  1        0        0\n"
            "orders      document  1        0        0\n"
            "parts       document  1        0        0\n");
  ok({"put", "parts", "k", R"({"x":1})"});
  EXPECT_EQ(tool({"collection", "delete", "parts"}).code, 4);
  EXPECT_EQ(tool({"collection", "delete", "parts", "--plan"}).code, 4);
  EXPECT_EQ(ok({"list", "parts", "--index", "x", "--value", "1", "--json"}),
            "{\"key\":\"k\",\"version\":1,\"revision\":5,\"value\":{\"x\":1}}\n");
  ok({"delete", "parts", "k"});
  EXPECT_EQ(ok({"collection", "delete", "parts"}), "deleted collection parts\n");
  EXPECT_EQ(tool({"collection", "show", "parts"}).code, 3);
  EXPECT_EQ(tool({"collection", "declare", "bad", R"({"kind":"tree"})"}).code, 2);
  EXPECT_EQ(tool({"put", "undeclared", "k", "1"}).code, 3);
}

TEST_F(DataTest, PatchesAndHistory) {
  ok({"put", "c", "k", R"({"a":1.50,"b":2})"});
  EXPECT_EQ(ok({"patch", "c", "k", R"({"b":null,"c":3})"}), "changed c/k: version 2, revision 4\n");
  EXPECT_EQ(ok({"get", "c", "k"}), "{\"a\":1.50,\"c\":3}\n") << "numbers keep their digits";
  EXPECT_EQ(ok({"get", "c", "k", "--revision", "3"}), "{\"a\":1.50,\"b\":2}\n");
  ok({"delete", "c", "k"});
  const std::string history = ok({"history", "c", "k"});
  EXPECT_THAT(history, HasSubstr("VERSION  REVISION  TIME"));
  EXPECT_THAT(history, HasSubstr("\n3        5         2023-11-14T22:13:20.000Z  delete  -\n2"));
  EXPECT_THAT(ok({"history", "c", "k", "--limit", "1", "--json"}), StartsWith("{\"version\":3,"));
}

TEST_F(DataTest, WatchShowsEachChangeOnce) {
  for (int i = 0; i < 3; ++i) ok({"put", "orders", "k" + std::to_string(i), "1"});
  ok({"put", "c", "other", "1"});
  const std::string all = ok({"watch", "--after", "0", "--end"});
  EXPECT_THAT(all, HasSubstr("3\t2023-11-14T22:13:20.000Z\tput\torders/k0\t1\n4\t"));
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 4);
  const std::string some = ok({"watch", "orders", "--after", "3", "--end", "--json"});
  EXPECT_EQ(std::count(some.begin(), some.end(), '\n'), 2);
  EXPECT_EQ(ok({"watch", "orders", "--after", "3", "--count", "1"}),
            "4\t2023-11-14T22:13:20.000Z\tput\torders/k1\t1\n");
}

TEST_F(DataTest, TransactionsAreAllOrNothing) {
  EXPECT_EQ(ok({"txn", "-"}, R"({"operations":[
      {"put":{"collection":"c","key":"a","value":1}},
      {"put":{"collection":"c","key":"b","value":2}}]})"),
            "committed 2 operations: revision 3\n");
  const Ran refused = tool({"txn", R"({"conditions":[{"collection":"c","key":"a","version":9}],
      "operations":[{"delete":{"collection":"c","key":"b"}}]})"});
  EXPECT_EQ(refused.code, 4);
  EXPECT_THAT(refused.err, HasSubstr("/conditions/0"));
  EXPECT_EQ(ok({"get", "c", "b"}), "2\n");
}

TEST_F(DataTest, LedgersArePostedListedAndSummed) {
  ok({"collection", "declare", "stock", stock});
  EXPECT_EQ(ok({"ledger", "post", "stock",
                R"({"id":"R-1","quantity":"5","item":"A","from":{"location":"SUPPLIER"},)"
                R"("to":{"location":"R1"}})"}),
            "posted stock/R-1\nrevision 5\n");
  EXPECT_THAT(ok({"ledger", "post", "stock",
                  R"({"id":"R-1","quantity":"5.0","item":"A","from":{"location":"SUPPLIER"},)"
                  R"("to":{"location":"R1"}})"}),
              StartsWith("was there already: stock/R-1\n"));
  const Ran guarded = tool({"ledger", "post", "stock",
                            R"({"id":"M-1","quantity":"6","item":"A","from":{"location":"R1"},)"
                            R"("to":{"location":"R2"}})"});
  EXPECT_EQ(guarded.code, 4);
  EXPECT_THAT(ok({"ledger", "entries", "stock"}), HasSubstr("R-1  5"));
  EXPECT_EQ(ok({"ledger", "balances", "stock", "location=R1"}),
            "item  location  QUANTITY  REVISION\nA     R1        5.0       5\n");
  EXPECT_THAT(ok({"ledger", "balances", "stock", "--by", "item", "--json"}),
              HasSubstr("\"quantity\":\"0.0\""));
}

TEST_F(DataTest, OperationsAreToldAndFenced) {
  ok({"put", "c", "k", "1", "--operation", "op-1"});
  EXPECT_EQ(ok({"op", "status", "op-1"}), "committed: version 1, revision 3\n");
  EXPECT_EQ(tool({"op", "status", "op-2"}).code, 3);
  EXPECT_EQ(ok({"op", "fence", "op-1"}), "committed: version 1, revision 3\n");
  EXPECT_EQ(ok({"op", "fence", "op-2"}), "fenced\n");
  const Ran late = tool({"put", "c", "k", "2", "--operation", "op-2"});
  EXPECT_EQ(late.code, 4);
  EXPECT_THAT(late.err, HasSubstr("operation_fenced"));
}

class TokenTest : public testing::Test {
 protected:
  Ran tool(std::vector<std::string> arguments, const std::string& token) {
    return run_tool(arguments,
                    {{"MAINSTAY_ENDPOINTS", node_->address()}, {"MAINSTAY_TOKEN", token}});
  }
  void start(const std::string& bootstrap_hash) {
    api::ApiOptions options;
    options.bootstrap_token_hash = bootstrap_hash;
    node_ = std::make_unique<FakeNode>(options);
  }
  std::unique_ptr<FakeNode> node_;
};

TEST_F(TokenTest, TheFirstTokenMakesTheOthers) {
  const auto made = boost::json::parse(run_tool({"token", "bootstrap", "--json"}).out);
  const std::string admin = made.at("token").as_string().c_str();
  EXPECT_THAT(admin, MatchesRegex("mst_[a-z0-9]{8}_[A-Za-z0-9_-]{43}"));
  start(made.at("bootstrap_token_hash").as_string().c_str());
  EXPECT_EQ(tool({"get", "c", "k"}, "").code, 7) << "no token";
  EXPECT_EQ(tool({"get", "c", "k"}, "mst_abcdefgh_" + std::string(43, 'x')).code, 7);

  const Ran created = tool({"token", "create", "wms", "--role", "writer", "--collection", "orders",
                            "--expires", "2036-01-01T00:00:00Z"},
                           admin);
  EXPECT_EQ(created.code, 0) << created.err;
  std::string writer = created.out;
  writer.pop_back();
  EXPECT_EQ(tool({"put", "orders", "k", "1"}, writer).code, 0);
  EXPECT_EQ(tool({"put", "c", "k", "1"}, writer).code, 7) << "not granted";
  EXPECT_EQ(tool({"token", "list"}, writer).code, 7) << "not its role";

  const Ran list = tool({"token", "list"}, admin);
  EXPECT_THAT(list.out, HasSubstr("wms"));
  EXPECT_THAT(list.out, HasSubstr("[\"orders\"]"));
  EXPECT_THAT(tool({"audit"}, admin).out, HasSubstr("WHEN"));
  EXPECT_EQ(tool({"audit", "--json", "--limit", "1"}, admin).code, 0);
  const std::string id = writer.substr(4, 8);
  EXPECT_EQ(tool({"token", "delete", id}, admin).out, "deleted token " + id + "\n");
  EXPECT_EQ(tool({"put", "orders", "k", "1"}, writer).code, 7) << "taken back";
}

}  // namespace
}  // namespace mainstay::tool
