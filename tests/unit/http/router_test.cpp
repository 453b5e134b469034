#include "runtime/http/router.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "runtime/base/random.hpp"
#include "runtime/http/problem.hpp"

namespace mainstay::http {
namespace {

using testing::ElementsAre;

// Keeps the answer for the test.
class Recorder final : public Exchange {
 public:
  void answer(Response response) override { answers.push_back(std::move(response)); }
  void stream(Response, std::shared_ptr<BodySource>) override { FAIL() << "nothing streams here"; }
  void post(std::function<void()> work) override { work(); }
  std::vector<Response> answers;
};

Response ask(const Router& router, Method method, std::string target) {
  auto recorder = std::make_shared<Recorder>();
  Request request;
  request.method = method;
  request.target = std::move(target);
  router(std::move(request), Responder{recorder});
  EXPECT_EQ(recorder->answers.size(), 1U);
  return recorder->answers.empty() ? Response{} : recorder->answers.front();
}

std::string header_of(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return {};
}

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    auto record = [this](std::string name) {
      return [this, name](Request& request, const Responder& responder) {
        seen_ = std::move(request);
        responder.answer(json_response(200, "\"" + name + "\""));
      };
    };
    router_.add(Method::get, "/v1/c/{c}/r/{k}", record("get"));
    router_.add(Method::put, "/v1/c/{c}/r/{k}", record("put"));
    router_.add(Method::get, "/v1/c/{c}/r", record("list"));
    router_.add(Method::post, "/v1/members", record("member"));
  }

  Router router_;
  Request seen_;
};

TEST_F(RouterTest, CapturesAreDecodedAfterTheSplit) {
  EXPECT_EQ(ask(router_, Method::get, "/v1/c/orders/r/a%2Fb%20c?level=local&x=1").body.view(),
            "\"get\"");
  EXPECT_THAT(seen_.captures, ElementsAre("orders", "a/b c"));
  ASSERT_NE(seen_.parameter("level"), nullptr);
  EXPECT_EQ(*seen_.parameter("level"), "local");
  EXPECT_EQ(seen_.parameter("none"), nullptr);
  EXPECT_EQ(seen_.path(), "/v1/c/orders/r/a%2Fb%20c");
}

TEST_F(RouterTest, MethodsAreToldApartAndHeadIsGet) {
  EXPECT_EQ(ask(router_, Method::put, "/v1/c/o/r/k").body.view(), "\"put\"");
  EXPECT_EQ(ask(router_, Method::head, "/v1/c/o/r/k").body.view(), "\"get\"");
  EXPECT_EQ(ask(router_, Method::get, "/v1/c/o/r").body.view(), "\"list\"");
}

TEST_F(RouterTest, UnknownPathsAndMethodsGetProblems) {
  for (const char* path :
       {"/", "/v1", "/v1/c/o/r/k/more", "/v1/c//r/k", "/v1/c/o/r/", "/v1/c/o/R/k"}) {
    const Response response = ask(router_, Method::get, path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.content_type, "application/problem+json");
  }
  const Response response = ask(router_, Method::remove, "/v1/c/o/r/k");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(header_of(response, "Allow"), "GET, HEAD, PUT");
  EXPECT_EQ(header_of(ask(router_, Method::get, "/v1/members"), "Allow"), "POST");
}

TEST_F(RouterTest, BrokenEncodingAndForeignTargetsAreRefused) {
  EXPECT_EQ(ask(router_, Method::get, "/v1/c/o/r/%zz").status, 400);
  EXPECT_EQ(ask(router_, Method::get, "/v1/c/o/r/k?a=%").status, 400);
  EXPECT_EQ(ask(router_, Method::get, "*").status, 400);
  EXPECT_EQ(ask(router_, Method::get, "").status, 400);
  EXPECT_EQ(ask(router_, Method::get, "http://x/v1").status, 400);
}

TEST_F(RouterTest, ArbitraryTargetsGetOneAnswer) {
  SeededRandom random{3};
  const std::vector<std::string> pieces{"/", "v1", "c", "r",  "%2F",  "%",
                                        "?", "&",  "=", "..", "\xff", "{k}"};
  for (int round = 0; round < 20'000; ++round) {
    std::string target = random.between(0, 9) == 0 ? "" : "/v1";
    for (std::uint64_t n = random.between(0, 30); n > 0; --n)
      target += pieces[random.between(0, pieces.size() - 1)];
    const Response response = ask(router_, Method::get, target);
    EXPECT_TRUE(response.status == 200 || response.status == 400 || response.status == 404 ||
                response.status == 405);
  }
}

TEST(Responder, ADroppedRequestIsAnsweredAsAMistakeOfOurs) {
  auto recorder = std::make_shared<Recorder>();
  { const Responder responder{recorder}; }
  ASSERT_EQ(recorder->answers.size(), 1U);
  EXPECT_EQ(recorder->answers[0].status, 500);
}

TEST(Responder, IsAnsweredOnce) {
  auto recorder = std::make_shared<Recorder>();
  const Responder responder{recorder};
  const Responder copy = responder;
  copy.answer(Response{});
  EXPECT_DEATH(responder.answer(Response{}), "answered once");
}

TEST(Problem, IsADocumentWithEveryMember) {
  ProblemDetails details;
  details.instance = "/v1/x";
  details.operation = "op-1";
  const Response response = problem(Error{Errc::busy, "say \"again\"\n"}, details);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(header_of(response, "Retry-After"), "1");
  const auto document = boost::json::parse(response.body.view()).as_object();
  EXPECT_EQ(document.at("type"), "/errors/busy");
  EXPECT_EQ(document.at("title"), "Too much work is queued");
  EXPECT_EQ(document.at("status"), 503);
  EXPECT_EQ(document.at("detail"), "say \"again\"\n");
  EXPECT_EQ(document.at("instance"), "/v1/x");
  EXPECT_EQ(document.at("operation"), "op-1");
  EXPECT_EQ(header_of(problem(Error{Errc::not_found, ""}), "Retry-After"), "");
}

}  // namespace
}  // namespace mainstay::http
