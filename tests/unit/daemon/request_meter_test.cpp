#include "runtime/daemon/request_meter.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace mainstay::daemon {
namespace {

// A client that remembers the answer.
class Recorder final : public http::Exchange {
 public:
  void answer(http::Response response) override { status = response.status; }
  void stream(http::Response head, std::shared_ptr<http::BodySource>) override {
    status = head.status;
  }
  void post(std::function<void()> work) override { work(); }
  int status = 0;
};

class RequestMeterTest : public ::testing::Test {
 protected:
  RequestMeterTest() {
    const auto ok = [](http::Request&, const http::Responder& responder) {
      responder.post([responder] { responder.answer(http::json_response(200, "{}")); });
    };
    router.add(http::Method::get, "/v1/collections/{collection}/records/{key}", ok);
    router.add(http::Method::put, "/v1/collections/{collection}/records/{key}", ok);
    router.add(http::Method::get, "/livez", ok);
    router.add(http::Method::get, "/v1/changes",
               [](http::Request&, const http::Responder& responder) {
                 responder.stream(http::json_response(200, ""), nullptr);
               });
  }

  int ask(http::Method method, const std::string& target) {
    if (!meter) meter.emplace(router, metrics, sys::system_clock());
    const auto recorder = std::make_shared<Recorder>();
    http::Request request;
    request.method = method;
    request.target = target;
    (*meter)(std::move(request), http::Responder{recorder});
    return recorder->status;
  }

  double count(std::string_view method, std::string_view route, int status) {
    return metrics.http_requests(method, route, status).value();
  }

  metrics::NodeMetrics metrics{"test"};
  http::Router router;
  std::optional<RequestMeter> meter;
};

TEST_F(RequestMeterTest, CountsByPatternMethodAndStatus) {
  EXPECT_EQ(ask(http::Method::get, "/v1/collections/orders/records/A-1?level=local"), 200);
  EXPECT_EQ(ask(http::Method::get, "/v1/collections/stock/records/B%2F2"), 200);
  EXPECT_EQ(ask(http::Method::put, "/v1/collections/stock/records/B"), 200);
  constexpr const char* records = "/v1/collections/{collection}/records/{key}";
  EXPECT_EQ(count("GET", records, 200), 2);
  EXPECT_EQ(count("PUT", records, 200), 1);
  EXPECT_NE(metrics.registry.text().find("mainstay_http_request_seconds_count"), std::string::npos);
}

TEST_F(RequestMeterTest, AStreamIsCountedWhenItBegins) {
  EXPECT_EQ(ask(http::Method::get, "/v1/changes?after=7"), 200);
  EXPECT_EQ(count("GET", "/v1/changes", 200), 1);
}

TEST_F(RequestMeterTest, WhatFitsNoRouteIsOneLabel) {
  EXPECT_EQ(ask(http::Method::get, "/v1/made-up"), 404);
  EXPECT_EQ(ask(http::Method::get, "/"), 404);
  EXPECT_EQ(ask(http::Method::get, "/livez/more"), 404);
  EXPECT_EQ(count("GET", "other", 404), 3);
  EXPECT_EQ(metrics.registry.text().find("made-up"), std::string::npos);
}

}  // namespace
}  // namespace mainstay::daemon
