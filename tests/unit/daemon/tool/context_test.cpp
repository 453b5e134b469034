#include "runtime/daemon/tool/context.hpp"

#include "tests/unit/daemon/tool/fake_node.hpp"

namespace mainstay::tool {
namespace {

using testing::HasSubstr;

class ContextTest : public ToolTest {
 protected:
  config::Settings with_file(const std::string& content) {
    return {{"MAINSTAY_CONTEXT_FILE", write_file("context.toml", content)}, {"HOME", directory_}};
  }
};

std::string text_of(const Context& context) {
  std::string text;
  for (const auto& endpoint : context.endpoints) text += to_string(endpoint) + " ";
  return text;
}

TEST_F(ContextTest, FlagsOverruleTheEnvironmentAndThatTheFile) {
  auto environment = with_file("endpoints = [\"a:1\", \"b:2\"]\ntoken = \"of the file\"\n");
  EXPECT_EQ(text_of(find_context({}, environment).value()), "a:1 b:2 ");
  EXPECT_EQ(find_context({}, environment)->token, "of the file");
  environment.emplace_back("MAINSTAY_ENDPOINTS", "http://c:3/, d:4");
  environment.emplace_back("MAINSTAY_TOKEN", "of the environment");
  EXPECT_EQ(text_of(find_context({}, environment).value()), "c:3 d:4 ");
  EXPECT_EQ(find_context({}, environment)->token, "of the environment");
  ContextFlags flags;
  flags.endpoints = {"e:5"};
  flags.token_file = write_file("token", "of the flag\n");
  EXPECT_EQ(text_of(find_context(flags, environment).value()), "e:5 ");
  EXPECT_EQ(find_context(flags, environment)->token, "of the flag");
  EXPECT_FALSE(find_context(flags, environment)->tls);
}

TEST_F(ContextTest, NamedContexts) {
  const auto environment = with_file(
      "endpoints = \"a:1\"\n[plant-b]\nendpoints = \"https://b:2\"\nca = \"~/ca.pem\"\n"
      "token_file = \"~/token\"\n");
  write_file("token", "mst_x");
  ContextFlags flags;
  flags.context = "plant-b";
  const auto context = find_context(flags, environment).value();
  EXPECT_EQ(text_of(context), "b:2 ");
  EXPECT_TRUE(context.tls);
  EXPECT_EQ(context.ca, directory_ + "/ca.pem");
  EXPECT_EQ(context.token, "mst_x");
  flags.context = "plant-c";
  EXPECT_EQ(find_context(flags, environment).error().code, Errc::not_found);
}

TEST_F(ContextTest, MistakesNameTheirPlace) {
  EXPECT_THAT(find_context({}, with_file("endpoint = \"a:1\"\n")).error().message,
              HasSubstr("context.toml:1:12: there is no 'endpoint'"));
  EXPECT_THAT(find_context({}, with_file("endpoints = 7\n")).error().message,
              HasSubstr("text in double quotes"));
  EXPECT_EQ(find_context({}, with_file("token_file = \"/none\"\n")).error().code, Errc::not_found);
  EXPECT_EQ(find_context({}, with_file("endpoints = \"nowhere\"\n")).error().code,
            Errc::invalid_argument);
  EXPECT_EQ(text_of(find_context({}, {}).value()), "127.0.0.1:7400 ") << "no home, no file";
}

TEST_F(ContextTest, TheAuthorityMustBeThere) {
  const Ran ran = run_tool({"get", "c", "k", "--ca", path("none.pem")});
  EXPECT_EQ(ran.code, 3) << ran.err;
}

}  // namespace
}  // namespace mainstay::tool
