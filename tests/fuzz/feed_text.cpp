#include "tests/fuzz/feed_text.hpp"

#include "runtime/base/assert.hpp"
#include "runtime/base/json.hpp"
#include "runtime/config/config.hpp"
#include "runtime/config/options.hpp"
#include "runtime/http/request_reader.hpp"
#include "runtime/http/router.hpp"
#include "runtime/http/target.hpp"

namespace mainstay::fuzz {

namespace {

constexpr http::RequestLimits limits{4'096, 65'536};

class CountingExchange final : public http::Exchange {
 public:
  void answer(http::Response response) override {
    ASSERT_MSG(response.status >= 200 && response.status < 600, "an answer has a status");
    ++answers;
  }
  void stream(http::Response, std::shared_ptr<http::BodySource>) override { ++answers; }
  void post(std::function<void()> work) override { work(); }

  int answers = 0;
};

void check_decoded(const http::Request& request) {
  for (const std::string& capture : request.captures)
    ASSERT_MSG(http::percent_decode(http::percent_encode(capture)).value() == capture,
               "a capture encodes back");
  std::string query;
  for (const auto& [name, value] : request.query)
    query += "&" + http::percent_encode(name) + "=" + http::percent_encode(value);
  ASSERT_MSG(http::parse_query(query).value() == request.query, "a query encodes back");
}

http::Router make_router() {
  http::Router router;
  const auto handler = [](http::Request& request, const http::Responder& responder) {
    check_decoded(request);
    responder.answer(http::json_response(200, "{}"));
  };
  for (const char* pattern :
       {"/livez", "/v1/collections", "/v1/collections/{collection}",
        "/v1/collections/{collection}/records/{key}", "/v1/operations/{id}/fence"})
    for (const auto method : {http::Method::get, http::Method::put, http::Method::post})
      router.add(method, pattern, handler);
  return router;
}

std::string describe(const http::Request& request) {
  std::string text{http::to_string(request.method)};
  text.append(" ").append(request.target).append("\n");
  for (std::size_t i = 0; i < request.headers.size(); ++i)
    text.append(request.headers.at(i).first).append(":").append(request.headers.at(i).second) +=
        "\n";
  return text.append(request.body.view());
}

// The requests in `bytes`, which come in pieces of this size; up to the first bad one.
std::vector<http::Request> read_requests(std::string_view bytes, std::size_t piece) {
  std::vector<http::Request> requests;
  std::string pending;
  auto reader = std::make_unique<http::RequestReader>(limits);
  while (!bytes.empty() || !pending.empty()) {
    const std::string_view next = bytes.substr(0, piece);
    bytes.remove_prefix(next.size());
    pending += next;
    std::size_t used = 0;
    do {
      used = reader->put({pending.data(), pending.size()});
      ASSERT_MSG(used <= pending.size(), "no more is taken than is there");
      pending.erase(0, used);
      if (reader->bad()) return requests;
      if (!reader->is_done()) continue;
      requests.push_back(reader->take().first);
      reader = std::make_unique<http::RequestReader>(limits);
    } while (used > 0 && !pending.empty());
    if (next.empty()) break;  // the rest is no whole request
  }
  return requests;
}

}  // namespace

int feed_http(std::string_view bytes) {
  static const http::Router router = make_router();
  std::vector<http::Request> requests = read_requests(bytes, bytes.size());
  if (bytes.size() < 512) {
    const std::vector<http::Request> again = read_requests(bytes, 1);
    ASSERT_MSG(again.size() == requests.size(), "how bytes arrive changes nothing");
    for (std::size_t i = 0; i < requests.size(); ++i)
      ASSERT_MSG(describe(again[i]) == describe(requests[i]), "how bytes arrive changes nothing");
  }
  for (http::Request& request : requests) {
    const auto exchange = std::make_shared<CountingExchange>();
    router(std::move(request), http::Responder{exchange});
    ASSERT_MSG(exchange->answers == 1, "a request is answered once");
  }
  return static_cast<int>(requests.size());
}

bool feed_json(std::string_view text) {
  const auto value = json::parse(text);
  if (!value) {
    ASSERT_MSG(!value.error().message.empty(), "a refusal says why");
    return false;
  }
  const std::string written = json::to_text(*value);
  const auto again = json::parse(written);
  ASSERT_MSG(again.has_value() && *again == *value, "what was accepted is read again");
  ASSERT_MSG(json::to_text(*again) == written, "writing changes nothing");
  const std::string canonical = json::canonical_text(*value);
  const auto same = json::parse(canonical);
  ASSERT_MSG(same.has_value() && *same == *value, "the canonical text is the same value");
  ASSERT_MSG(json::canonical_text(*same) == canonical, "there is one canonical text");
  json::Value merged = *value;
  json::merge(merged, *value);
  ASSERT_MSG(json::parse(json::to_text(merged)).has_value(), "what was merged is JSON");
  if (json::check_pointer(text.substr(0, 64))) json::find(*value, text.substr(0, 64));
  return true;
}

bool feed_config(std::string_view text) {
  config::Sources sources;
  sources.file_name = "fuzzed.toml";
  sources.file_text = text;
  const auto loaded = config::load(sources);
  if (!loaded) {
    ASSERT_MSG(!loaded.error().message.empty(), "a refusal says why");
    return false;
  }
  ASSERT_MSG(loaded->config.validate().has_value(), "what was accepted is valid");
  const auto again = config::load(sources);
  ASSERT_MSG(again.has_value() && again->config == loaded->config, "a file means one thing");
  return true;
}

std::vector<std::string> http_samples() {
  return {
      "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
      "PUT /v1/collections/a/records/k%2F%20x?level=local&wait=1+2 HTTP/1.1\r\nHost: x\r\n"
      "Idempotency-Key: op-1\r\nIf-Match: \"3\"\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
      "POST /v1/operations/x/fence HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;ext=1\r\nabc\r\n0\r\nTrailer: t\r\n\r\nGET / HTTP/1.0\r\n\r\n",
      "HEAD /v1/collections HTTP/1.1\r\nHost: [::1]:7400\r\nAccept: */*\r\nExpect: "
      "100-continue\r\nConnection: close, x\r\n\r\n",
  };
}

std::vector<std::string> json_samples() {
  return {
      R"({"item":"A-1","quantity":"5.000","tags":["x","y"],"deep":{"a":[{"b":null}]},"on":true})",
      R"([0,-0,1.0,1e3,1E-7,-12.50e+2,123456789012345678901234567890,0.1])",
      R"(["\u0000\"\\\/\b\f\n\r\t\ud83d\ude00\u00e9", "é€😀", ""])",
      R"( { "a" : { } , "b" : [ ] , "" : false } )",
      "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
  };
}

std::vector<std::string> config_samples() {
  return {
      config::example_file(),
      "[node]\nid = 2\nname = \"é\"\n[cluster]\nname = \"plant\"\n[[cluster.peers]]\nid = 1\npeer "
      "= "
      "\"10.0.0.1:7401\"\napi = \"10.0.0.1:7400\"\n[[cluster.peers]]\nid = 2\npeer = "
      "\"[::1]:7401\"\n[tls]\nca = 'ca.pem'\ncertificate = \"node.pem\"\nkey = "
      "\"\"\"node.key\"\"\"\n",
      "node.id = 0x01\nlog = { level = \"warn\", format = \"json\" }\n[raft]\nheartbeat = "
      "\"20ms\"\n",
  };
}

}  // namespace mainstay::fuzz
