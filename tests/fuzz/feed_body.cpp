#include "tests/fuzz/feed_body.hpp"

#include "runtime/base/json.hpp"
#include "runtime/record/declaration.hpp"
#include "runtime/record/ledger.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::fuzz {

namespace {

using http::Method;

struct Place {
  Method method;
  const char* target;
  bool refusal_changes_nothing;  // administrative calls leave a trail
};
constexpr Place places[] = {{Method::post, "/v1/transactions", true},
                            {Method::post, "/v1/batch", false},
                            {Method::post, "/v1/collections/stock/entries", true},
                            {Method::put, "/v1/collections/new", false},
                            {Method::patch, "/v1/collections/orders/records/A-1", true},
                            {Method::post, "/v1/tokens", false},
                            {Method::post, "/v1/cluster/members", false}};

constexpr const char* ledger =
    R"({"kind":"ledger","ledger":{"dimensions":["item","location"],"scale":2,"never_below":"0",)"
    R"("except":[{"location":"OUT"}]}})";

struct Node : api::ApiFixture {
  Node() {
    backend.declare("orders", R"({"schema":{"type":"object"}})");
    backend.declare("stock", ledger);
    ask(Method::put, "/v1/collections/orders/records/A-1", R"({"item":"X"})");
  }
  using ApiFixture::ask;
};

void check_declaration(std::string_view text) {
  const auto declared = record::parse_declaration(text);
  if (!declared) return;
  const std::string written = record::to_json(*declared);
  const auto again = record::parse_declaration(written);
  ASSERT(again && record::to_json(*again) == written);
}

void check_entry(std::string_view text) {
  static const record::Declaration stock = record::parse_declaration(ledger).value();
  const auto entry = record::parse_entry(*stock.ledger, "e", text);
  if (!entry) return;
  const std::string written = record::to_json(*entry);
  const auto again = record::parse_entry(*stock.ledger, "e", written);
  ASSERT(again && record::to_json(*again) == written);
}

}  // namespace

int feed_body(std::string_view text) {
  if (text.empty()) return 0;
  const Place& place = places[static_cast<unsigned char>(text.front()) % std::size(places)];
  const std::string body{text.substr(1)};
  check_declaration(body);
  check_entry(body);
  Node node;
  const record::Revision before = node.backend.state->counters().revision;
  const http::Response answer = node.ask(place.method, place.target, body);
  ASSERT_MSG(
      answer.status == 200 || answer.status == 201 || (answer.status >= 400 && answer.status < 500),
      "a body is taken or refused");
  ASSERT_MSG(json::parse(answer.body.view()), "an answer is JSON");
  if (answer.status >= 400 && place.refusal_changes_nothing)
    ASSERT_MSG(node.backend.state->counters().revision == before, "a refusal changes nothing");
  return answer.status;
}

std::vector<std::string> body_samples() {
  const std::string ends =
      R"("quantity":"5.00","item":"A","from":{"location":"OUT"},"to":{"location":"R"},)"
      R"("data":{"n":[1,2.5e3]}})";
  const std::string entry = R"({"id":"e",)" + ends;
  std::vector<std::string> samples;
  const auto add = [&](char place, const std::string& body) {
    samples.emplace_back(1, place).append(body);
  };
  add(0, R"({"conditions":[{"collection":"orders","key":"A-1","version":1,"fields":)"
         R"([{"pointer":"/item","equals":"X"}]},{"ledger":"stock","at":{"location":"R",)"
         R"("item":"A"},"at_least":"-1.5"}],"operations":[{"put":{"collection":"orders",)"
         R"("key":"B","value":{}}},{"delete":{"collection":"orders","key":"A-1"}},)"
         R"({"post":{"collection":"stock","id":"e","entry":{)" +
             ends + "}}]}");
  add(1, R"({"operations":[{"patch":{"collection":"orders","key":"A-1","value":{"a":null}},)"
         R"("operation":"o","conditions":[{"collection":"orders","key":"A-1","exists":true}]}]})");
  add(2, entry);
  add(2, R"({"entries":[)" + entry + "]}");
  add(3, ledger);
  add(3, R"({"schema":{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":)"
         R"({"a":{"enum":[1,"x"],"pattern":"^a+$"}}},"indexes":[{"name":"i","pointer":"/a/0"}],)"
         R"("limits":{"value_bytes":10},"retention":{"history_hours":72}})");
  add(4, R"({"item":null,"a":{"b":[1]}})");
  add(5, R"({"name":"n","role":"writer","collections":["a","b*"],"expires":null})");
  add(6, R"({"id":4,"incarnation":"77","peer_address":"h:1","api_address":"h:2"})");
  return samples;
}

}  // namespace mainstay::fuzz
