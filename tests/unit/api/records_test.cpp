#include <gmock/gmock.h>

#include "runtime/api/request_parts.hpp"
#include "runtime/base/random.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;
using testing::HasSubstr;

constexpr const char* a1 = "/v1/collections/orders/records/A-1";

class RecordsTest : public testing::Test, protected ApiFixture {
 protected:
  RecordsTest() {
    for (const char* name : {"orders", "other", "c"}) backend.declare(name);
  }
};

TEST_F(RecordsTest, APutCreatesThenReplaces) {
  const auto created = ask(Method::put, a1, R"({"n": 1})");
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(header(created, "ETag"), "\"1\"");
  EXPECT_EQ(header(created, revision_header), "4");
  EXPECT_EQ(header(created, session_header), "r4");
  EXPECT_EQ(header(created, operation_header), "made-1");
  EXPECT_EQ(header(created, replayed_header), "");
  EXPECT_EQ(created.body.view(),
            R"({"version":1,"revision":4,"created":true,"operation":"made-1"})");
  const auto replaced = ask(Method::put, a1, "2");
  EXPECT_EQ(replaced.status, 200);
  EXPECT_EQ(header(replaced, "ETag"), "\"2\"");
}

TEST_F(RecordsTest, AValueComesBackAsItWasSent) {
  const std::string value = "{ \"b\":1.50 ,\n\"a\": \"\\u00e9\xc3\xa9\" }";
  ask(Method::put, a1, value);
  const auto read = ask(Method::get, a1);
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.body.view(), value);
  EXPECT_EQ(read.content_type, "application/json");
  EXPECT_EQ(header(read, "ETag"), "\"1\"");
  EXPECT_EQ(header(read, revision_header), "4");
  EXPECT_EQ(header(read, session_header), "r4");
  EXPECT_THAT(levels(), testing::ElementsAre(ReadLevel::linearizable));
}

TEST_F(RecordsTest, KeysMayHoldAnythingPrintable) {
  EXPECT_EQ(ask(Method::put, "/v1/collections/orders/records/a%2Fb%20%C3%A9%25", "1").status, 201);
  EXPECT_EQ(backend.commands[0].actions[0].key, "a/b \xc3\xa9%");
  EXPECT_EQ(ask(Method::get, "/v1/collections/orders/records/a%2Fb%20%C3%A9%25").status, 200);
}

TEST_F(RecordsTest, AMissingOrDeletedRecordIsNotFound) {
  EXPECT_EQ(problem_of(ask(Method::get, a1)), "not_found");
  EXPECT_EQ(problem_of(ask(Method::remove, a1)), "not_found");
  ask(Method::put, a1, "1");
  const auto removed = ask(Method::remove, a1);
  EXPECT_EQ(removed.status, 200);
  EXPECT_EQ(header(removed, "ETag"), "\"2\"");
  EXPECT_EQ(ask(Method::get, a1).status, 404);
}

TEST_F(RecordsTest, ARepeatedOperationGetsTheFirstAnswer) {
  const Fields key{{"Idempotency-Key", "\"order-7\""}};
  const auto first = ask(Method::put, a1, "1", key);
  ask(Method::put, a1, "2");
  const auto again = ask(Method::put, a1, "1", key);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body.view(), first.body.view());
  EXPECT_EQ(header(again, replayed_header), "true");
  EXPECT_EQ(header(again, operation_header), "order-7");
  EXPECT_EQ(ask(Method::get, a1).body.view(), "2");
  const auto other = ask(Method::put, a1, "3", key);
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(problem_of(other), "operation_reused");
  EXPECT_EQ(body_of(other).at("operation"), "order-7");
}

TEST_F(RecordsTest, ConditionsHoldOrTheWriteIsRefused) {
  EXPECT_EQ(problem_of(ask(Method::put, a1, "1", {{"If-Match", "*"}})), "precondition_failed");
  EXPECT_EQ(ask(Method::put, a1, "1", {{"If-None-Match", "*"}}).status, 201);
  const auto exists = ask(Method::put, a1, "2", {{"If-None-Match", "*"}});
  EXPECT_EQ(exists.status, 412);
  EXPECT_EQ(header(exists, "ETag"), "\"1\"") << "the version that was found";
  EXPECT_EQ(ask(Method::put, a1, "2", {{"If-Match", "\"1\""}}).status, 200);
  EXPECT_EQ(ask(Method::put, a1, "3", {{"If-Match", "\"1\""}}).status, 412);
  EXPECT_EQ(ask(Method::put, a1, "3", {{"If-None-Match", "\"1\", \"2\""}}).status, 412);
  EXPECT_EQ(ask(Method::remove, a1, "", {{"If-Match", "\"9\""}}).status, 412);
  EXPECT_EQ(ask(Method::remove, a1, "", {{"If-Match", "\"2\""}}).status, 200);
}

TEST_F(RecordsTest, ConditionalReads) {
  ask(Method::put, a1, "1");
  const auto same = ask(Method::get, a1, "", {{"If-None-Match", "\"1\""}});
  EXPECT_EQ(same.status, 304);
  EXPECT_TRUE(same.body.empty());
  EXPECT_EQ(header(same, "ETag"), "\"1\"");
  EXPECT_EQ(ask(Method::get, a1, "", {{"If-None-Match", "\"2\""}}).status, 200);
  EXPECT_EQ(ask(Method::get, a1, "", {{"If-Match", "\"2\""}}).status, 412);
  EXPECT_EQ(ask(Method::get, a1, "", {{"If-Match", "\"1\""}}).status, 200);
}

TEST_F(RecordsTest, BadInputIsRefusedBeforeAnythingIsSubmitted) {
  const std::string records = "/v1/collections/orders/records/";
  const std::vector<std::tuple<Method, std::string, std::string, Fields, std::string>> cases{
      {Method::put, a1, "", {}, "invalid_argument"},
      {Method::put, a1, "{\"a\":}", {}, "invalid_argument"},
      {Method::put, a1, "{} {}", {}, "invalid_argument"},
      {Method::put, a1, "{\"a\":1,}", {}, "invalid_argument"},
      {Method::put, a1, "// c\n1", {}, "invalid_argument"},
      {Method::put, a1, "\"\xff\"", {}, "invalid_argument"},
      {Method::put, a1, "NaN", {}, "invalid_argument"},
      {Method::put, a1, "{\"a\":1,\"a\":2}", {}, "invalid_argument"},
      {Method::put, "/v1/collections/_audit/records/k", "1", {}, "forbidden"},
      {Method::patch, a1, "", {}, "invalid_argument"},
      {Method::patch, a1, "{", {}, "invalid_argument"},
      {Method::patch, a1, "{}", {{"Content-Type", "application/json-patch+json"}}, "unsupported"},
      {Method::get, std::string{a1} + "?revision=0", "", {}, "invalid_argument"},
      {Method::get, std::string{a1} + "?level=session", "", {}, "invalid_argument"},
      {Method::get,
       std::string{a1} + "?level=session",
       "",
       {{"Mainstay-Session", "17"}},
       "invalid_argument"},
      {Method::put, a1, std::string(33, '[') + std::string(33, ']'), {}, "invalid_argument"},
      {Method::put,
       a1,
       "\"" + std::string(limits::record_value_bytes_max, 'x') + "\"",
       {},
       "too_large"},
      {Method::put, a1, "1", {{"Content-Type", "text/plain"}}, "unsupported"},
      {Method::put, a1, "1", {{"Content-Encoding", "gzip"}}, "unsupported"},
      {Method::put, a1, "1", {{"Idempotency-Key", ""}}, "invalid_argument"},
      {Method::put,
       a1,
       "1",
       {{"Idempotency-Key", "a"}, {"idempotency-key", "b"}},
       "invalid_argument"},
      {Method::put, a1, "1", {{"Idempotency-Key", std::string(129, 'a')}}, "invalid_argument"},
      {Method::put, a1, "1", {{"If-Match", "abc"}}, "invalid_argument"},
      {Method::put, a1, "1", {{"If-Match", "\"1\", \"2\""}}, "invalid_argument"},
      {Method::put, a1, "1", {{"If-Match", "W/\"1\""}}, "invalid_argument"},
      {Method::put, a1, "1", {{"If-None-Match", "\"0\""}}, "invalid_argument"},
      {Method::put, a1, "1", {{"Mainstay-Deadline-Ms", "0"}}, "invalid_argument"},
      {Method::put, a1, "1", {{"Mainstay-Deadline-Ms", "60001"}}, "invalid_argument"},
      {Method::put, a1, "1", {{"Mainstay-Deadline-Ms", "1s"}}, "invalid_argument"},
      {Method::put, std::string{a1} + "?x=1", "1", {}, "invalid_argument"},
      {Method::remove, a1, "1", {}, "invalid_argument"},
      {Method::put, "/v1/collections/Orders/records/k", "1", {}, "invalid_argument"},
      {Method::put,
       "/v1/collections/" + std::string(65, 'a') + "/records/k",
       "1",
       {},
       "invalid_argument"},
      {Method::put, records + std::string(401, 'k'), "1", {}, "invalid_argument"},
      {Method::put, records + "a%00b", "1", {}, "invalid_argument"},
      {Method::put, records + "%FF", "1", {}, "invalid_argument"},
      {Method::get, records + "%FF", "", {}, "invalid_argument"},
      {Method::get, std::string{a1} + "?level=eventual", "", {}, "invalid_argument"},
      {Method::get, std::string{a1} + "?level=local&level=local", "", {}, "invalid_argument"},
      {Method::get, std::string{a1} + "?levle=local", "", {}, "invalid_argument"},
      {Method::get, a1, "", {{"Mainstay-Deadline-Ms", "x"}}, "invalid_argument"},
      {Method::get, "/v1/collections/orders/records?limit=0", "", {}, "invalid_argument"},
      {Method::get, "/v1/collections/orders/records?limit=1001", "", {}, "invalid_argument"},
      {Method::get, "/v1/collections/ORDERS/records", "", {}, "invalid_argument"},
      {Method::get,
       "/v1/collections/orders/records?prefix=" + std::string(401, 'k'),
       "",
       {},
       "invalid_argument"},
      {Method::get, "/v1/operations/x?y=1", "", {}, "invalid_argument"},
  };
  for (const auto& [method, target, body, fields, problem] : cases) {
    const auto refused = ask(method, target, body, fields);
    EXPECT_EQ(problem_of(refused), problem) << target << " " << body.substr(0, 80);
    EXPECT_GT(body_of(refused).at("detail").as_string().size(), 10U) << target;
  }
  EXPECT_TRUE(backend.commands.empty());
  EXPECT_TRUE(backend.needs.empty());
  EXPECT_EQ(backend.views, 0);
}

TEST_F(RecordsTest, JsonMediaTypesAreTaken) {
  for (const char* type :
       {"application/json", "Application/JSON; charset=utf-8", "application/x-www-form-urlencoded"})
    EXPECT_LT(ask(Method::put, a1, "1", {{"Content-Type", type}}).status, 300) << type;
}

TEST_F(RecordsTest, TheDeadlineReachesTheBackend) {
  ask(Method::put, a1, "1");
  EXPECT_EQ(backend.last_deadline - clock.monotonic(), Millis{limits::request_ms_default});
  ask(Method::put, a1, "1", {{"Mainstay-Deadline-Ms", "250"}});
  EXPECT_EQ(backend.last_deadline - clock.monotonic(), Millis{250});
  ask(Method::get, a1, "", {{"mainstay-deadline-ms", "7"}});
  EXPECT_EQ(backend.last_deadline - clock.monotonic(), Millis{7});
}

TEST_F(RecordsTest, LevelsReachTheBackend) {
  ask(Method::get, std::string{a1} + "?level=local");
  ask(Method::get, std::string{a1} + "?level=linearizable");
  ask(Method::get, "/v1/collections/orders/records?level=local");
  EXPECT_THAT(levels(),
              testing::ElementsAre(ReadLevel::local, ReadLevel::linearizable, ReadLevel::local));
}

TEST_F(RecordsTest, AnUnknownOutcomeNamesTheOperationAndWhatToDo) {
  backend.refusal = Error{Errc::outcome_unknown, "no answer in time"};
  const auto response = ask(Method::put, a1, "1", {{"Idempotency-Key", "op-9"}});
  EXPECT_EQ(response.status, 504);
  EXPECT_EQ(header(response, operation_header), "op-9");
  EXPECT_EQ(body_of(response).at("operation"), "op-9");
  EXPECT_EQ(body_of(response).at("instance"), a1);
  EXPECT_THAT(std::string{body_of(response).at("detail").as_string().c_str()},
              HasSubstr("/v1/operations/op-9"));
}

TEST_F(RecordsTest, ErrorsOfTheNodeAreToldWithRetryAfter) {
  for (const auto& [code, status, retry] : {std::tuple{Errc::busy, 503, "1"},
                                            {Errc::not_ready, 503, "1"},
                                            {Errc::storage_full, 507, ""},
                                            {Errc::deadline_exceeded, 504, ""}}) {
    backend.refusal = Error{code, "planted"};
    for (const Method method : {Method::put, Method::get}) {
      const auto response = ask(method, a1, method == Method::put ? "1" : "");
      EXPECT_EQ(response.status, status);
      EXPECT_EQ(problem_of(response), to_string(code));
      EXPECT_EQ(header(response, "Retry-After"), retry);
    }
  }
  backend.refusal.reset();
  backend.view_refusal = Error{Errc::not_ready, "planted"};
  EXPECT_EQ(problem_of(ask(Method::get, a1)), "not_ready");
}

TEST_F(RecordsTest, ListsArePagedInKeyOrderWithoutTombstones) {
  for (const char* key : {"a1", "a2", "a3", "a4", "b1"})
    ask(Method::put, std::string{"/v1/collections/orders/records/"} + key,
        "\"" + std::string{key} + "\"");
  ask(Method::put, "/v1/collections/other/records/a9", "0");
  ask(Method::remove, "/v1/collections/orders/records/a3");
  const auto page = ask(Method::get, "/v1/collections/orders/records?prefix=a&limit=2");
  EXPECT_EQ(page.body.view(),
            R"({"records":[{"key":"a1","version":1,"revision":4,"value":"a1"},)"
            R"({"key":"a2","version":1,"revision":5,"value":"a2"}],"next":"a2"})");
  EXPECT_EQ(header(page, revision_header), "10");
  const auto rest = ask(Method::get, "/v1/collections/orders/records?prefix=a&limit=2&after=a2");
  EXPECT_EQ(rest.body.view(),
            R"({"records":[{"key":"a4","version":1,"revision":7,"value":"a4"}],"next":null})");
  EXPECT_EQ(problem_of(ask(Method::get, "/v1/collections/none/records")), "not_found");
}

TEST_F(RecordsTest, APageEndsBeforeItFillsMemory) {
  const std::string value = "\"" + std::string(1'000'000, 'x') + "\"";
  for (int i = 0; i < 8; ++i)
    ask(Method::put, "/v1/collections/c/records/k" + std::to_string(i), value);
  const auto page = ask(Method::get, "/v1/collections/c/records");
  EXPECT_LT(page.body.size(), 6U << 20);
  const std::string next = body_of(page).at("next").as_string().c_str();
  EXPECT_EQ(next, "k4");
  EXPECT_EQ(body_of(ask(Method::get, "/v1/collections/c/records?after=" + next))
                .at("records")
                .as_array()
                .size(),
            3U);
}

TEST_F(RecordsTest, KeysInListsAreEscaped) {
  ask(Method::put, "/v1/collections/c/records/%22%5C", "1");
  EXPECT_EQ(body_of(ask(Method::get, "/v1/collections/c/records"))
                .at("records")
                .as_array()
                .at(0)
                .at("key"),
            "\"\\");
}

TEST_F(RecordsTest, AnOperationTellsWhatBecameOfIt) {
  ask(Method::put, a1, "1", {{"Idempotency-Key", "first"}});
  ask(Method::put, a1, "1", {{"Idempotency-Key", "second"}, {"If-None-Match", "*"}});
  const auto first = ask(Method::get, "/v1/operations/first");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(body_of(first).at("state"), "committed");
  EXPECT_EQ(body_of(first).at("revision"), 4);
  EXPECT_EQ(body_of(first).at("results").at(0).at("created"), true);
  EXPECT_EQ(body_of(first).at("time"), "2023-11-14T22:13:20.000Z");
  const auto second = body_of(ask(Method::get, "/v1/operations/second"));
  EXPECT_EQ(second.at("state"), "refused");
  EXPECT_EQ(second.at("error"), "precondition_failed");
  EXPECT_EQ(second.at("detail"), "record 'A-1' of 'orders' exists: it has version 1");
  EXPECT_EQ(problem_of(ask(Method::get, "/v1/operations/third")), "not_found");
  EXPECT_THAT(levels(), testing::Each(ReadLevel::linearizable));
}

TEST_F(RecordsTest, MutatedJsonIsTakenOnlyIfItIsJson) {
  SeededRandom random{9};
  const std::string good = R"({"a":[1,2.5e3,-0,"x\n\u00e9",true,null,{"b":{}}],"c":""})";
  for (int round = 0; round < 5000; ++round) {
    std::string text = good;
    for (std::uint64_t edits = random.between(1, 3); edits > 0; --edits)
      text[random.between(0, text.size() - 1)] = "{}[]\",:0e-\\x\xc3"[random.between(0, 12)];
    const bool taken = ask(Method::put, a1, text).status < 300;
    EXPECT_EQ(taken, json::parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace mainstay::api
