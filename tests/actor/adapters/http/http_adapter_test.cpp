#include "actors/adapters/http/http_adapter.hpp"

#include <atomic>
#include <future>

#include <gmock/gmock.h>

#include "runtime/tls/digest.hpp"
#include "tests/actor/adapters/adapter_fixture.hpp"

namespace mainstay::adapters {
namespace {

using integration::Effect;
using integration::Verdict;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string header(const http::Request& request, std::string_view name) {
  return std::string{request.headers.find(name).value_or("")};
}

// A counterpart: answers as the test says, and remembers what it was asked.
class Counterpart {
 public:
  using Answer = std::function<http::Response(const http::Request&)>;
  explicit Counterpart(Answer answer) : answer_{std::move(answer)} {
    http::ServerOptions options;
    options.listen = {"127.0.0.1", 0};
    server_ = std::move(
        http::Server::start(options, sys::system_clock(),
                            [this](http::Request request, const http::Responder& responder) {
                              http::Response response = answer_(request);
                              {
                                const std::lock_guard lock{mutex_};
                                asked_.push_back(std::move(request));
                              }
                              if (response.status == 0) {
                                held_.push_back(responder);  // never answered
                                return;
                              }
                              responder.answer(std::move(response));
                            })
            .value());
  }
  std::string url() const { return "http://" + to_string(server_->endpoint()) + "/api"; }
  std::vector<std::string> targets() {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> all;
    for (const auto& request : asked_) all.push_back(request.target);
    return all;
  }
  http::Request last() {
    const std::lock_guard lock{mutex_};
    return asked_.back();
  }

 private:
  Answer answer_;
  std::mutex mutex_;
  std::vector<http::Request> asked_;
  std::vector<http::Responder> held_;  // on the server's thread only
  std::unique_ptr<http::Server> server_;
};

class HttpAdapterTest : public FolderTest {
 protected:
  std::unique_ptr<integration::Adapter> make(const std::string& settings) const {
    integration::AdapterContext context;
    context.name = "test";
    context.directory = root_.string();
    context.settings = json_of(settings);
    context.call_timeout = Millis{2'000};
    auto made = make_http_adapter(context);
    EXPECT_TRUE(made) << to_string(made.error());
    return made ? std::move(*made) : nullptr;
  }
  std::string told(const std::string& settings) const {
    integration::AdapterContext context;
    context.directory = root_.string();
    context.settings = json_of(settings);
    const auto made = make_http_adapter(context);
    return made ? std::string{"accepted"} : made.error().message;
  }
  Inbox inbox_;
};

TEST_F(HttpAdapterTest, PollsSinceTheLastChange) {
  Counterpart erp{[](const http::Request& request) {
    if (request.target.find("since=") == std::string::npos)
      return http::json_response(200, R"([{"id":1,"at":"2026-11-28T07:00:00Z","q":1.50},
                                          {"id":2,"at":"2026-11-28T07:10:00Z"}])");
    return http::json_response(200, R"([{"id":2,"at":"2026-11-28T07:10:00Z"},
                                        {"id":3,"at":"2026-11-28T07:11:00Z"}])");
  }};
  const auto adapter = make(R"({"url":")" + erp.url() + R"(","poll":[{"type":"order",
    "path":"/orders","since":"since","since_field":"/at","overlap":"90s"}]})");
  auto page = adapter->fetch("", 10).value();
  inbox_.commit(page);
  EXPECT_EQ(page.messages[0].body, R"({"id":1,"at":"2026-11-28T07:00:00Z","q":1.50})");
  EXPECT_EQ(page.messages[0].type, "order");
  inbox_.commit(adapter->fetch(inbox_.position, 10).value());
  EXPECT_THAT(erp.targets(),
              ElementsAre("/api/orders", "/api/orders?since=2026-11-28T07%3A08%3A30Z"));
  EXPECT_THAT(inbox_.order, ElementsAre("1", "2", "3"));
  EXPECT_EQ(inbox_.duplicates, 1u);
}

TEST_F(HttpAdapterTest, AsksWhetherAnythingChanged) {
  Counterpart erp{[](const http::Request& request) {
    if (header(request, "If-None-Match") == "\"v1\"") return http::Response{.status = 304};
    http::Response response = http::json_response(200, R"([{"id":1}])");
    response.headers.emplace_back("ETag", "\"v1\"");
    return response;
  }};
  const auto adapter =
      make(R"({"url":")" + erp.url() + R"(","poll":[{"type":"order","path":"/orders"}]})");
  inbox_.commit(adapter->fetch("", 10).value());
  const auto page = adapter->fetch(inbox_.position, 10).value();
  EXPECT_THAT(page.messages, IsEmpty());
  EXPECT_EQ(page.position, inbox_.position);
  EXPECT_EQ(inbox_.taken.size(), 1u);
}

TEST_F(HttpAdapterTest, FollowsThePagesOfOData) {
  std::string base;
  Counterpart erp{[&base](const http::Request& request) {
    if (request.target == "/api/orders")
      return http::json_response(200, R"({"value":[{"id":"a","@odata.etag":"1"}],
        "@odata.nextLink":")" + base + R"(/orders?$skiptoken=1"})");
    return http::json_response(200, R"({"value":[{"id":"b","@odata.etag":"1"},
                                                 {"id":"c","@odata.etag":"1"}]})");
  }};
  base = erp.url();
  const auto adapter = make(R"({"url":")" + erp.url() +
                            R"(","poll":[{"type":"order","path":"/orders","paging":"odata"}]})");
  for (int i = 0; i < 2; ++i) {
    inbox_.commit(adapter->fetch(inbox_.position, 10).value());
  }
  EXPECT_THAT(inbox_.order, ElementsAre("a", "b", "c"));
  EXPECT_THAT(erp.targets(), ElementsAre("/api/orders", "/api/orders?$skiptoken=1"));
  EXPECT_EQ(inbox_.taken.count("a 1"), 1u);
}

TEST_F(HttpAdapterTest, APageIsCutWithoutLosingItsRest) {
  Counterpart erp{[](const http::Request&) {
    return http::json_response(200, R"([{"id":1},{"id":2},{"id":3},{"id":4},{"id":5}])");
  }};
  const std::string settings =
      R"({"url":")" + erp.url() + R"(","poll":[{"type":"order","path":"/orders"}]})";
  const auto adapter = make(settings);
  const auto first = adapter->fetch("", 2).value();
  EXPECT_TRUE(first.more);
  // The same once more, because it was not committed.
  EXPECT_EQ(adapter->fetch("", 2).value().messages[0].id, "1");
  inbox_.commit(adapter->fetch("", 2).value());
  inbox_.commit(adapter->fetch(inbox_.position, 2).value());
  EXPECT_THAT(inbox_.order, ElementsAre("1", "2", "3", "4"));
  // Another object begins the page again; nothing is lost.
  const auto other = make(settings);
  for (int i = 0; i < 3; ++i) inbox_.commit(other->fetch(inbox_.position, 2).value());
  EXPECT_THAT(inbox_.order, ElementsAre("1", "2", "3", "4", "5"));
}

TEST_F(HttpAdapterTest, LinksToElsewhereAreNotFollowed) {
  Counterpart erp{[](const http::Request&) {
    return http::json_response(200, R"({"value":[],"@odata.nextLink":"http://127.0.0.1:1/api/x"})");
  }};
  const auto adapter = make(R"({"url":")" + erp.url() +
                            R"(","poll":[{"type":"order","path":"/orders","paging":"odata"}]})");
  EXPECT_THAT(adapter->fetch("", 10).error().message, HasSubstr("at another host"));
}

TEST_F(HttpAdapterTest, BackfillAndObserveReadRanges) {
  Counterpart erp{[](const http::Request&) { return http::json_response(200, R"([{"id":7}])"); }};
  const auto adapter = make(R"({"url":")" + erp.url() + R"(",
    "poll":[{"type":"order","path":"/orders","since":"from","until":"to","since_field":"/at"}],
    "observe":[{"kind":"stock","path":"/stock"}]})");
  EXPECT_THAT(adapter->backfill({"order", "5", "9"}, "", 10).value().messages, SizeIs(1));
  EXPECT_EQ(erp.last().target, "/api/orders?from=5&to=9");
  EXPECT_EQ(adapter->observe("stock", "").value().items[0].id, "7");
}

std::string out_settings(const std::string& url, const std::string& more = "") {
  return R"({"url":")" + url + R"(")" + more + R"(,"out":[{"type":"shipment",
    "path":"/shipments/{/number}","lookup":"/shipments?key={key}","lookup_items":"/value"}]})";
}
const Effect& shipment() {
  static const Effect effect{"ship/S 1/2", "shipment", "S-1", json_of(R"({"number":"S/1"})")};
  return effect;
}

TEST_F(HttpAdapterTest, EffectsAreCloudEvents) {
  Counterpart wms{[](const http::Request&) {
    http::Response response = http::json_response(201, R"({"id":"X1"})");
    response.headers.emplace_back("Location", "/api/shipments/X1");
    return response;
  }};
  write("token", "secret\n");
  const auto adapter = make(out_settings(wms.url(), R"(,"token_file":"token")"));
  const auto done = adapter->apply(shipment());
  ASSERT_EQ(done.verdict, Verdict::done) << done.detail;
  EXPECT_EQ(json::to_text(done.receipt),
            R"({"status":201,"location":"/api/shipments/X1","body":{"id":"X1"}})");
  const http::Request request = wms.last();
  EXPECT_EQ(request.method, http::Method::post);
  EXPECT_EQ(request.target, "/api/shipments/S%2F1");
  EXPECT_EQ(header(request, "Authorization"), "Bearer secret");
  EXPECT_EQ(header(request, "Idempotency-Key"), "\"ship%2FS%201%2F2\"");
  EXPECT_EQ(header(request, "Content-Type"), "application/cloudevents+json");
  EXPECT_EQ(request.body.view(),
            R"({"specversion":"1.0","id":"ship/S 1/2","source":"mainstay/test","type":"shipment",)"
            R"("subject":"S-1","datacontenttype":"application/json","data":{"number":"S/1"}})");
}

TEST_F(HttpAdapterTest, OrInBinaryMode) {
  Counterpart wms{[](const http::Request&) { return http::Response{.status = 204}; }};
  write("password", "pass");
  const auto adapter = make(R"({"url":")" + wms.url() + R"(","user":"hub","password_file":
    "password","idempotent":true,"out":[{"type":"shipment","method":"PUT","path":"/s/{key}",
    "form":"binary","event_type":"com.example.shipment"}]})");
  EXPECT_TRUE(adapter->traits().idempotent);
  ASSERT_EQ(adapter->apply(shipment()).verdict, Verdict::done);
  const http::Request request = wms.last();
  EXPECT_EQ(request.method, http::Method::put);
  EXPECT_EQ(header(request, "ce-id"), "ship%2FS%201%2F2");
  EXPECT_EQ(header(request, "ce-type"), "com.example.shipment");
  EXPECT_EQ(header(request, "Authorization"), "Basic aHViOnBhc3M=");
  EXPECT_EQ(request.body.view(), R"({"number":"S/1"})");
}

TEST_F(HttpAdapterTest, StatusesAreVerdicts) {
  std::atomic<int> status = 0;
  std::atomic<bool> later = false;
  Counterpart wms{[&](const http::Request&) {
    http::Response response{.status = status};
    if (later) response.headers.emplace_back("Retry-After", "3");
    return response;
  }};
  const auto adapter = make(out_settings(wms.url()));
  const std::vector<std::pair<int, Verdict>> expected{
      {200, Verdict::done},     {204, Verdict::done},      {302, Verdict::unparsable},
      {400, Verdict::refused},  {401, Verdict::transient}, {403, Verdict::refused},
      {404, Verdict::refused},  {408, Verdict::transient}, {409, Verdict::conflict},
      {412, Verdict::conflict}, {422, Verdict::refused},   {429, Verdict::transient},
      {500, Verdict::unknown},  {502, Verdict::unknown},   {503, Verdict::transient},
      {504, Verdict::unknown}};
  for (const auto& [each, verdict] : expected) {
    status = each;
    EXPECT_EQ(adapter->apply(shipment()).verdict, verdict) << each;
  }
  status = 500;
  later = true;
  EXPECT_EQ(adapter->apply(shipment()).verdict, Verdict::transient);
  EXPECT_THAT(adapter->apply(shipment()).detail, HasSubstr("to be repeated after 3"));
}

TEST_F(HttpAdapterTest, WhatWasNotSentDidNotHappenAndWhatWasMayHave) {
  std::string url;
  {
    Counterpart gone{[](const http::Request&) { return http::Response{}; }};
    url = gone.url();
  }
  EXPECT_EQ(make(out_settings(url))->apply(shipment()).verdict, Verdict::transient);
  Counterpart silent{[](const http::Request&) { return http::Response{.status = 0}; }};
  EXPECT_EQ(make(out_settings(silent.url()))->apply(shipment()).verdict, Verdict::unknown);
  // Credentials that cannot be read: nothing was sent.
  EXPECT_EQ(
      make(out_settings(silent.url(), R"(,"token_file":"missing")"))->apply(shipment()).verdict,
      Verdict::transient);
}

TEST_F(HttpAdapterTest, LooksWhetherItHappened) {
  std::atomic<bool> found = false;
  std::atomic<int> status = 200;
  Counterpart wms{[&](const http::Request&) {
    return http::json_response(status, found ? R"({"value":[{"id":"X1"}]})" : R"({"value":[]})");
  }};
  const auto adapter = make(out_settings(wms.url()));
  EXPECT_EQ(adapter->lookup(shipment()).value(), std::nullopt);
  EXPECT_EQ(wms.last().target, "/api/shipments?key=ship%2FS%201%2F2");
  found = true;
  EXPECT_TRUE(adapter->lookup(shipment()).value());
  status = 500;
  EXPECT_EQ(adapter->lookup(shipment()).error().code, Errc::unavailable);
  status = 404;
  EXPECT_EQ(adapter->lookup(shipment()).value(), std::nullopt);
}

class WebhookTest : public HttpAdapterTest {
 protected:
  void start(const std::string& more = "") {
    write("secret", "key\n");
    adapter_ = make(R"({"webhook":{"listen":"127.0.0.1:0","path":"/hook","type":"order",
      "id":"/id","subject":"/id","secret_file":"secret","timestamp_header":"X-Time","wait":"5s")" +
                    more + "}}");
    ASSERT_TRUE(adapter_->acknowledge(""));
    ASSERT_TRUE(static_cast<HttpAdapter&>(*adapter_).open());
    fetched_ = std::async(std::launch::async, [this] { return adapter_->fetch("", 10); });
  }
  std::optional<config::Endpoint> listens() const {
    return static_cast<HttpAdapter&>(*adapter_).listens();
  }
  static std::string now() {
    return std::to_string(sys::millis_of(sys::system_clock().wall()) / 1000);
  }
  http::Call call(const std::string& body, const std::string& time, const std::string& key) const {
    http::Call call{.method = http::Method::post, .target = "/hook"};
    call.headers = {{"X-Time", time},
                    {"X-Signature", "sha256=" + tls::hmac_sha256_hex(key, time + "." + body)}};
    call.body = Bytes{body};
    return call;
  }
  std::future<int> send(const http::Call& call) {
    return std::async(std::launch::async, [this, call] {
      const auto reply =
          client_.call(*listens(), call, sys::system_clock().monotonic() + Millis{20'000});
      return reply ? reply->status : -1;
    });
  }

  std::unique_ptr<integration::Adapter> adapter_;
  std::future<Result<integration::Page>> fetched_;
  http::Client client_;
};

TEST_F(WebhookTest, IsAnsweredOnceItIsCommitted) {
  start();
  auto answer = send(call(R"({"id":"A"})", now(), "key"));
  const auto page = fetched_.get().value();
  ASSERT_THAT(page.messages, SizeIs(1));
  EXPECT_EQ(page.messages[0].id, "A");
  EXPECT_EQ(page.messages[0].type, "order");
  EXPECT_EQ(page.messages[0].subject, "A");
  EXPECT_EQ(answer.wait_for(Millis{50}), std::future_status::timeout);
  // Not acknowledged: it comes again.
  EXPECT_THAT(adapter_->fetch("", 10).value().messages, SizeIs(1));
  ASSERT_TRUE(adapter_->acknowledge(page.position));
  EXPECT_EQ(answer.get(), 202);
}

TEST_F(WebhookTest, IsSentAwayWhenTheCommitTakesTooLong) {
  start(R"(,"answer_within":"200ms")");
  auto answer = send(call(R"({"id":"A"})", now(), "key"));
  const auto page = fetched_.get().value();
  EXPECT_EQ(answer.get(), 503);
  // It may be committed nevertheless; what comes again is a duplicate, and is answered.
  inbox_.commit(page);
  ASSERT_TRUE(adapter_->acknowledge(page.position));
  answer = send(call(R"({"id":"A"})", now(), "key"));
  const auto again = adapter_->fetch(inbox_.position, 10).value();
  inbox_.commit(again);
  EXPECT_EQ(inbox_.duplicates, 1u);
  ASSERT_TRUE(adapter_->acknowledge(again.position));
  EXPECT_EQ(answer.get(), 202);
}

TEST_F(WebhookTest, OthersAreRefused) {
  start();
  EXPECT_EQ(send(call("{}", now(), "wrong")).get(), 401);
  EXPECT_EQ(send(call("{}", "1000", "key")).get(), 401);
  EXPECT_EQ(send(call("{}", "99999999999999999", "key")).get(), 401);
  http::Call other = call("{}", now(), "key");
  other.target = "/other";
  EXPECT_EQ(send(other).get(), 404);
  other = call("{}", now(), "key");
  other.method = http::Method::put;
  EXPECT_EQ(send(other).get(), 405);
  other = call("{}", now(), "key");
  other.body = Bytes{std::string{"{ }"}};
  EXPECT_EQ(send(other).get(), 401);
  EXPECT_THAT(fetched_.get().value().messages, IsEmpty());
}

TEST_F(WebhookTest, TooManyAreSentAway) {
  start(R"(,"waiting_max":1)");
  auto first = send(call(R"({"id":"A"})", now(), "key"));
  const auto page = fetched_.get().value();
  EXPECT_EQ(send(call(R"({"id":"B"})", now(), "key")).get(), 503);
  ASSERT_TRUE(adapter_->acknowledge(page.position));
  EXPECT_EQ(first.get(), 202);
}

TEST_F(WebhookTest, ThoseWhoWaitAreSentAwayAtTheEnd) {
  start();
  auto answer = send(call(R"({"id":"A"})", now(), "key"));
  static_cast<void>(fetched_.get());
  adapter_.reset();
  const int status = answer.get();
  EXPECT_TRUE(status == 503 || status == -1) << status;
}

TEST_F(WebhookTest, TakesCloudEvents) {
  adapter_ = make(R"({"webhook":{"listen":"127.0.0.1:0","path":"/hook","unsigned":true,
    "wait":"5s"}})");
  ASSERT_TRUE(static_cast<HttpAdapter&>(*adapter_).open());
  fetched_ = std::async(std::launch::async, [this] { return adapter_->fetch("", 10); });
  http::Call binary{.method = http::Method::post, .target = "/hook"};
  binary.headers = {{"ce-specversion", "1.0"},
                    {"ce-id", "7"},
                    {"ce-source", "/shop"},
                    {"ce-type", "com.example.order"},
                    {"ce-subject", "O-1"}};
  binary.body = Bytes{std::string{R"({"n":1.50})"}};
  auto answer = send(binary);
  const auto page = fetched_.get().value();
  ASSERT_THAT(page.messages, SizeIs(1));
  EXPECT_EQ(page.messages[0].id, "/shop/7");
  EXPECT_EQ(page.messages[0].version, "");
  EXPECT_EQ(page.messages[0].type, "com.example.order");
  EXPECT_EQ(page.messages[0].subject, "O-1");
  EXPECT_EQ(json::find(adapter_->decode(page.messages[0]).value()[0], "/data/n")->text(), "1.50");
  ASSERT_TRUE(adapter_->acknowledge(page.position));
  EXPECT_EQ(answer.get(), 202);
}

TEST(HttpSince, GoesBackByTheOverlap) {
  EXPECT_EQ(earlier("2026-03-01T00:00:30Z", Millis{60'000}), "2026-02-28T23:59:30Z");
  EXPECT_EQ(earlier("2026-03-01T00:00:30.123Z", Millis{1'000}), "2026-03-01T00:00:29Z");
  EXPECT_EQ(earlier("1795000000", Millis{60'000}), "1794999940");
  EXPECT_EQ(earlier("1795000000000", Millis{60'000}), "1794999940000");
  EXPECT_EQ(earlier("30", Millis{60'000}), "0");
  EXPECT_EQ(earlier("token-17", Millis{60'000}), "token-17");
  EXPECT_EQ(earlier("", Millis{60'000}), "");
}

TEST_F(HttpAdapterTest, WrongSettingsAreTold) {
  EXPECT_THAT(told("{}"), HasSubstr("settings.poll: expected at least one of"));
  EXPECT_THAT(told(R"({"url":"ftp://x","out":[]})"), HasSubstr("settings.url: expected http://"));
  EXPECT_THAT(told(R"({"poll":[{"type":"a","path":"/a"}]})"),
              HasSubstr("settings.url: must be given"));
  EXPECT_THAT(told(R"({"url":"http://x","out":[{"type":"a","path":"/a"}]})"),
              HasSubstr("settings.out[0].lookup: must be given"));
  EXPECT_THAT(told(R"({"url":"http://x","poll":[{"type":"a","path":"/a","since":"s"}]})"),
              HasSubstr("since and since_field are given together"));
  EXPECT_THAT(told(R"({"webhook":{"listen":"127.0.0.1:0"}})"),
              HasSubstr("settings.webhook.secret_file: must be given, or unsigned = true"));
  EXPECT_THAT(told(R"({"webhook":{"listn":"127.0.0.1:0"}})"),
              HasSubstr("settings.webhook.listen: must be given"));
}

TEST_F(HttpAdapterTest, TheExampleIsGood) {
  write("token", "t");
  write("secret", "s");
  integration::AdapterContext example;
  example.settings = example_settings("http/odata.toml");
  example.directory = root_.string();
  const auto made = make_http_adapter(example);
  EXPECT_TRUE(made) << to_string(made.error());
}

}  // namespace
}  // namespace mainstay::adapters
