#include <gmock/gmock.h>

#include "runtime/api/request_parts.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;

constexpr const char* a1 = "/v1/collections/orders/records/A-1";

class OperationsTest : public testing::Test, protected ApiFixture {
 protected:
  OperationsTest() { backend.declare("orders"); }

  http::Response fence(const std::string& id) {
    return ask(Method::post, "/v1/operations/" + id + "/fence");
  }
};

TEST_F(OperationsTest, AFencedOperationNeverHappens) {
  const auto fenced = fence("op-1");
  EXPECT_EQ(fenced.status, 200) << fenced.body.view();
  EXPECT_EQ(fenced.body.view(), R"({"operation":"op-1","state":"fenced"})");
  EXPECT_EQ(fence("op-1").body.view(), fenced.body.view()) << "may be repeated";
  const auto late = ask(Method::put, a1, "1", {{"Idempotency-Key", "op-1"}});
  EXPECT_EQ(problem_of(late), "operation_fenced");
  EXPECT_EQ(ask(Method::get, a1).status, 404);
  EXPECT_EQ(body_of(ask(Method::get, "/v1/operations/op-1")).at("state"), "fenced");
}

TEST_F(OperationsTest, AFenceThatComesTooLateTellsTheOutcome) {
  ask(Method::put, a1, "1", {{"Idempotency-Key", "op-1"}});
  const auto committed = body_of(fence("op-1"));
  EXPECT_EQ(committed.at("state"), "committed");
  EXPECT_EQ(committed.at("revision"), 2);
  ask(Method::put, a1, "1", {{"Idempotency-Key", "op-2"}, {"If-None-Match", "*"}});
  const auto refused = body_of(fence("op-2"));
  EXPECT_EQ(refused.at("state"), "refused");
  EXPECT_EQ(refused.at("error"), "precondition_failed");
  EXPECT_EQ(ask(Method::get, a1).body.view(), "1");
}

TEST_F(OperationsTest, IdsMayHoldASlash) {
  const auto fenced = fence("load-7%2F3");
  EXPECT_EQ(body_of(fenced).at("operation"), "load-7/3");
  EXPECT_EQ(body_of(ask(Method::get, "/v1/operations/load-7%2F3")).at("state"), "fenced");
}

TEST_F(OperationsTest, BadFencesAreRefused) {
  EXPECT_EQ(problem_of(fence(std::string(129, 'x'))), "invalid_argument");
  EXPECT_EQ(problem_of(fence("a%0ab")), "invalid_argument");
  EXPECT_EQ(problem_of(ask(Method::post, "/v1/operations/a/fence?x=1")), "invalid_argument");
  EXPECT_EQ(problem_of(ask(Method::post, "/v1/operations/a/fence", "{}")), "invalid_argument");
  EXPECT_TRUE(backend.commands.empty());
  backend.refusal = Error{Errc::outcome_unknown, "no answer in time"};
  EXPECT_EQ(problem_of(fence("op-1")), "outcome_unknown");
}

}  // namespace
}  // namespace mainstay::api
