#include <gmock/gmock.h>
#include <rapidcheck.h>

#include "runtime/api/access.hpp"
#include "runtime/api/request_parts.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;
using testing::HasSubstr;
using testing::StartsWith;

class ChangesTest : public testing::Test, protected ApiFixture {
 protected:
  ChangesTest() {
    backend.declare("orders");  // revision 1
    backend.declare("other");   // revision 2
  }

  void put(const std::string& key, const std::string& value = "1",
           const std::string& collection = "orders") {
    ask(Method::put, "/v1/collections/" + collection + "/records/" + key, value);
  }
  static std::string put_json(const std::string& collection, const std::string& key) {
    return R"({"put":{"collection":")" + collection + R"(","key":")" + key + R"(","value":1}})";
  }
  void commit(const std::vector<std::pair<std::string, std::string>>& records) {
    std::string body;
    for (const auto& [collection, key] : records)
      body.append(body.empty() ? "" : ",").append(put_json(collection, key));
    ASSERT_EQ(ask(Method::post, "/v1/transactions", "{\"operations\":[" + body + "]}").status, 200);
  }
  std::shared_ptr<Recorder> watch(const std::string& parameters, const char* type,
                                  Fields fields = {}) {
    fields.emplace_back("Accept", type);
    return begin(Method::get, "/v1/changes?" + parameters, "", fields);
  }
  std::shared_ptr<Recorder> lines(const std::string& parameters) {
    return watch(parameters, "application/x-ndjson");
  }
  void pass(std::int64_t millis, Recorder& recorder) {
    clock.passed += Millis{millis};
    backend.wake();
    recorder.run();
  }
};

TEST_F(ChangesTest, APageHasEveryChangeInOrder) {
  put("a", "{\n \"n\": 1}");
  commit({{"orders", "b"}, {"other", "c"}});
  ask(Method::remove, "/v1/collections/orders/records/a");
  const auto page = ask(Method::get, "/v1/changes");
  EXPECT_EQ(header(page, session_header), "r5");
  EXPECT_EQ(
      page.body.view(),
      R"({"changes":[{"revision":3,"position":0,"of":1,"collection":"orders","key":"a","type":"put",)"
      R"("version":1,"time":"2023-11-14T22:13:20.000Z","operation":"made-1","value":{  "n": 1}},)"
      R"({"revision":4,"position":0,"of":2,"collection":"orders","key":"b","type":"put",)"
      R"("version":1,"time":"2023-11-14T22:13:20.000Z","operation":"made-2","value":1},)"
      R"({"revision":4,"position":1,"of":2,"collection":"other","key":"c","type":"put",)"
      R"("version":1,"time":"2023-11-14T22:13:20.000Z","operation":"made-2","value":1},)"
      R"({"revision":5,"position":0,"of":1,"collection":"orders","key":"a","type":"delete",)"
      R"("version":2,"time":"2023-11-14T22:13:20.000Z","operation":"made-3"}],"next":5})");
  EXPECT_EQ(ask(Method::get, "/v1/changes?after=5").body.view(), R"({"changes":[],"next":5})");
  EXPECT_EQ(ask(Method::get, "/v1/changes?after=now").body.view(), R"({"changes":[],"next":5})");
}

TEST_F(ChangesTest, ACommitIsNotCutByAPage) {
  commit({{"orders", "a"}, {"orders", "b"}, {"orders", "c"}});
  put("d");
  const auto page = body_of(ask(Method::get, "/v1/changes?limit=2"));
  EXPECT_EQ(page.at("changes").as_array().size(), 3U);
  EXPECT_EQ(page.at("next"), 3);
  const auto rest = body_of(ask(Method::get, "/v1/changes?limit=2&after=3"));
  EXPECT_EQ(rest.at("changes").at(0).at("key"), "d");
}

TEST_F(ChangesTest, PlacesCountWhatTheFeedShows) {
  commit({{"other", "x"}, {"orders", "a"}, {"other", "y"}, {"orders", "b"}});
  const auto page = body_of(ask(Method::get, "/v1/changes?collection=orders"));
  ASSERT_EQ(page.at("changes").as_array().size(), 2U);
  EXPECT_EQ(page.at("changes").at(0).at("position"), 0);
  EXPECT_EQ(page.at("changes").at(1).at("position"), 1);
  EXPECT_EQ(page.at("changes").at(1).at("of"), 2);
  const auto both = body_of(ask(Method::get, "/v1/changes?collection=orders,other"));
  EXPECT_EQ(both.at("changes").as_array().size(), 4U);
}

TEST_F(ChangesTest, SystemCollectionsAreSeenWhenNamed) {
  EXPECT_EQ(body_of(ask(Method::get, "/v1/changes")).at("changes").as_array().size(), 0U);
  const auto page = body_of(ask(Method::get, "/v1/changes?collection=_collections"));
  EXPECT_EQ(page.at("changes").at(0).at("key"), "orders");
}

TEST_F(ChangesTest, ALongPollWaitsForTheFirstChange) {
  const auto waiting = begin(Method::get, "/v1/changes?after=2&wait=30000");
  EXPECT_TRUE(waiting->answers.empty());
  put("a");
  waiting->run();
  ASSERT_EQ(waiting->answers.size(), 1U);
  EXPECT_EQ(body_of(waiting->answers[0]).at("next"), 3);
  const auto idle = begin(Method::get, "/v1/changes?after=3&wait=30000");
  pass(29'999, *idle);
  EXPECT_TRUE(idle->answers.empty());
  pass(1, *idle);
  ASSERT_EQ(idle->answers.size(), 1U);
  EXPECT_EQ(idle->answers[0].body.view(), R"({"changes":[],"next":3})");
}

// A reader of a quiet collection goes on past the changes of others, without waking for each.
TEST_F(ChangesTest, AFilteredPollGoesOnPastOtherChanges) {
  const auto waiting = begin(Method::get, "/v1/changes?after=2&collection=orders&wait=30000");
  put("x", "1", "other");
  waiting->run();
  EXPECT_TRUE(waiting->answers.empty());
  put("a");
  pass(20, *waiting);
  ASSERT_EQ(waiting->answers.size(), 1U);
  EXPECT_EQ(body_of(waiting->answers[0]).at("changes").at(0).at("revision"), 4);
}

TEST_F(ChangesTest, LinesAreStreamedAsTheyHappen) {
  put("a");
  const auto stream = lines("");
  ASSERT_EQ(stream->answers.size(), 1U);
  EXPECT_EQ(stream->answers[0].content_type, "application/x-ndjson");
  stream->pull();
  ASSERT_EQ(stream->pieces.size(), 1U);
  EXPECT_THAT(stream->pieces[0], StartsWith(R"({"revision":3,)"));
  EXPECT_EQ(stream->pieces[0].back(), '\n');
  stream->pull();
  EXPECT_EQ(stream->pieces.size(), 1U) << "waits";
  put("b");
  stream->run();
  ASSERT_EQ(stream->pieces.size(), 2U);
  EXPECT_THAT(stream->pieces[1], HasSubstr(R"("key":"b")"));
}

TEST_F(ChangesTest, AnIdleStreamSaysHowFarItIs) {
  const auto stream = lines("collection=orders");
  stream->pull();
  put("x", "1", "other");
  for (int i = 0; i < 600 && stream->pieces.empty(); ++i) pass(10, *stream);
  ASSERT_EQ(stream->pieces.size(), 1U);
  EXPECT_EQ(stream->pieces[0], "{\"revision\":3,\"heartbeat\":true}\n");
  EXPECT_EQ(clock.passed, Millis{5000});
}

TEST_F(ChangesTest, AStreamWithWaitEndsWhenNothingComes) {
  put("a");
  const auto stream = lines("wait=0");
  stream->pull();
  stream->pull();
  ASSERT_EQ(stream->pieces.size(), 2U);
  EXPECT_EQ(stream->pieces[1], "");
  const auto patient = lines("after=3&wait=7000");
  patient->pull();
  pass(5000, *patient);
  EXPECT_THAT(patient->pieces[0], HasSubstr("heartbeat"));
  patient->pull();
  pass(2000, *patient);
  EXPECT_EQ(patient->pieces[1], "");
}

TEST_F(ChangesTest, EventsCarryTheRevisionAtTheEndOfACommit) {
  commit({{"orders", "a"}, {"orders", "b"}});
  const auto stream = watch("after=2", "text/event-stream");
  EXPECT_EQ(stream->answers[0].content_type, "text/event-stream");
  stream->pull();
  EXPECT_THAT(stream->pieces[0], StartsWith("data: {\"revision\":3,\"position\":0,"));
  EXPECT_THAT(stream->pieces[0], HasSubstr("}\n\nid: 3\ndata: {\"revision\":3,\"position\":1,"));
  EXPECT_THAT(stream->pieces[0], testing::EndsWith("}\n\n"));
  const auto again = watch("after=0", "text/event-stream", {{"Last-Event-ID", "3"}});
  again->pull();
  pass(5000, *again);
  EXPECT_EQ(again->pieces[0], ": heartbeat\nid: 3\n\n");
}

TEST_F(ChangesTest, AClientThatHasGoneIsForgotten) {
  const auto stream = lines("");
  stream->pull();
  stream->source.reset();
  put("a");
  pass(5000, *stream);
  EXPECT_TRUE(stream->pieces.empty());
  EXPECT_TRUE(backend.waiters.empty());
}

TEST_F(ChangesTest, WhoComesTooLateIsHandedOver) {
  for (int i = 0; i < 3; ++i) put("a" + std::to_string(i));
  const auto stream = lines("after=2");
  clock.passed = Millis{3LL * 24 * 3600 * 1000};
  put("z");
  put("z");
  const record::Counters counters = backend.state->counters();
  ASSERT_GE(counters.floor, 5U);
  const auto late = ask(Method::get, "/v1/changes?after=2");
  EXPECT_EQ(late.status, 410);
  EXPECT_EQ(problem_of(late), "compacted");
  EXPECT_EQ(body_of(late).at("floor"), counters.floor);
  EXPECT_EQ(body_of(late).at("snapshot").at("revision"), counters.revision);
  EXPECT_EQ(lines("after=2")->answers[0].status, 410);
  EXPECT_EQ(ask(Method::get, "/v1/changes?after=" + std::to_string(counters.floor)).status, 200);
  // A stream that is too slow ends with the same.
  stream->pull();
  ASSERT_EQ(stream->pieces.size(), 1U);
  EXPECT_THAT(stream->pieces[0], StartsWith(R"({"problem":{"type":"/errors/compacted")"));
  EXPECT_THAT(stream->pieces[0], HasSubstr(R"("snapshot":{"revision":)"));
  stream->pull();
  EXPECT_EQ(stream->pieces[1], "");
}

TEST_F(ChangesTest, BadRequestsAreRefused) {
  for (const char* parameters :
       {"after=x", "after=-1", "wait=60001", "wait=x", "limit=0",
        "collection=", "collection=orders,", "collection=A", "x=1", "level=often", "after=3"})
    EXPECT_EQ(problem_of(ask(Method::get, std::string{"/v1/changes?"} + parameters)),
              "invalid_argument")
        << parameters;
  EXPECT_EQ(problem_of(lines("limit=5")->answers[0]), "invalid_argument");
  EXPECT_EQ(problem_of(watch("", "text/event-stream", {{"Last-Event-ID", "x"}})->answers[0]),
            "invalid_argument");
  EXPECT_EQ(problem_of(ask(Method::get, "/v1/changes?collection=none")), "not_found");
  backend.refusal = Error{Errc::not_ready, "stopping"};
  EXPECT_EQ(problem_of(lines("")->answers[0]), "not_ready");
}

// A node that lags is asked for what a client saw elsewhere: it waits.
TEST_F(ChangesTest, ALocalReaderMayBeAheadOfTheNode) {
  const auto waiting = begin(Method::get, "/v1/changes?after=3&level=local&wait=1000");
  EXPECT_TRUE(waiting->answers.empty());
  put("a");
  waiting->run();
  EXPECT_TRUE(waiting->answers.empty());
  put("b");
  waiting->run();
  ASSERT_EQ(waiting->answers.size(), 1U);
  EXPECT_EQ(body_of(waiting->answers[0]).at("changes").at(0).at("key"), "b");
}

// Any commits, read in pieces of any size from any revision: each change once, in order.
TEST_F(ChangesTest, NothingIsLostOrDoubled) {
  EXPECT_TRUE(rc::check("pages and streams agree with the timeline", [this] {
    backend.state = std::make_shared<record::MemoryState>();
    backend.declarations = {};
    backend.declare("orders");
    backend.declare("other");
    std::vector<std::string> wanted;
    const auto commits = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 6));
    for (std::size_t i = 0; i < commits.size(); ++i) {
      std::vector<std::pair<std::string, std::string>> records;
      for (int n = 0; n < commits[i]; ++n) {
        const bool mine = *rc::gen::arbitrary<bool>();
        const std::string key = std::to_string(i) + "-" + std::to_string(n);
        records.emplace_back(mine ? "orders" : "other", key);
        if (mine) wanted.push_back(key);
      }
      commit(records);
    }
    const std::string limit = std::to_string(*rc::gen::inRange(1, 8));
    const std::string first = "/v1/changes?collection=orders&limit=" + limit + "&after=";
    std::vector<std::string> paged;
    std::string after = "0";
    for (std::size_t pages = 0; pages <= commits.size() + 1; ++pages) {
      const auto page = body_of(ask(Method::get, first + after));
      for (const auto& change : page.at("changes").as_array())
        paged.emplace_back(change.at("key").as_string());
      after = std::to_string(page.at("next").to_number<std::uint64_t>());
    }
    RC_ASSERT(paged == wanted);
    const auto stream = lines("collection=orders&wait=0");
    while (stream->pieces.empty() || !stream->pieces.back().empty()) stream->pull();
    std::string text;
    for (const std::string& piece : stream->pieces) text += piece;
    std::vector<std::string> streamed;
    std::istringstream rows{text};
    for (std::string row; std::getline(rows, row);)
      streamed.emplace_back(boost::json::parse(row).at("key").as_string());
    RC_ASSERT(streamed == wanted);
  }));
}

// Large values: pieces stay small, and a commit goes over several of them.
TEST_F(ChangesTest, PiecesAreBounded) {
  const std::string value = "\"" + std::string(100'000, 'x') + "\"";
  for (int i = 0; i < 20; ++i) put("k" + std::to_string(i), value);
  const auto stream = lines("wait=0");
  std::size_t whole = 0;
  while (stream->pieces.empty() || !stream->pieces.back().empty()) {
    stream->pull();
    EXPECT_LT(stream->pieces.back().size(), 512U * 1024);
    whole += stream->pieces.back().size();
  }
  EXPECT_GT(whole, 2'000'000U);
}

ApiOptions with_auth() {
  ApiOptions options;
  options.bootstrap_token_hash = hash_of_token("root");
  return options;
}

class ProtectedChangesTest : public testing::Test, protected ApiFixture {
 protected:
  ProtectedChangesTest() : ApiFixture{with_auth()} { backend.declare("orders"); }
};

TEST_F(ProtectedChangesTest, AStreamEndsWhenItsTokenIsTakenBack) {
  const Fields root{{"Authorization", "Bearer root"}};
  const auto made = ask(Method::post, "/v1/tokens", R"({"name":"n","role":"reader"})", root);
  const auto stream = begin(
      Method::get, "/v1/changes", "",
      {{"Authorization", "Bearer " + text_of(made, "token")}, {"Accept", "application/x-ndjson"}});
  ASSERT_EQ(stream->answers[0].status, 200);
  stream->pull();
  ask(Method::remove, "/v1/tokens/" + text_of(made, "id"), "", root);
  for (int i = 0; i < 1000 && stream->pieces.empty(); ++i) {
    clock.passed += Millis{10};
    backend.wake();
    stream->run();
  }
  ASSERT_EQ(stream->pieces.size(), 1U);
  EXPECT_THAT(stream->pieces[0], StartsWith(R"({"problem":{"type":"/errors/unauthorized")"));
}

}  // namespace
}  // namespace mainstay::api
