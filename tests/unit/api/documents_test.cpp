#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;

class DocumentsTest : public testing::Test, protected ApiFixture {};

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) c = static_cast<char>(std::tolower(c));
  return result;
}

std::set<std::string> operations_of(const boost::json::object& document) {
  std::set<std::string> operations;
  for (const auto& [path, item] : document.at("paths").as_object())
    for (const auto& [method, operation] : item.as_object())
      if (method != "parameters")
        operations.insert(std::string{method.data(), method.size()} + " " +
                          std::string{path.data(), path.size()});
  return operations;
}

TEST_F(DocumentsTest, EveryRouteIsInTheOpenApiDocumentAndViceVersa) {
  std::set<std::string> routes;
  for (const auto& route : router.routes())
    routes.insert(lower(to_string(route.method)) + " " + route.pattern);
  const auto served = ask(Method::get, "/v1/openapi.json");
  EXPECT_EQ(served.status, 200);
  EXPECT_EQ(operations_of(body_of(served)), routes);
}

// Every "#/…" reference leads somewhere.
void check_references(const boost::json::value& value, const boost::json::value& document) {
  if (const auto* array = value.if_array())
    for (const auto& element : *array) check_references(element, document);
  const auto* object = value.if_object();
  if (object == nullptr) return;
  for (const auto& [name, member] : *object) {
    if (name == "$ref") {
      boost::json::error_code error;
      document.find_pointer(member.as_string().subview(1), error);
      EXPECT_FALSE(error) << member;
    } else {
      check_references(member, document);
    }
  }
}

TEST_F(DocumentsTest, TheOpenApiDocumentIsWhole) {
  const boost::json::value document = boost::json::parse(openapi_document());
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  check_references(document, document);
  std::set<std::string> ids;
  for (const auto& [path, item] : document.at("paths").as_object())
    for (const auto& [method, operation] : item.as_object()) {
      if (method == "parameters") continue;
      EXPECT_TRUE(ids.insert(operation.at("operationId").as_string().c_str()).second) << path;
    }
}

// What the server says of a cluster is what the document says it says.
TEST_F(DocumentsTest, TheClusterAnswerHasTheDocumentedMembers) {
  backend.cluster_view.members.emplace_back();
  const auto answer = body_of(ask(Method::get, "/v1/cluster"));
  const boost::json::value document = boost::json::parse(openapi_document());
  const auto names_of = [](const boost::json::object& object) {
    std::set<std::string> names;
    for (const auto& [name, value] : object) names.emplace(name.data(), name.size());
    return names;
  };
  const auto& schemas = document.at("components").at("schemas");
  EXPECT_EQ(names_of(answer), names_of(schemas.at("Cluster").at("properties").as_object()));
  EXPECT_EQ(names_of(answer.at("members").as_array().at(0).as_object()),
            names_of(schemas.at("Member").at("properties").as_object()));
}

TEST_F(DocumentsTest, EveryProblemTypeIsAPage) {
  for (const char* name : {"not_found", "outcome_unknown", "internal"}) {
    const auto page = ask(Method::get, std::string{"/errors/"} + name);
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(body_of(page).at("type").as_string(), "/errors/" + std::string{name});
  }
  EXPECT_EQ(problem_of(ask(Method::get, "/errors/nonsense")), "not_found");
}

TEST_F(DocumentsTest, TheErrorsDocumentIsTheTable) {
  if (std::getenv("MAINSTAY_REWRITE") != nullptr)
    std::ofstream{"docs/errors.md"} << errors_document();
  std::ifstream file{"docs/errors.md"};
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), errors_document()) << "MAINSTAY_REWRITE=1 api_test writes it again";
}

}  // namespace
}  // namespace mainstay::api
