// The tool's records, members and status, against real HTTP servers over the API's fake backend.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/unit/daemon/tool/fake_node.hpp"

namespace mainstay::tool {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(ToolTest, PutsGetsAndDeletes) {
  const Ran put = tool({"put", "orders", "A/1", R"({"n":1})"});
  EXPECT_EQ(put.code, 0) << put.err;
  EXPECT_EQ(put.out, "created orders/A/1: version 1, revision 3\n");
  EXPECT_EQ(tool({"get", "orders", "A/1"}).out, "{\"n\":1}\n");
  EXPECT_EQ(tool({"get", "orders", "A/1", "--json"}).out,
            "{\"key\":\"A/1\",\"version\":1,\"revision\":3,\"value\":{\"n\":1}}\n");
  EXPECT_EQ(tool({"put", "orders", "A/1", "-"}, "2").out,
            "replaced orders/A/1: version 2, revision 4\n");
  EXPECT_EQ(tool({"delete", "orders", "A/1"}).out, "deleted orders/A/1: version 3, revision 5\n");
  const Ran gone = tool({"get", "orders", "A/1"});
  EXPECT_EQ(gone.code, 3);
  EXPECT_THAT(gone.err, HasSubstr("holds no record 'A/1' (not_found)"));
  EXPECT_EQ(gone.out, "");
}

TEST_F(ToolTest, ConditionsAndOperationIdsAreSent) {
  EXPECT_EQ(tool({"put", "c", "k", "1", "--if-exists"}).code, 4);
  EXPECT_EQ(tool({"put", "c", "k", "1", "--if-absent", "--operation", "op"}).code, 0);
  const Ran again = tool({"put", "c", "k", "1", "--if-absent", "--operation", "op", "--json"});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.out, HasSubstr("\"replayed\":true"));
  EXPECT_EQ(tool({"put", "c", "k", "2", "--operation", "op"}).code, 4);
  EXPECT_EQ(tool({"put", "c", "k", "2", "--if-version", "7"}).code, 4);
  EXPECT_EQ(tool({"delete", "c", "k", "--if-version", "1"}).code, 0);
  EXPECT_EQ(tool({"operation", "op"}).out, "committed: version 1, revision 3\n");
  EXPECT_EQ(tool({"operation", "none"}).code, 3);
}

TEST_F(ToolTest, ListsPageByPage) {
  for (int i = 0; i < 5; ++i) tool({"put", "c", "k" + std::to_string(i), std::to_string(i)});
  const Ran some = tool({"list", "c", "--limit", "2"});
  EXPECT_EQ(some.out, "KEY\tVERSION\tREVISION\tVALUE\nk0\t1\t3\t0\nk1\t1\t4\t1\n");
  EXPECT_THAT(some.err, HasSubstr("--after 'k1'"));
  const Ran rest = tool({"list", "c", "--after", "k1", "--all", "--json"});
  EXPECT_EQ(rest.out,
            "{\"key\":\"k2\",\"version\":1,\"revision\":5,\"value\":2}\n"
            "{\"key\":\"k3\",\"version\":1,\"revision\":6,\"value\":3}\n"
            "{\"key\":\"k4\",\"version\":1,\"revision\":7,\"value\":4}\n");
  EXPECT_EQ(rest.err, "");
  EXPECT_EQ(tool({"list", "c", "--prefix", "k3", "--level", "local", "--json"}).out,
            "{\"key\":\"k3\",\"version\":1,\"revision\":6,\"value\":3}\n");
}

TEST_F(ToolTest, AWriteGoesToTheNextEndpointUnderTheSameOperationId) {
  FakeNode second;
  node_.backend.refusal = Error{Errc::outcome_unknown, "planted"};
  const Ran put = run_tool({"put", "c", "k", "1", "--endpoint", closed_address(), "--endpoint",
                            "http://" + node_.address() + "/", "--endpoint", second.address()});
  EXPECT_EQ(put.code, 0) << put.err;
  ASSERT_EQ(node_.backend.commands.size(), 1U);
  ASSERT_EQ(second.backend.commands.size(), 1U);
  EXPECT_EQ(node_.backend.commands[0].operation, second.backend.commands[0].operation);
  EXPECT_EQ(node_.backend.commands[0].request_hash, second.backend.commands[0].request_hash);
}

// Takes connections and says nothing, as a stopped process does.
class HungNode {
 public:
  HungNode() : fd_{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_, generic, size), 0);
    EXPECT_EQ(::listen(fd_, 8), 0);
    EXPECT_EQ(::getsockname(fd_, generic, &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~HungNode() { ::close(fd_); }
  HungNode(const HungNode&) = delete;
  HungNode& operator=(const HungNode&) = delete;
  const std::string& address() const { return address_; }

 private:
  int fd_;
  std::string address_;
};

TEST_F(ToolTest, AHungNodeLeavesTimeForTheOthers) {
  const HungNode hung;
  const Ran put = run_tool({"put", "c", "k", "1", "--deadline", "1s", "--endpoint", hung.address(),
                            "--endpoint", node_.address()});
  EXPECT_EQ(put.code, 0) << put.err;
  EXPECT_EQ(
      run_tool({"put", "c", "k", "1", "--deadline", "20ms", "--endpoint", hung.address()}).code, 6);
  EXPECT_EQ(run_tool({"get", "c", "k", "--deadline", "20ms", "--endpoint", hung.address()}).code,
            5);
}

TEST_F(ToolTest, OptionsMayStandAnywhere) {
  EXPECT_EQ(run_tool({"--endpoint", node_.address(), "put", "c", "k", "1"}).code, 0);
  EXPECT_EQ(run_tool({"put", "--endpoint", node_.address(), "--json", "c", "k", "2"}).code, 0);
  EXPECT_EQ(run_tool({"get", "c", "k", "--endpoint=" + node_.address()}).out, "2\n");
  EXPECT_EQ(tool({"put", "c", "k", "--", "-3"}).code, 0) << "a negative number";
}

TEST_F(ToolTest, AnUnknownOutcomeNamesTheOperation) {
  node_.backend.refusal = Error{Errc::outcome_unknown, "planted"};
  const Ran put = tool({"put", "c", "k", "1", "--operation", "op-5", "--deadline", "60ms"});
  EXPECT_EQ(put.code, 6);
  EXPECT_THAT(put.err, HasSubstr("mainstay operation op-5"));
  EXPECT_GE(node_.backend.commands.size(), 2U) << "repeated until the deadline";
}

TEST_F(ToolTest, NobodyThereAndNotReadyAreToldApartFromRefusals) {
  const Ran nobody =
      run_tool({"get", "c", "k", "--endpoint", closed_address(), "--deadline", "50ms"});
  EXPECT_EQ(nobody.code, 5);
  EXPECT_THAT(nobody.err, HasSubstr("cannot be reached"));
  node_.backend.refusal = Error{Errc::not_ready, "no leader yet"};
  const Ran waiting = tool({"put", "c", "k", "1", "--deadline", "50ms", "--json"});
  EXPECT_EQ(waiting.code, 5);
  EXPECT_EQ(waiting.out, "");
  EXPECT_EQ(boost::json::parse(waiting.err).at("error"), "not_ready");
  node_.backend.refusal = Error{Errc::storage_full, "planted"};
  const auto before = node_.backend.commands.size();
  EXPECT_EQ(tool({"put", "c", "k", "1"}).code, 5);
  EXPECT_EQ(node_.backend.commands.size(), before + 1) << "a definite refusal is not repeated";
}

TEST_F(ToolTest, MembersAndLeadership) {
  node_.backend.cluster_view.members = {member_view(1, 9, true, "p:1", "a:1", true)};
  EXPECT_EQ(tool({"member", "list"}).out,
            "NODE  ROLE   PEER  API  INCARNATION\n1     voter  p:1   a:1  9\n");
  EXPECT_THAT(tool({"member", "list", "--json"}).out, StartsWith("[{\"id\":1,"));
  FakeNode fourth;
  fourth.backend.cluster_view.incarnation = Incarnation{77};
  EXPECT_EQ(tool({"member", "add", "4", "h:1", fourth.address()}).out, "done \"so\"\n");
  EXPECT_EQ(tool({"member", "add", "4", "h:1", closed_address(), "--deadline", "50ms"}).code, 5);
  EXPECT_EQ(tool({"member", "promote", "4"}).code, 0);
  EXPECT_EQ(tool({"member", "remove", "4", "--json"}).out, "{\"result\":\"done \\\"so\\\"\"}\n");
  EXPECT_EQ(tool({"transfer", "--to", "2"}).code, 0);
  EXPECT_EQ(tool({"transfer"}).code, 0);
  EXPECT_EQ(tool({"drain", "3"}).code, 3) << "not a member";
  FakeNode third;
  node_.backend.cluster_view.members.push_back(
      member_view(3, 3, true, "p:3", third.address(), true));
  EXPECT_EQ(tool({"drain", "3"}).code, 0);
  ASSERT_EQ(third.backend.admin.size(), 1U) << "it is asked itself";
  EXPECT_EQ(third.backend.admin[0].kind, api::AdminCommand::Kind::drain);
  const auto& admin = node_.backend.admin;
  ASSERT_EQ(admin.size(), 5U);
  EXPECT_EQ(admin[0].node, NodeId{4});
  EXPECT_EQ(admin[0].peer_address, "h:1");
  EXPECT_EQ(admin[0].incarnation, Incarnation{77}) << "as the node itself says";
  EXPECT_EQ(admin[2].kind, api::AdminCommand::Kind::remove_member);
  EXPECT_EQ(admin[3].node, NodeId{2});
  EXPECT_FALSE(admin[4].node);
}

TEST_F(ToolTest, ACommandWhoseAnswerIsLostIsNotRepeated) {
  node_.backend.refusal = Error{Errc::deadline_exceeded, "planted"};
  const Ran removed = tool({"member", "remove", "4"});
  EXPECT_EQ(removed.code, 6);
  EXPECT_EQ(node_.backend.admin.size(), 1U);
  node_.backend.refusal = Error{Errc::conflict, "planted"};
  EXPECT_EQ(tool({"member", "remove", "4"}).code, 4);
}

TEST_F(ToolTest, StatusFindsTheOtherNodes) {
  FakeNode second;
  const std::string gone = closed_address();
  api::ClusterView view;
  view.cluster.words = {1, 2};
  view.formed = true;
  view.leader = NodeId{2};
  view.term = 3;
  view.commit = view.revision = 10;
  view.members = {member_view(1, 1, true, "p:1", node_.address(), true),
                  member_view(2, 2, true, "p:2", second.address(), true)};
  view.self = NodeId{1};
  view.role = "follower";
  view.applied = 7;
  node_.backend.cluster_view = view;
  view.self = NodeId{2};
  view.role = "leader";
  view.applied = 10;
  second.backend.cluster_view = view;
  const Ran whole = tool({"status"});
  EXPECT_EQ(whole.code, 0) << whole.out;
  EXPECT_THAT(whole.out, HasSubstr("leader node 2, term 3, revision 10, 2 of 2 nodes ready"));
  EXPECT_THAT(whole.out,
              HasSubstr("1     follower  ready  " + node_.address() + "  7        3       agree"));
  EXPECT_THAT(whole.out, HasSubstr("2     leader    ready  " + second.address()));

  node_.backend.cluster_view.members.push_back(member_view(3, 3, false, "p:3", gone, false));
  second.backend.ready_checks[1].ok = false;
  const Ran degraded = tool({"status", "--watch", "--count", "2", "--interval", "1ms"});
  EXPECT_EQ(degraded.code, 5);
  EXPECT_THAT(degraded.out, HasSubstr("1 of 3 nodes ready"));
  EXPECT_THAT(degraded.out, HasSubstr("not ready: disk"));
  EXPECT_THAT(degraded.out, HasSubstr("unreachable"));
  EXPECT_THAT(degraded.out, Not(HasSubstr("\x1b"))) << "not a terminal";

  const auto document = boost::json::parse(tool({"status", "--json"}).out).as_object();
  EXPECT_EQ(document.at("leader"), 2);
  EXPECT_EQ(document.at("nodes").as_array().size(), 3U);
  EXPECT_EQ(document.at("nodes").as_array()[2].at("state"), "unreachable");
}

TEST_F(ToolTest, StatusOfNobodySaysSo) {
  const Ran status = run_tool({"status", "--endpoint", closed_address()});
  EXPECT_EQ(status.code, 5);
  EXPECT_THAT(status.out, HasSubstr("cannot be reached"));
}

TEST_F(ToolTest, PlansChangeNothing) {
  EXPECT_EQ(ok({"put", "orders", "A", "1", "--plan"}), "would create orders/A\n");
  EXPECT_EQ(tool({"delete", "orders", "A", "--plan"}).code, 3);
  ok({"put", "orders", "A", "1"});
  EXPECT_EQ(ok({"delete", "orders", "A", "--plan", "--json"}),
            "{\"plan\":\"delete orders/A, which is at version \\\"1\\\"\"}\n");
  node_.backend.cluster_view.members = {member_view(1, 9, true, "p:1", "a:1", true)};
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"member", "add", "4", "h:1", "h:2"},
        {"member", "remove", "4"},
        {"member", "promote", "4"},
        {"transfer", "--to", "2"},
        {"drain", "1"},
        {"collection", "declare", "new"},
        {"token", "create", "x"},
        {"op", "fence", "nobody"},
        {"txn", R"({"operations":[]})"},
        {"ledger", "post", "stock", R"({"id":"x"})"}}) {
    auto with_plan = arguments;
    with_plan.emplace_back("--plan");
    EXPECT_THAT(ok(with_plan), StartsWith("would ")) << testing::PrintToString(arguments);
  }
  EXPECT_THAT(ok({"member", "remove", "1", "--plan"}),
              HasSubstr("remove node 1 from the cluster; members now: 1 (voter)"));
  EXPECT_EQ(node_.backend.admin.size(), 0U);
  EXPECT_EQ(node_.backend.commands.size(), 1U) << "the one put";
}

TEST(ToolUsage, MistakesAreExitCode2) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{},
        {"nonsense"},
        {"get", "c"},
        {"put", "c", "k"},
        {"get", "c", "k", "--level", "eventual"},
        {"get", "c", "k", "--endpoint", "nowhere"},
        {"get", "c", "k", "--deadline", "soon"},
        {"member"},
        {"member", "remove", "0"},
        {"drain", "x"},
        {"put", "c", "k", "--file", "/nonexistent/file"},
        {"put", "c", "k", "1", "--file", "x"},
        {"patch", "c", "k"},
        {"collection"},
        {"ledger", "balances", "c", "item"},
        {"import", "c", "f", "--format", "xml"},
        {"bench", "c", "--rate", "0"},
        {"completion", "fish"},
        {"debug", "bundle", "--unit", "a'; b"}}) {
    const Ran ran = run_tool(arguments);
    EXPECT_EQ(ran.code, 2) << testing::PrintToString(arguments) << ran.out << ran.err;
    EXPECT_NE(ran.err, "") << testing::PrintToString(arguments);
  }
}

TEST(ToolUsage, VersionAndHelp) {
  EXPECT_EQ(run_tool({"--version"}).out, "1.2.3\n");
  const Ran help = run_tool({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* command :
       {"status", "doctor",  "collection", "get",       "put",    "patch", "delete",
        "list",   "history", "watch",      "txn",       "ledger", "op",    "operation",
        "import", "export",  "member",     "transfer",  "drain",  "token", "audit",
        "certs",  "bench",   "debug",      "completion"})
    EXPECT_THAT(help.out, HasSubstr(command));
}

class CertsTest : public ToolTest {};

TEST_F(CertsTest, MakesAnAuthorityAndNodes) {
  const Ran init =
      run_tool({"certs", "init-ca", "--directory", path("certs"), "--cluster", "plant"});
  EXPECT_EQ(init.code, 0) << init.err;
  EXPECT_TRUE(std::filesystem::exists(path("certs/ca.pem")));
  EXPECT_TRUE(std::filesystem::exists(path("certs/ca.key")));
  const Ran node = run_tool({"certs", "node", "2", "--directory", path("certs"), "--cluster",
                             "plant", "--host", "localhost", "--host", "127.0.0.1", "--json"});
  EXPECT_EQ(node.code, 0) << node.err;
  const boost::json::value made = boost::json::parse(node.out);
  for (const auto& file : made.at("files").as_array())
    EXPECT_TRUE(std::filesystem::exists(file.as_string().c_str())) << file;
  EXPECT_THAT(run_tool({"certs", "show", path("certs/node-2.pem")}).out,
              StartsWith("cluster plant, node 2, valid "));
  EXPECT_EQ(run_tool({"certs", "init-ca", "--directory", path("certs"), "--cluster", "plant"}).code,
            4)
      << "nothing is overwritten";
  EXPECT_NE(
      run_tool({"certs", "node", "3", "--directory", path("certs"), "--cluster", "other"}).code, 0);
  EXPECT_EQ(run_tool({"certs", "show", path("none.pem")}).code, 3);
}

TEST_F(CertsTest, RotatesAndMakesThoseOfAnApi) {
  const std::string certs = path("certs");
  ok({"certs", "init-ca", "--directory", certs});
  ok({"certs", "node", "2", "--directory", certs, "--host", "a.example"});
  const std::string before = read_file(certs + "/node-2.pem");
  EXPECT_THAT(ok({"certs", "rotate", "2", "--directory", certs, "--plan"}),
              HasSubstr("would replace"));
  EXPECT_EQ(read_file(certs + "/node-2.pem"), before);
  ok({"certs", "rotate", "2", "--directory", certs, "--days", "30"});
  EXPECT_NE(read_file(certs + "/node-2.pem"), before);
  EXPECT_THAT(
      ok({"certs", "show", certs + "/node-2.pem"}),
      testing::AllOf(StartsWith("cluster mainstay, node 2, valid "), HasSubstr("hosts a.example")));
  EXPECT_EQ(run_tool({"certs", "rotate", "3", "--directory", certs}).code, 3);

  ok({"certs", "api", "api", "--directory", certs, "--host", "api.example"});
  EXPECT_THAT(ok({"certs", "show", certs + "/api.pem"}),
              testing::AllOf(StartsWith("no node, valid "), HasSubstr("hosts api.example")));
  EXPECT_EQ(run_tool({"certs", "api", "api", "--directory", certs, "--host", "x"}).code, 4);
  ok({"certs", "api", "api", "--directory", certs, "--renew"});
  EXPECT_THAT(ok({"certs", "show", certs + "/api.pem"}), HasSubstr("hosts api.example"));
}

}  // namespace
}  // namespace mainstay::tool
