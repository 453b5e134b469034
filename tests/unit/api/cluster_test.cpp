#include <gmock/gmock.h>

#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;
using Kind = AdminCommand::Kind;

class ClusterTest : public testing::Test, protected ApiFixture {};

TEST_F(ClusterTest, ShowsStateAndMembers) {
  ClusterView& view = backend.cluster_view;
  view.cluster.words = {1, 2};
  view.formed = true;
  view.self = NodeId{1};
  view.incarnation = Incarnation{0xffffffffffffffff};
  view.role = "leader";
  view.term = 7;
  MemberView seen;
  seen.id = NodeId{1};
  seen.voter = true;
  seen.peer_address = "p:1";
  seen.match = 10;
  view.members = {seen};
  const auto body = body_of(ask(Method::get, "/v1/cluster"));
  EXPECT_EQ(body.at("cluster"), "00000000000000010000000000000002");
  EXPECT_EQ(body.at("incarnation"), "18446744073709551615") << "beyond 53 bits: text";
  EXPECT_TRUE(body.at("leader").is_null());
  EXPECT_EQ(body.at("term"), 7);
  const auto& member = body.at("members").as_array().at(0).as_object();
  EXPECT_EQ(member.at("role"), "voter");
  EXPECT_EQ(member.at("peer_address"), "p:1");
  EXPECT_EQ(member.at("match"), 10);
  view.leader = NodeId{3};
  EXPECT_EQ(body_of(ask(Method::get, "/v1/cluster")).at("leader"), 3);
}

TEST_F(ClusterTest, MembersAreAddedPromotedAndRemoved) {
  const auto added = ask(Method::post, "/v1/cluster/members",
                         R"({"id":4,"peer_address":"h:1","api_address":"h:2","incarnation":"77"})");
  EXPECT_EQ(added.status, 200);
  EXPECT_EQ(body_of(added).at("result"), "done \"so\"");
  ASSERT_EQ(ask(Method::post, "/v1/cluster/members/4/promote").status, 200);
  ASSERT_EQ(ask(Method::remove, "/v1/cluster/members/4").status, 200);
  ASSERT_EQ(backend.admin.size(), 3U);
  EXPECT_EQ(backend.admin[0].kind, Kind::add_member);
  EXPECT_EQ(backend.admin[0].node, NodeId{4});
  EXPECT_EQ(backend.admin[0].incarnation, Incarnation{77});
  EXPECT_EQ(backend.admin[0].peer_address, "h:1");
  EXPECT_EQ(backend.admin[0].api_address, "h:2");
  EXPECT_EQ(backend.admin[1].kind, Kind::promote_member);
  EXPECT_EQ(backend.admin[2].kind, Kind::remove_member);
  EXPECT_EQ(backend.admin[2].node, NodeId{4});
}

TEST_F(ClusterTest, LeadershipIsTransferredAndNodesAreDrained) {
  EXPECT_EQ(ask(Method::post, "/v1/cluster/transfer").status, 200);
  EXPECT_EQ(ask(Method::post, "/v1/cluster/transfer", R"({"to":2})").status, 200);
  EXPECT_EQ(ask(Method::post, "/v1/nodes/3/drain", "", {{"Mainstay-Deadline-Ms", "900"}}).status,
            200);
  ASSERT_EQ(backend.admin.size(), 3U);
  EXPECT_FALSE(backend.admin[0].node);
  EXPECT_EQ(backend.admin[1].node, NodeId{2});
  EXPECT_EQ(backend.admin[2].kind, Kind::drain);
  EXPECT_EQ(backend.last_deadline - clock.monotonic(), Millis{900});
}

TEST_F(ClusterTest, BadCommandsAreRefusedBeforeTheyRun) {
  const std::vector<std::pair<std::string, std::string>> posts{
      {"/v1/cluster/members", ""},
      {"/v1/cluster/members", "[]"},
      {"/v1/cluster/members", R"({"peer_address":"h:1","api_address":"h:2"})"},
      {"/v1/cluster/members", R"({"id":0,"peer_address":"h:1","api_address":"h:2"})"},
      {"/v1/cluster/members", R"({"id":"4","peer_address":"h:1","api_address":"h:2"})"},
      {"/v1/cluster/members", R"({"id":4.5,"peer_address":"h:1","api_address":"h:2"})"},
      {"/v1/cluster/members", R"({"id":4,"api_address":"h:2"})"},
      {"/v1/cluster/members", R"({"id":4,"peer_address":"h","api_address":"h:2"})"},
      {"/v1/cluster/members", R"({"id":4,"peer_address":"h:1","api_address":"h:2","x":1})"},
      {"/v1/cluster/members",
       R"({"id":4,"peer_address":"h:1","api_address":"h:2","incarnation":"z"})"},
      {"/v1/cluster/members/0/promote", ""},
      {"/v1/cluster/members/x/promote", ""},
      {"/v1/cluster/members/65536/promote", ""},
      {"/v1/cluster/members/1/promote", R"({"to":2})"},
      {"/v1/cluster/transfer", R"({"node":2})"},
      {"/v1/cluster/transfer", R"({"to":-2})"},
      {"/v1/cluster/transfer?to=2", ""},
      {"/v1/nodes/1e3/drain", ""}};
  for (const auto& [target, body] : posts)
    EXPECT_EQ(problem_of(ask(Method::post, target, body)), "invalid_argument") << target << body;
  EXPECT_TRUE(backend.admin.empty());
  backend.refusal = Error{Errc::conflict, "another change is under way"};
  const auto refused = ask(Method::remove, "/v1/cluster/members/2");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(body_of(refused).at("detail"), "another change is under way");
}

TEST_F(ClusterTest, HealthListsItsChecks) {
  EXPECT_EQ(ask(Method::get, "/livez").status, 200);
  EXPECT_EQ(body_of(ask(Method::get, "/readyz")).at("status"), "ok");
  backend.ready_checks[1] = {"disk", false, "1 MiB free"};
  const auto failing = ask(Method::get, "/readyz");
  EXPECT_EQ(failing.status, 503);
  EXPECT_EQ(failing.body.view(),
            R"({"status":"failing","checks":[{"name":"leader","ok":true,"detail":""},)"
            R"({"name":"disk","ok":false,"detail":"1 MiB free"}]})");
  EXPECT_EQ(ask(Method::get, "/livez").status, 200);
  EXPECT_EQ(ask(Method::get, "/startupz").status, 200);
  backend.is_started = false;
  EXPECT_EQ(ask(Method::get, "/startupz").status, 503);
}

TEST_F(ClusterTest, MetricsAreText) {
  const auto metrics = ask(Method::get, "/metrics");
  EXPECT_EQ(metrics.body.view(), "mainstay_up 1\n");
  EXPECT_EQ(metrics.content_type, "text/plain; version=0.0.4; charset=utf-8");
  backend.refusal = Error{Errc::deadline_exceeded, "too slow"};
  EXPECT_EQ(ask(Method::get, "/metrics").status, 504);
  http::Router without;
  ApiOptions options;
  options.metrics = false;
  add_routes(without, backend, clock, options);
  for (const auto& route : without.routes()) EXPECT_NE(route.pattern, "/metrics");
}

}  // namespace
}  // namespace mainstay::api
