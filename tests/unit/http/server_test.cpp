#include <future>

#include "runtime/base/random.hpp"
#include "runtime/http/client.hpp"
#include "tests/unit/http/server_fixture.hpp"

namespace mainstay::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ServerTest, AnswersWithStatusDateAndLength) {
  start();
  Socket socket{server_->endpoint()};
  socket.say("GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Echo: hello\r\n\r\n");
  const std::string answer = socket.hear("GET /a?b=c ");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Echo: hello\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 11\r\n"));
}

TEST_F(ServerTest, ARequestTellsWhereItCameFrom) {
  start();
  Socket socket{server_->endpoint()};
  socket.say("GET /from HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(socket.hear("GET /from "),
              HasSubstr("X-From: 127.0.0.1:" + std::to_string(socket.port()) + "\r\n"));
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  Socket socket{server_->endpoint()};
  std::string all;
  for (int i = 0; i < 50; ++i) {
    const std::string body(static_cast<std::size_t>(i * 10), 'x');
    all += "PUT /p" + std::to_string(i) +
           ". HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  }
  socket.say(all);
  const std::string answers = socket.hear("PUT /p49. ");
  std::size_t last = 0;
  for (int i = 0; i < 50; ++i) {
    const auto at = answers.find("PUT /p" + std::to_string(i) + ". ");
    ASSERT_NE(at, std::string::npos) << i;
    EXPECT_GT(at, last);
    last = at;
  }
  EXPECT_EQ(server_->counts().connections_accepted, 1U);
}

TEST_F(ServerTest, ARequestMayComeByteByByteOrChunked) {
  start();
  Socket socket{server_->endpoint()};
  for (const char c :
       std::string_view{"POST /slow HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"})
    socket.say({&c, 1});
  EXPECT_THAT(socket.hear("abcde"), HasSubstr("POST /slow abcde"));
}

TEST_F(ServerTest, HeadGetsTheLengthButNoBody) {
  start();
  Socket socket{server_->endpoint()};
  socket.say(
      "HEAD /h HTTP/1.1\r\nHost: x\r\n\r\nGET /g HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(socket.hear_end());
  EXPECT_THAT(socket.heard(), HasSubstr("Content-Length: 8\r\n\r\nHTTP/1.1 200"));
  EXPECT_THAT(socket.heard(), HasSubstr("Connection: close\r\n\r\nGET /g "));
}

TEST_F(ServerTest, ContinueIsSentToThoseWhoWaitForIt) {
  start();
  Socket socket{server_->endpoint()};
  socket.say("PUT /c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_THAT(socket.hear("\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue\r\n\r\n"));
  socket.say("body");
  EXPECT_THAT(socket.hear("PUT /c body"), HasSubstr("HTTP/1.1 200 OK"));
}

TEST_F(ServerTest, LimitsAndNonsenseAreRefusedWithAProblem) {
  options_.body_bytes_max = 1000;
  options_.header_bytes_max = 2000;
  start();
  const std::vector<std::pair<std::string, std::string>> cases{
      {"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'),
       "413"},
      {"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
           std::string(2000, 'x'),
       "413"},
      {"GET /a HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(3000, 'x') + "\r\n\r\n", "431"},
      {std::string(5000, 'x'), "4"},
      {"GET /a HTTP/1.1\r\n\r\n", "400"},
      {"GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"},
      {"GET /a HTTP/9.9\r\nHost: x\r\n\r\n", "400"},
      {"\x16\x03\x01\x02\x01\x01\x02\r\n\r\n", "400"},
      {"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       "400"},
      {"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "400"},
  };
  for (const auto& [request, status] : cases) {
    Socket socket{server_->endpoint()};
    socket.say(request);
    EXPECT_TRUE(socket.hear_end());
    EXPECT_THAT(socket.heard(), StartsWith("HTTP/1.1 " + status)) << request.substr(0, 60);
    EXPECT_THAT(socket.heard(), HasSubstr("application/problem+json"));
  }
  EXPECT_EQ(server_->counts().requests, 0U);
}

TEST_F(ServerTest, ADroppedOrThrowingRequestIsAnsweredWith500) {
  start();
  for (const char* path : {"/drop", "/throw"}) {
    Socket socket{server_->endpoint()};
    socket.say(std::string{"GET "} + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(socket.hear("without an answer"), StartsWith("HTTP/1.1 500 ")) << path;
  }
}

TEST_F(ServerTest, AHeaderValueCannotEndItsLine) {
  start();
  Socket socket{server_->endpoint()};
  socket.say("GET /inject HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(socket.hear("/inject "), HasSubstr("X-Bad: a  X-Evil: b\r\n"));
}

TEST_F(ServerTest, AnswersComeFromAnyThreadAndWorkIsPostedToTheHttpThread) {
  start();
  Socket socket{server_->endpoint()};
  socket.say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return held() == 1; }));
  std::promise<std::thread::id> where;
  std::thread{[&, responder = take_held()] {
    responder.post([&where, responder] {
      where.set_value(std::this_thread::get_id());
      responder.answer(json_response(200, "\"posted\""));
    });
  }}.join();
  EXPECT_THAT(socket.hear("posted"), HasSubstr("\"posted\""));
  EXPECT_NE(where.get_future().get(), std::this_thread::get_id());
}

TEST_F(ServerTest, SlowClientsAreCutOff) {
  start();
  Socket silent{server_->endpoint()};
  Socket slow{server_->endpoint()};
  slow.say("GET /x HTTP/1.1\r\nHo");
  Socket waiting{server_->endpoint()};
  waiting.say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return held() == 1; }));
  ASSERT_TRUE(eventually([&] { return server_->counts().connections_open == 3; }));
  // Advanced again and again: the server may see the first bytes only after the first advance.
  EXPECT_TRUE(eventually([&] {
    clock_.advance(options_.request_timeout);
    return server_->counts().timeouts == 1;
  }));
  EXPECT_TRUE(slow.hear_end());
  EXPECT_EQ(slow.heard(), "");
  clock_.advance(options_.idle_timeout);
  EXPECT_TRUE(silent.hear_end());
  EXPECT_EQ(server_->counts().timeouts, 1U) << "an idle connection is not a slow one";
  take_held().answer(json_response(200, "\"still here\""));
  EXPECT_THAT(waiting.hear("still here"), HasSubstr("still here"));
}

TEST_F(ServerTest, AClientThatTakesNoAnswerIsCutOff) {
  start();
  Socket socket{server_->endpoint()};
  socket.say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return held() == 1; }));
  take_held().answer(json_response(200, std::string(64U << 20, 'x')));
  ASSERT_TRUE(eventually([&] {
    clock_.advance(options_.request_timeout);
    return server_->counts().timeouts == 1;
  }));
  EXPECT_TRUE(eventually([&] { return server_->counts().connections_open == 0; }));
}

TEST_F(ServerTest, ConnectionsOverTheLimitAreToldSo) {
  options_.connections_max = 2;
  start();
  Socket first{server_->endpoint()};
  Socket second{server_->endpoint()};
  ASSERT_TRUE(eventually([&] { return server_->counts().connections_open == 2; }));
  Socket third{server_->endpoint()};
  third.say("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(third.hear_end());
  EXPECT_THAT(third.heard(), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(third.heard(), HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(server_->counts().connections_refused, 1U);
  first.say("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(first.hear("GET /x "), HasSubstr("200 OK"));
}

TEST_F(ServerTest, DrainEndsConnectionsWithTheirAnswer) {
  start();
  server_->drain();
  Socket socket{server_->endpoint()};
  socket.say("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(socket.hear_end());
  EXPECT_THAT(socket.heard(), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(socket.heard(), HasSubstr("200 OK"));
}

TEST_F(ServerTest, StopClosesIdleConnectionsAndLetsTheOthersFinish) {
  start();
  Socket idle{server_->endpoint()};
  Socket busy{server_->endpoint()};
  busy.say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return held() == 1; }));
  auto stopped = std::async(std::launch::async, [&] { server_->stop(Millis{10'000}); });
  EXPECT_TRUE(idle.hear_end());
  EXPECT_EQ(stopped.wait_for(Millis{0}), std::future_status::timeout);
  take_held().answer(json_response(200, "\"finished\""));
  EXPECT_TRUE(busy.hear_end());
  EXPECT_THAT(busy.heard(), HasSubstr("finished"));
  EXPECT_THAT(busy.heard(), HasSubstr("Connection: close"));
}

TEST_F(ServerTest, AnswersAfterTheEndGoNowhere) {
  start();
  {
    Socket socket{server_->endpoint()};
    socket.say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return held() == 1; }));
    server_->stop(Millis{1});
    EXPECT_TRUE(socket.hear_end());
  }
  server_.reset();
  const Responder late = take_held();
  late.post([] { FAIL() << "the server is gone"; });
  late.answer(json_response(200, "{}"));
}

TEST_F(ServerTest, ATakenPortAndAnUnknownHostAreErrors) {
  start();
  auto handler = [](const Request&, const Responder&) {};
  ServerOptions taken = options_;
  taken.listen = server_->endpoint();
  auto refused = Server::start(taken, clock_, handler);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  taken.listen = {"no.such.host.invalid", 1};
  EXPECT_FALSE(Server::start(taken, clock_, handler));
}

TEST_F(ServerTest, MutatedRequestsAreAnsweredOrClosedNeverMore) {
  start();
  SeededRandom random{5};
  const std::string good =
      "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
  for (int round = 0; round < 300; ++round) {
    std::string text = good;
    for (std::uint64_t edits = random.between(1, 4); edits > 0; --edits)
      text[random.between(0, text.size() - 1)] = static_cast<char>(random.next());
    Socket socket{server_->endpoint()};
    socket.say(text);
  }
  Socket socket{server_->endpoint()};
  socket.say(good);
  EXPECT_TRUE(socket.hear_end());
  EXPECT_THAT(socket.heard(), HasSubstr("PUT /a abc"));
}

TEST_F(ServerTest, TheClientKeepsConnectionsAndRunsManyCalls) {
  start();
  Client client;
  for (int i = 0; i < 10; ++i) {
    Call call{Method::put, "/k" + std::to_string(i), {{"X-Echo", "e"}}, Bytes{std::string{"v"}}};
    auto reply = client.call(server_->endpoint(), call, soon());
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, "PUT /k" + std::to_string(i) + " v");
    EXPECT_EQ(reply->headers.find("x-echo"), "e");
  }
  EXPECT_EQ(server_->counts().connections_accepted, 1U);
  std::atomic<int> done = 0, good = 0;
  for (int i = 0; i < 200; ++i)
    client.send(server_->endpoint(), Call{Method::get, "/x"}, soon(), [&](Result<Reply> reply) {
      good += reply && reply->status == 200 ? 1 : 0;
      ++done;
    });
  EXPECT_TRUE(eventually([&] { return done == 200; }));
  EXPECT_EQ(good, 200);
  EXPECT_EQ(client.call(server_->endpoint(), Call{Method::head, "/x"}, soon()).value().body, "");
}

TEST_F(ServerTest, TheClientTellsUnreachableFromUnanswered) {
  start();
  Client client;
  auto late = client.call(server_->endpoint(), Call{Method::get, "/later"},
                          std::chrono::steady_clock::now() + Millis{20});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::deadline_exceeded);
  const config::Endpoint gone = server_->endpoint();
  server_.reset();
  auto refused = client.call(gone, Call{Method::get, "/x"}, soon());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unavailable);
}

TEST_F(ServerTest, TheClientRepeatsACallWhoseKeptConnectionWasClosed) {
  start();
  Client client;
  ASSERT_TRUE(client.call(server_->endpoint(), Call{Method::get, "/x"}, soon()));
  // Advanced again and again: the server may begin to count only after the client has its answer.
  ASSERT_TRUE(eventually([&] {
    clock_.advance(options_.idle_timeout);
    return server_->counts().connections_open == 0;
  }));
  EXPECT_TRUE(client.call(server_->endpoint(), Call{Method::get, "/x"}, soon()));
}

TEST_F(ServerTest, ClosingTheClientEndsItsCalls) {
  start();
  std::promise<Result<Reply>> result;
  {
    Client client;
    client.send(server_->endpoint(), Call{Method::get, "/later"}, soon(),
                [&](Result<Reply> reply) { result.set_value(std::move(reply)); });
    ASSERT_TRUE(eventually([&] { return held() == 1; }));
  }
  EXPECT_FALSE(result.get_future().get());
}

}  // namespace
}  // namespace mainstay::http
