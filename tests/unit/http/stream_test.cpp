#include <deque>
#include <future>
#include <optional>

#include "runtime/http/client.hpp"
#include "tests/unit/http/server_fixture.hpp"

namespace mainstay::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// Gives what the test puts in; remembers what happened to it.
class TestSource final : public BodySource {
 public:
  struct Fate {
    std::atomic<int> asked = 0;
    std::atomic<bool> dropped = false;
  };

  explicit TestSource(std::shared_ptr<Fate> fate, bool finite = false)
      : fate_{std::move(fate)}, finite_{finite} {}
  ~TestSource() override { fate_->dropped = true; }

  void next(std::function<void(Bytes)> give) override {
    std::unique_lock lock{mutex_};
    ++fate_->asked;
    if (pieces_.empty()) {
      waiting_ = std::move(give);
      return;
    }
    Bytes piece = std::move(pieces_.front());
    pieces_.pop_front();
    lock.unlock();
    give(std::move(piece));
  }
  bool finite() const override { return finite_; }

  // Any thread; "" ends the body.
  void put(std::string piece) {
    std::unique_lock lock{mutex_};
    if (!waiting_) {
      pieces_.emplace_back(std::move(piece));
      return;
    }
    auto give = std::exchange(waiting_, nullptr);
    lock.unlock();
    give(Bytes{std::move(piece)});
  }
  // Forgets that a piece is owed.
  void lose() {
    std::unique_lock lock{mutex_};
    auto give = std::exchange(waiting_, nullptr);
    lock.unlock();
  }

 private:
  const std::shared_ptr<Fate> fate_;
  const bool finite_;
  std::mutex mutex_;
  std::deque<Bytes> pieces_;
  std::function<void(Bytes)> waiting_;
};

class StreamTest : public ServerTest {
 protected:
  // The source of the next answer; the server's is the only strong reference.
  std::weak_ptr<TestSource> source(const std::vector<std::string>& pieces, bool finite = false) {
    fate_ = std::make_shared<TestSource::Fate>();
    auto made = std::make_shared<TestSource>(fate_, finite);
    for (const std::string& piece : pieces) made->put(piece);
    head_.content_type = "application/x-ndjson";
    set_source(made);
    return made;
  }
  void put(const std::weak_ptr<TestSource>& source, const std::string& piece) {
    if (auto alive = source.lock()) alive->put(piece);
  }
  // From now on the connection alone holds the source.
  void let_go() { set_source(nullptr); }

  std::shared_ptr<TestSource::Fate> fate_;
};

constexpr const char* get_stream = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(StreamTest, PiecesComeAsChunksAndTheConnectionGoesOn) {
  start();
  const auto made = source({"one\n", std::string(20, 'x')});
  Socket socket{server_->endpoint()};
  socket.say(get_stream);
  EXPECT_THAT(socket.hear("xxx\r\n"), HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(socket.heard(), HasSubstr("\r\n\r\n4\r\none\n\r\n14\r\n" + std::string(20, 'x')));
  EXPECT_THAT(socket.heard(), Not(HasSubstr("Content-Length")));
  EXPECT_EQ(server_->counts().streams_open, 1U);
  put(made, "later");  // from this thread
  EXPECT_THAT(socket.hear("later\r\n"), EndsWith("\r\n5\r\nlater\r\n"));
  let_go();
  put(made, "");
  EXPECT_THAT(socket.hear("0\r\n\r\n"), EndsWith("later\r\n0\r\n\r\n"));
  EXPECT_TRUE(eventually([&] { return fate_->dropped.load(); }));
  EXPECT_EQ(server_->counts().streams_open, 0U);
  socket.say("GET /after HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(socket.hear("GET /after "), HasSubstr("200 OK"));
}

TEST_F(StreamTest, APipelinedRequestWaitsForTheEndOfTheStream) {
  start();
  const auto made = source({"a"});
  Socket socket{server_->endpoint()};
  socket.say(get_stream);
  socket.hear("a\r\n");
  socket.say("GET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n");
  put(made, "d");
  EXPECT_THAT(socket.hear("d\r\n"), Not(HasSubstr("GET /b")));
  put(made, "");
  const std::string all = socket.hear("GET /c ");
  EXPECT_LT(all.find("0\r\n\r\n"), all.find("GET /b "));
}

TEST_F(StreamTest, ASourceIsAskedOnlyWhenTheClientHasTakenThePieceBefore) {
  start();
  const auto made = source({});
  Socket socket{server_->endpoint()};
  socket.say(get_stream);
  ASSERT_TRUE(eventually([&] { return fate_->asked == 1; }));
  put(made, std::string(64U << 20, 'x'));  // more than the kernel's buffers hold
  put(made, "next");
  EXPECT_EQ(fate_->asked, 1);
  EXPECT_TRUE(socket.skip(64U << 20));
  socket.hear("next\r\n");
  ASSERT_TRUE(eventually([&] { return fate_->asked == 3; }));
}

TEST_F(StreamTest, AClientThatTakesNoPieceIsCutOffAndItsSourceDropped) {
  start();
  const auto made = source({});
  Socket socket{server_->endpoint()};
  socket.say(get_stream);
  ASSERT_TRUE(eventually([&] { return fate_->asked == 1; }));
  clock_.advance(options_.request_timeout + options_.idle_timeout);
  put(made, "in time: the source may take as long as it likes");
  socket.hear("likes");
  let_go();
  put(made, std::string(64U << 20, 'x'));
  ASSERT_TRUE(eventually([&] {
    clock_.advance(options_.request_timeout);
    return server_->counts().timeouts == 1;
  }));
  EXPECT_TRUE(eventually([&] { return fate_->dropped.load(); }));
  EXPECT_EQ(server_->counts().streams_open, 0U);
}

TEST_F(StreamTest, TheSourceOfAClientThatWentAwayIsDropped) {
  start();
  const auto made = source({});
  {
    Socket socket{server_->endpoint()};
    socket.say(get_stream);
    ASSERT_TRUE(eventually([&] { return fate_->asked == 1; }));
    let_go();
    EXPECT_FALSE(fate_->dropped);
  }
  EXPECT_TRUE(eventually([&] { return fate_->dropped.load(); }));
  EXPECT_TRUE(eventually([&] { return server_->counts().connections_open == 0; }));
}

TEST_F(StreamTest, OldClientsGetTheBodyUpToTheEndOfTheConnection) {
  start();
  source({"one", "two", ""});
  Socket socket{server_->endpoint()};
  socket.say("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(socket.hear_end());
  EXPECT_THAT(socket.heard(), EndsWith("\r\n\r\nonetwo"));
  EXPECT_THAT(socket.heard(), Not(HasSubstr("Transfer-Encoding")));
  EXPECT_THAT(socket.heard(), HasSubstr("Connection: close\r\n"));
}

TEST_F(StreamTest, HeadGetsTheFieldsAndNoBody) {
  start();
  source({"never"});
  Socket socket{server_->endpoint()};
  socket.say("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\nGET /g HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(socket.hear("GET /g "), HasSubstr("Transfer-Encoding: chunked\r\n\r\nHTTP/1.1 200"));
  EXPECT_EQ(fate_->asked, 0);
}

TEST_F(StreamTest, DrainEndsAFeedProperlyAndLetsAnExportComeToItsEnd) {
  start();
  source({"a"});
  Socket feed{server_->endpoint()};
  feed.say(get_stream);
  feed.hear("a\r\n");
  const auto made = source({"b"}, true);
  Socket whole{server_->endpoint()};
  whole.say(get_stream);
  whole.hear("b\r\n");
  server_->drain();
  EXPECT_TRUE(feed.hear_end());
  EXPECT_THAT(feed.heard(), EndsWith("1\r\na\r\n0\r\n\r\n"));
  put(made, "c");
  put(made, "");
  EXPECT_TRUE(whole.hear_end());
  EXPECT_THAT(whole.heard(), EndsWith("1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"));
}

TEST_F(StreamTest, StopEndsFeedsProperlyAndBreaksExportsOffWhenTheGraceIsOver) {
  start();
  source({"a"});
  Socket feed{server_->endpoint()};
  feed.say(get_stream);
  feed.hear("a\r\n");
  source({"b"}, true);
  Socket whole{server_->endpoint()};
  whole.say(get_stream);
  whole.hear("b\r\n");
  let_go();
  server_->stop(Millis{50});
  EXPECT_TRUE(feed.hear_end());
  EXPECT_THAT(feed.heard(), EndsWith("1\r\na\r\n0\r\n\r\n"));
  EXPECT_TRUE(whole.hear_end());
  EXPECT_THAT(whole.heard(), EndsWith("1\r\nb\r\n"));
  EXPECT_TRUE(fate_->dropped);
}

TEST_F(StreamTest, ALostSourceBreaksTheAnswerOff) {
  start();
  const auto made = source({"a"});
  Socket socket{server_->endpoint()};
  socket.say(get_stream);
  ASSERT_TRUE(eventually([&] { return fate_->asked == 2; }));
  made.lock()->lose();
  EXPECT_TRUE(socket.hear_end());
  EXPECT_THAT(socket.heard(), EndsWith("1\r\na\r\n"));
}

TEST_F(StreamTest, APieceAfterTheEndGoesNowhere) {
  start();
  const auto made = source({});
  const auto kept = made.lock();
  {
    Socket socket{server_->endpoint()};
    socket.say(get_stream);
    ASSERT_TRUE(eventually([&] { return fate_->asked == 1; }));
  }
  ASSERT_TRUE(eventually([&] { return server_->counts().connections_open == 0; }));
  kept->put("late");
  server_.reset();
  kept->put("later");
}

TEST_F(StreamTest, TheClientTakesPiecesAsTheyCome) {
  start();
  const auto made = source({"one"});
  Client client;
  std::mutex mutex;
  std::string taken;
  std::atomic<int> status = 0;
  Taking taking;
  taking.begin = [&](const Reply& head) { status = head.status; };
  taking.take = [&](std::string_view piece) {
    const std::lock_guard lock{mutex};
    taken += piece;
    return true;
  };
  const auto has = [&](const std::string& text) {
    return eventually([&] {
      const std::lock_guard lock{mutex};
      return taken == text;
    });
  };
  std::promise<Result<Reply>> end;
  client.send(server_->endpoint(), Call{Method::get, "/stream"}, soon(), taking,
              [&](Result<Reply> reply) { end.set_value(std::move(reply)); });
  EXPECT_TRUE(has("one"));
  EXPECT_EQ(status, 200);
  put(made, "two");
  EXPECT_TRUE(has("onetwo"));
  put(made, "");
  auto reply = end.get_future().get();
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->body, "");
  EXPECT_EQ(reply->headers.find("content-type"), "application/x-ndjson");
  ASSERT_TRUE(client.call(server_->endpoint(), Call{Method::get, "/again"}, soon()));
  EXPECT_EQ(server_->counts().connections_accepted, 1U) << "the connection is kept";
}

TEST_F(StreamTest, TheClientEndsAStreamWhenItHasEnoughOrHearsNothing) {
  start();
  Client client;
  Taking taking;
  taking.take = [](std::string_view) { return false; };
  source({"one", "two"});
  auto enough = client.call(server_->endpoint(), Call{Method::get, "/stream"}, soon(), taking);
  EXPECT_TRUE(enough);
  EXPECT_TRUE(eventually([&] { return server_->counts().streams_open == 0; }));
  source({"one"});
  taking.take = [](std::string_view) { return true; };
  taking.quiet_max = Millis{30};
  auto quiet = client.call(server_->endpoint(), Call{Method::get, "/stream"}, soon(), taking);
  ASSERT_FALSE(quiet);
  EXPECT_EQ(quiet.error().code, Errc::deadline_exceeded);
}

TEST_F(StreamTest, TheClientTellsABrokenStreamFromAnEndedOne) {
  start();
  Client client;
  const auto made = source({"one"}, true);
  Taking taking;
  taking.take = [&](std::string_view) { return true; };
  std::promise<Result<Reply>> end;
  client.send(server_->endpoint(), Call{Method::get, "/stream"}, soon(), taking,
              [&](Result<Reply> reply) { end.set_value(std::move(reply)); });
  ASSERT_TRUE(eventually([&] { return fate_->asked == 2; }));
  server_->stop(Millis{0});
  auto broken = end.get_future().get();
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Errc::io_error);
}

TEST_F(StreamTest, ARefusalIsTakenWholeByAClientThatWantsPieces) {
  start();
  Client client;
  Taking taking;
  taking.take = [](std::string_view) { return true; };
  auto reply = client.call(server_->endpoint(), Call{Method::get, "/drop"}, soon(), taking);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 500);
  EXPECT_THAT(reply->body, HasSubstr("without an answer"));
}

}  // namespace
}  // namespace mainstay::http
