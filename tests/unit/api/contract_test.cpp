// The OpenAPI document against the handlers: every operation is asked with its examples, and what
// it answers is held against the schemas of the document.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "runtime/api/access.hpp"
#include "runtime/base/json.hpp"
#include "runtime/http/target.hpp"
#include "runtime/record/schema.hpp"
#include "tests/unit/api/fake_backend.hpp"
#include "tests/unit/api/hub_rows.hpp"

namespace mainstay::api {
namespace {

using http::Method;
using json::Value;

const Value& document() {
  static const Value parsed = json::parse(openapi_document()).value();
  return parsed;
}

const Value& member(const Value& object, std::string_view name) {
  const Value* found = object.find(name);
  EXPECT_NE(found, nullptr) << name << " in " << json::to_text(object);
  static const Value none = Value::object();
  return found != nullptr ? *found : none;
}

// What a "$ref" leads to.
const Value& resolved(const Value& value) {
  const Value* reference = value.find("$ref");
  if (reference == nullptr) return value;
  const Value* found = json::find(document(), reference->text().substr(1));
  EXPECT_NE(found, nullptr) << reference->text();
  return found != nullptr ? resolved(*found) : value;
}

Method method_of(std::string_view name) {
  constexpr std::pair<std::string_view, Method> names[] = {{"get", Method::get},
                                                           {"put", Method::put},
                                                           {"post", Method::post},
                                                           {"patch", Method::patch},
                                                           {"delete", Method::remove}};
  for (const auto& [known, method] : names)
    if (known == name) return method;
  return Method::other;
}

// An operation of the document, with the parameters of its path.
struct Operation {
  std::string path, name;
  Method method = Method::other;
  const Value* value = nullptr;
  std::vector<const Value*> parameters;

  std::string text() const { return name + " " + path; }
  std::set<std::string> names_in(std::string_view where) const {
    std::set<std::string> names;
    for (const Value* parameter : parameters)
      if (member(*parameter, "in").text() == where) names.insert(member(*parameter, "name").text());
    return names;
  }
  // With the examples of its parameters.
  std::string target() const {
    std::string text = path, query;
    for (const Value* parameter : parameters) {
      const Value* example = parameter->find("example");
      if (example == nullptr) continue;
      const std::string parameter_name = member(*parameter, "name").text();
      const std::string encoded = http::percent_encode(example->text());
      const std::string pattern = "{" + parameter_name + "}";
      if (const auto at = text.find(pattern); at != std::string::npos)
        text.replace(at, pattern.size(), encoded);
      else
        query.append(query.empty() ? "?" : "&").append(parameter_name).append("=").append(encoded);
    }
    return text + query;
  }
};

std::vector<Operation> operations() {
  std::vector<Operation> all;
  for (const auto& [path, item] : member(document(), "paths").members())
    for (const auto& [name, value] : item.members()) {
      if (name == "parameters") continue;
      Operation operation{path, name, method_of(name), &value, {}};
      for (const Value* holder : {&item, &value})
        if (const Value* list = holder->find("parameters"); list != nullptr)
          for (const Value& parameter : list->items())
            operation.parameters.push_back(&resolved(parameter));
      all.push_back(std::move(operation));
    }
  return all;
}

// A body to send: its name in the document, its media type, its text.
struct Example {
  std::string name, media, text;
  Value value;
};

std::vector<Example> examples_of(const Operation& operation) {
  std::vector<Example> examples;
  const Value* body = operation.value->find("requestBody");
  if (body == nullptr) return {{"no body", "", "", {}}};
  for (const auto& [media, content] : member(*body, "content").members())
    for (const auto& [name, example] : member(content, "examples").members()) {
      const Value& value = member(example, "value");
      examples.push_back({name, media, json::to_text(value), value});
    }
  return examples;
}

// A schema of the document with everything it may refer to.
std::shared_ptr<const record::Schema> compiled(const Value& schema) {
  const Value* all = json::find(document(), "/components/schemas");
  Value whole = Value::object();
  whole.set("allOf", Value::array({schema}));
  whole.set("$defs", *all);
  std::string text = json::to_text(whole);
  constexpr std::string_view from = "#/components/schemas/", to = "#/$defs/";
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at))
    text.replace(at, from.size(), to);
  auto result = record::Schema::compile(json::parse(text).value());
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result ? *result : nullptr;
}

class ContractTest : public testing::Test {
 protected:
  // A node with something in it; of its own for every request.
  struct Node : ApiFixture {
    using ApiFixture::ask;
    using ApiFixture::Fields;
    using ApiFixture::header;
    using ApiFixture::text_of;

    Node() {
      backend.declare("orders", R"({"indexes":[{"name":"by-item","pointer":"/item"}]})");
      backend.declare("stock",
                      R"({"kind":"ledger","ledger":{"dimensions":["item","lot","location","unit"],)"
                      R"("scale":3,"never_below":"0","except":[{"location":"SUPPLIER"}]}})");
      ask(Method::put, "/v1/collections/orders/records/A-1", R"({"item":"ACME-7"})",
          {{"Idempotency-Key", "op-1"}});
      ask(Method::post, "/v1/collections/stock/entries",
          R"({"id":"E-0","quantity":"5","item":"A","lot":"L0","unit":"EA",)"
          R"("from":{"location":"SUPPLIER"},"to":{"location":"R1"}})");
      fill_hub(backend);
      TokenRecord token{"test", "sha256:00", Role::reader, {}, "2023-01-01T00:00:00.000Z", {}};
      record::Action action;
      action.collection = record::system_collection::tokens;
      action.key = "testtok1";
      action.value = Bytes{to_json(token)};
      record::Command command = record::single(std::move(action));
      command.operation = "token";
      EXPECT_FALSE(backend.apply(std::move(command)).refused);
      backend.cluster_view.role = "leader";
      backend.cluster_view.members.emplace_back();
      backend.cluster_view.actors.emplace_back();
    }
  };

  static http::Response send(const Operation& operation, const Example& example,
                             const std::string& target) {
    Node node;
    // Only an empty collection is removed, or becomes a ledger.
    if (operation.name != "get" && operation.path == "/v1/collections/{collection}")
      node.ask(Method::remove, "/v1/collections/orders/records/A-1");
    Node::Fields fields;
    if (!example.media.empty()) fields.emplace_back("Content-Type", example.media);
    return node.ask(operation.method, target, example.text, fields);
  }

  // The answer is one that the document tells of: status, media type, body, our header fields.
  static void check_answer(const Operation& operation, const http::Response& answer) {
    const Value& responses = member(*operation.value, "responses");
    const Value* told = responses.find(std::to_string(answer.status));
    if (told == nullptr) told = responses.find("default");
    ASSERT_NE(told, nullptr) << answer.status;
    const Value& response = resolved(*told);
    for (const auto& [name, value] : answer.headers) {
      if (!name.starts_with("Mainstay-") && name != "ETag") continue;
      const Value* headers = response.find("headers");
      EXPECT_TRUE(answer.status >= 400 || (headers != nullptr && headers->find(name) != nullptr))
          << operation.text() << " does not tell of " << name;
    }
    const Value* content = response.find("content");
    if (content == nullptr) {
      EXPECT_TRUE(answer.body.empty());
      return;
    }
    const std::string media = answer.content_type.substr(0, answer.content_type.find(';'));
    const Value* kind = content->find(media);
    ASSERT_NE(kind, nullptr) << operation.text() << " " << answer.status << " " << media;
    if (media == "text/plain") return;
    const auto schema = compiled(member(*kind, "schema"));
    ASSERT_NE(schema, nullptr);
    const auto body = json::parse(answer.body.view());
    ASSERT_TRUE(body) << answer.body.view();
    const auto violation = schema->check(*body);
    EXPECT_FALSE(violation) << operation.text() << ": at '" << violation->pointer << "' "
                            << violation->message << "\n"
                            << answer.body.view();
  }
};

TEST_F(ContractTest, EveryExampleIsTakenAndAnsweredAsTold) {
  std::size_t asked = 0;
  for (const Operation& operation : operations())
    for (const Example& example : examples_of(operation)) {
      const auto answer = send(operation, example, operation.target());
      EXPECT_TRUE(answer.status == 200 || answer.status == 201)
          << operation.text() << " (" << example.name << "): " << answer.body.view();
      EXPECT_NE(member(*operation.value, "responses").find(std::to_string(answer.status)), nullptr)
          << operation.text() << " does not tell of " << answer.status;
      check_answer(operation, answer);
      ++asked;
    }
  EXPECT_GE(asked, 35U);
}

TEST_F(ContractTest, NeededRolesAreAsTold) {
  for (const Operation& operation : operations()) {
    const Access* access = find_access(operation.method, operation.path);
    ASSERT_NE(access, nullptr) << operation.text();
    EXPECT_EQ(member(*operation.value, "x-role").text(), to_string(access->role))
        << operation.text();
    EXPECT_EQ(operation.value->find("security") != nullptr, access->role == Role::open)
        << operation.text();
  }
}

// The refusal of an unknown parameter lists the known ones: they are those of the document.
TEST_F(ContractTest, QueryParametersAreAsTold) {
  for (const Operation& operation : operations()) {
    if (operation.path.ends_with("/balances")) continue;  // takes the names of dimensions
    const auto answer =
        send(operation, examples_of(operation).front(),
             operation.target() + (operation.target().find('?') == std::string::npos ? "?" : "&") +
                 "nonsense=1");
    EXPECT_EQ(answer.status, 400) << operation.text();
    check_answer(operation, answer);
    const std::string detail = Node::text_of(answer, "detail");
    std::set<std::string> known;
    if (const auto at = detail.find("known: "); at != std::string::npos) {
      std::string list = detail.substr(at + 7) + ",";
      for (auto comma = list.find(','); comma != std::string::npos; comma = list.find(',')) {
        known.insert(list.substr(0, comma));
        list.erase(0, list.find_first_not_of(", ", comma));
      }
    }
    EXPECT_EQ(known, operation.names_in("query")) << operation.text() << ": " << detail;
  }
}

TEST_F(ContractTest, UnknownMembersAndMissingBodiesAreRefused) {
  for (const Operation& operation : operations()) {
    const Value* body = operation.value->find("requestBody");
    if (body == nullptr) continue;
    for (Example example : examples_of(operation)) {
      if (const Value* required = body->find("required"); required != nullptr) {
        const auto none = send(operation, {"", example.media, "", {}}, operation.target());
        EXPECT_EQ(none.status, 400) << operation.text();
        check_answer(operation, none);
      }
      if (operation.path.ends_with("/records/{key}")) continue;  // any JSON is a value
      example.value.set("nonsense", Value::number("1"));
      example.text = json::to_text(example.value);
      const auto answer = send(operation, example, operation.target());
      EXPECT_EQ(answer.status, 400) << operation.text() << answer.body.view();
      check_answer(operation, answer);
    }
  }
}

// Header fields that the document tells of are read: nonsense in them is refused.
TEST_F(ContractTest, HeaderParametersAreRead) {
  for (const Operation& operation : operations())
    for (const std::string& name : operation.names_in("header")) {
      const Example example = examples_of(operation).front();
      Node node;
      Node::Fields fields{{name, name == "Idempotency-Key" ? std::string(129, 'x') : "nonsense"}};
      std::string target = operation.target();
      if (name == "Mainstay-Session")
        target +=
            (target.find('?') == std::string::npos ? "?" : "&") + std::string{"level=session"};
      if (name == "Last-Event-ID") fields.emplace_back("Accept", "text/event-stream");
      const auto answer = node.ask(operation.method, target, example.text, fields);
      EXPECT_EQ(answer.status, 400) << operation.text() << " " << name << answer.body.view();
    }
}

}  // namespace
}  // namespace mainstay::api
