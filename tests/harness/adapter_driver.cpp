// adapter_driver KIND SETTINGS.json [CALL_TIMEOUT_MS]: makes one adapter and calls it, one JSON
// object a line from standard input, one answer a line to standard output. Tests in other languages
// use it to drive an adapter against its real counterpart, and to kill it at any moment.
//   {"call":"fetch","position":"","max":100}        {"messages":[…],"position":"…","more":false}
//   {"call":"decode","message":{…}}                 {"documents":[…]}
//   {"call":"acknowledge","position":"…"}           {}
//   {"call":"apply","effect":{"key":…,"type":…,"subject":…,"document":…}}
//                                                   {"verdict":"done","receipt":…,"detail":"…"}
//   {"call":"lookup","effect":{…}}                  {"found":true,"receipt":…}
//   {"call":"backfill","type":…,"from":…,"to":…,"position":…,"max":…}
//   {"call":"observe","kind":"…","after":""}        {"items":[{"id":…,"document":…}],"next":""}
//   {"call":"traits"}
// A failed call answers {"error":"unavailable","message":"…"}.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "actors/adapters/mqtt/mqtt_adapter.hpp"
#include "actors/adapters/postgres/postgres_adapter.hpp"
#include "actors/adapters/tryton/tryton_adapter.hpp"
#include "runtime/integration/adapter.hpp"

namespace {

using namespace mainstay;
using namespace mainstay::integration;
using json::Value;

AdapterKinds all_kinds() {
  AdapterKinds kinds;
  kinds.add("mqtt", adapters::make_mqtt_adapter);
  kinds.add("postgres", adapters::make_postgres_adapter);
  kinds.add("tryton", adapters::make_tryton_adapter);
  return kinds;
}

std::string text_of(const Value& object, std::string_view name) {
  const Value* value = object.find(name);
  return value != nullptr && value->is(json::Type::string) ? value->text() : "";
}

std::size_t number_of(const Value& object, std::string_view name, std::size_t fallback) {
  const Value* value = object.find(name);
  return value != nullptr && value->is(json::Type::number) ? std::stoul(value->text()) : fallback;
}

Value failure(const Error& error) {
  Value answer = Value::object();
  answer.set("error", Value::string(std::string{to_string(error.code)}));
  answer.set("message", Value::string(error.message));
  return answer;
}

Value to_json(const RawMessage& message) {
  Value value = Value::object();
  value.set("id", Value::string(message.id));
  value.set("version", Value::string(message.version));
  value.set("type", Value::string(message.type));
  value.set("subject", Value::string(message.subject));
  value.set("content_type", Value::string(message.content_type));
  value.set("body", Value::string(message.body));
  return value;
}

RawMessage message_of(const Value& value) {
  return {.id = text_of(value, "id"),
          .version = text_of(value, "version"),
          .type = text_of(value, "type"),
          .subject = text_of(value, "subject"),
          .content_type = text_of(value, "content_type"),
          .body = text_of(value, "body")};
}

Effect effect_of(const Value& request) {
  Effect effect;
  const Value* value = request.find("effect");
  if (value == nullptr) return effect;
  effect.key = text_of(*value, "key");
  effect.type = text_of(*value, "type");
  effect.subject = text_of(*value, "subject");
  if (const Value* document = value->find("document")) effect.document = *document;
  effect.attempt = static_cast<std::uint32_t>(number_of(*value, "attempt", 1));
  return effect;
}

Value page_answer(const Result<Page>& page) {
  if (!page) return failure(page.error());
  Value answer = Value::object();
  Value messages = Value::array();
  for (const RawMessage& message : page->messages) messages.items().push_back(to_json(message));
  answer.set("messages", std::move(messages));
  answer.set("position", Value::string(page->position));
  answer.set("more", Value::boolean(page->more));
  return answer;
}

Value decode_answer(const Result<std::vector<Value>>& documents) {
  if (!documents) return failure(documents.error());
  Value answer = Value::object();
  answer.set("documents", Value::array(*documents));
  return answer;
}

Value apply_answer(const EffectResult& result) {
  Value answer = Value::object();
  answer.set("verdict", Value::string(std::string{to_string(result.verdict)}));
  answer.set("receipt", result.receipt);
  answer.set("detail", Value::string(result.detail));
  return answer;
}

Value lookup_answer(const Result<std::optional<Value>>& found) {
  if (!found) return failure(found.error());
  Value answer = Value::object();
  answer.set("found", Value::boolean(found->has_value()));
  if (*found) answer.set("receipt", **found);
  return answer;
}

Value observe_answer(const Result<ObservedPage>& page) {
  if (!page) return failure(page.error());
  Value answer = Value::object();
  Value items = Value::array();
  for (const Observed& observed : page->items) {
    Value item = Value::object();
    item.set("id", Value::string(observed.id));
    item.set("document", observed.document);
    items.items().push_back(std::move(item));
  }
  answer.set("items", std::move(items));
  answer.set("next", Value::string(page->next));
  return answer;
}

Value traits_answer(const AdapterTraits& traits) {
  Value answer = Value::object();
  answer.set("has_source", Value::boolean(traits.has_source));
  answer.set("has_effects", Value::boolean(traits.has_effects));
  answer.set("idempotent", Value::boolean(traits.idempotent));
  return answer;
}

Value answer_to(Adapter& adapter, const Value& request) {
  const std::string call = text_of(request, "call");
  const std::string position = text_of(request, "position");
  const std::size_t most = number_of(request, "max", 500);
  if (call == "fetch") return page_answer(adapter.fetch(position, most));
  if (call == "backfill")
    return page_answer(adapter.backfill(
        {text_of(request, "type"), text_of(request, "from"), text_of(request, "to")}, position,
        most));
  if (call == "decode") {
    const Value* message = request.find("message");
    return decode_answer(adapter.decode(message_of(message != nullptr ? *message : request)));
  }
  if (call == "acknowledge") {
    const auto done = adapter.acknowledge(position);
    return done ? Value::object() : failure(done.error());
  }
  if (call == "apply") return apply_answer(adapter.apply(effect_of(request)));
  if (call == "lookup") return lookup_answer(adapter.lookup(effect_of(request)));
  if (call == "observe")
    return observe_answer(adapter.observe(text_of(request, "kind"), text_of(request, "after")));
  if (call == "traits") return traits_answer(adapter.traits());
  return failure({Errc::invalid_argument, "there is no call '" + call + "'"});
}

int complain(const Error& error) {
  std::cout << json::to_text(failure(error)) << std::endl;
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3)
    return complain({Errc::invalid_argument, "usage: adapter_driver KIND SETTINGS.json"});
  std::ifstream file{argv[2]};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  auto settings = json::parse(text);
  if (!settings) return complain(settings.error());
  AdapterContext context;
  context.name = "driven";
  context.settings = std::move(*settings);
  if (argc > 3) context.call_timeout = Millis{std::stol(argv[3])};
  const auto adapter = all_kinds().make(argv[1], context);
  if (!adapter) return complain(adapter.error());
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = json::parse(line);
    const Value answer = request ? answer_to(**adapter, *request) : failure(request.error());
    std::cout << json::to_text(answer) << std::endl;
  }
  return 0;
}
