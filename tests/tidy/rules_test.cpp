// Each rule fires on a planted sample, and is silent on its harmless neighbour.
#include "tests/tidy/rules.hpp"

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mainstay::tidy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Table layers = parse_table(R"(
# a comment
schemas      :
runtime/base :
runtime/sys  : runtime/base
runtime/wire : runtime/base schemas
actors/kit   : runtime/base
actors/<x>   : runtime/base runtime/sys actors/kit
actors/node  : runtime/base actors
tests        : *
)");

const Table doors = parse_table(R"(
caf/       : actors runtime/daemon
lmdb.h     : runtime/store
random     : runtime/sys
boost/asio : runtime/http
curl/      :
)");

struct Sample {
  std::string rule;  // "" where nothing may be found
  std::string path;
  std::string text;
};

std::ostream& operator<<(std::ostream& out, const Sample& sample) {
  return out << sample.rule << " in " << sample.path << ": " << sample.text;
}

std::vector<std::string> rules_found(const Sample& sample) {
  const SourceFile file = make_source(sample.path, sample.text);
  std::vector<std::string> found;
  const auto take = [&](const Findings& findings) {
    for (const Finding& finding : findings) found.push_back(finding.rule);
  };
  take(check_layers(file, layers));
  take(check_doors(file, doors));
  take(check_words(file));
  take(check_shape(file));
  take(check_catches(file));
  return found;
}

class PlantedSample : public testing::TestWithParam<Sample> {};

TEST_P(PlantedSample, IsFoundAndNothingElse) {
  if (GetParam().rule.empty())
    EXPECT_THAT(rules_found(GetParam()), IsEmpty());
  else
    EXPECT_THAT(rules_found(GetParam()), ElementsAre(GetParam().rule));
}

INSTANTIATE_TEST_SUITE_P(
    Layers, PlantedSample,
    testing::Values(
        Sample{"layers", "runtime/base/a.cpp", "#include \"runtime/sys/clock.hpp\"\n"},
        Sample{"layers", "runtime/sys/a.cpp", "  #include \"schemas/log.capnp.h\"\n"},
        Sample{"layers", "runtime/base/a.cpp", "#include \"checksum.hpp\"\n"},
        Sample{"layers", "runtime/new/a.cpp", "#include \"runtime/base/log.hpp\"\n"},
        Sample{"layers", "runtime/sys/a.cpp", "#include \"actors/kit/kit.hpp\"\n"},
        Sample{"layers", "actors/kit/a.cpp", "#include \"actors/gateway/gateway_api.hpp\"\n"},
        Sample{"layers", "actors/gateway/a.cpp", "#include \"actors/replica/replica.hpp\"\n"},
        Sample{"layers", "actors/node/a.cpp", "#include \"runtime/sys/clock.hpp\"\n"},
        Sample{"", "actors/node/a.cpp", "#include \"actors/replica/effects.hpp\"\n"},
        Sample{"", "actors/gateway/a.cpp", "#include \"actors/replica/replica_api.hpp\"\n"},
        Sample{"", "actors/gateway/a.cpp", "#include \"actors/gateway/batch.hpp\"\n"},
        Sample{"", "runtime/sys/a.cpp", "#include \"runtime/base/log.hpp\"\n"},
        Sample{"", "runtime/base/a.cpp", "// #include \"runtime/sys/clock.hpp\"\n"},
        Sample{"", "tests/unit/base/a.cpp", "#include \"runtime/sys/clock.hpp\"\n"}));

INSTANTIATE_TEST_SUITE_P(
    Doors, PlantedSample,
    testing::Values(Sample{"doors", "runtime/base/a.cpp", "#include <caf/all.hpp>\n"},
                    Sample{"doors", "runtime/base/a.cpp", "#include <lmdb.h>\n"},
                    Sample{"doors", "actors/kit/a.cpp", "#include <random>\n"},
                    Sample{"doors", "actors/kit/a.cpp", "#include <boost/asio.hpp>\n"},
                    Sample{"doors", "actors/kit/a.cpp", "#include <boost/asio/ip/tcp.hpp>\n"},
                    Sample{"doors", "runtime/http/a.cpp", "#include <curl/curl.h>\n"},
                    Sample{"", "runtime/http/a.cpp", "#include <boost/asio.hpp>\n"},
                    Sample{"", "actors/kit/a.cpp", "#include <caf/all.hpp>\n"},
                    Sample{"", "runtime/base/a.cpp", "#include <random_other.hpp>\n"},
                    Sample{"", "tests/unit/a.cpp", "#include <lmdb.h>\n"}));

INSTANTIATE_TEST_SUITE_P(
    Words, PlantedSample,
    testing::Values(
        Sample{"sleep", "tests/a.cpp", "std::this_thread::sleep_for(1s);\n"},
        Sample{"sleep", "actors/kit/a.cpp", "  usleep(10);\n"},
        Sample{"infinite", "actors/kit/a.cpp", "request(x, infinite, y);\n"},
        Sample{"captures", "actors/kit/a.cpp", "auto f = [=] { g(); };\n"},
        Sample{"captures", "actors/kit/a.cpp", "auto f = [&, x] { g(); };\n"},
        Sample{"clock", "actors/kit/a.cpp", "auto now = steady_clock::now();\n"},
        Sample{"clock", "runtime/http/a.cpp", "auto now = std::chrono::system_clock::now();\n"},
        Sample{"random", "runtime/base/a.cpp", "random_device source;\n"},
        Sample{"random", "tests/a.cpp", "int x = rand();\n"},
        Sample{"skipped", "tests/a.cpp", "  GTEST_SKIP();\n"},
        Sample{"unfinished", "runtime/base/a.cpp",
               "// TO"
               "DO write this\n"},
        Sample{"unfinished", "docs/a.md",
               "FIX"
               "ME\n"},
        Sample{"workplace", "docs/a.md",
               "see /wo"
               "rk/x\n"},
        Sample{"workplace", "runtime/base/a.cpp",
               "// made by Clau"
               "de\n"},
        Sample{"foreign page", "docs/a.md",
               "as system"
               ".md says\n"},
        Sample{"", "runtime/sys/a.cpp", "auto now = steady_clock::now();\n"},
        Sample{"", "runtime/sys/a.cpp", "std::random_device source;\n"},
        Sample{"", "runtime/base/a.cpp", "// never usleep( in here: [=] std::rand\n"},
        Sample{"", "runtime/base/a.cpp", "auto f = [=] { g(\"sleep_for\"); };\n"},
        Sample{"", "actors/kit/a.cpp", "auto f = [&x, y] { infinite_loops(); operand(); };\n"},
        Sample{"", "bench/a.cpp", "auto now = steady_clock::now();\n"}));

INSTANTIATE_TEST_SUITE_P(
    Shape, PlantedSample,
    testing::Values(Sample{"shape", "runtime/base/a.cpp", "int a;"},
                    Sample{"shape", "runtime/base/a.cpp", "\tint a;\n"},
                    Sample{"shape", "runtime/base/a.hpp", "// What it is.\nint a();\n"},
                    Sample{"shape", "runtime/base/a.cpp", std::string(141, 'a') + "\n"},
                    Sample{"shape", "tests/a.py",
                           [] {
                             std::string long_file;
                             for (int line = 0; line < 601; ++line) long_file += "x = 1\n";
                             return long_file;
                           }()},
                    Sample{"", "runtime/base/a.hpp", "// What it is.\n#pragma once\n"},
                    Sample{"", "runtime/base/a.cpp", "// " + std::string(130, 'a') + "\n"},
                    Sample{"", "docs/a.md",
                           "| a table |\twith a very long line" + std::string(200, ' ') + "|\n"}));

INSTANTIATE_TEST_SUITE_P(
    Catches, PlantedSample,
    testing::Values(
        Sample{"catches", "runtime/base/a.cpp", "try { f(); } catch (...) {\n}\n"},
        Sample{"catches", "tests/a.cpp",
               "try { f(); } catch (...) { if (x) { y(); } return false; /* throw */ }\n"},
        Sample{"", "runtime/base/a.cpp", "try { f(); } catch (...) { clean_up(); throw; }\n"},
        Sample{"", "runtime/base/a.cpp",
               "try { f(); } catch (...) { return fail(Errc::internal, \"x\"); }\n"},
        Sample{"", "runtime/base/a.cpp", "try { f(); } catch (const Error&) {\n}\n"}));

TEST(Blanking, KeepsLinesAndColumnsAndTakesOnlyCommentsAndLiterals) {
  const SourceFile file =
      make_source("a.cpp",
                  "int a = 1'000; // one\nauto s = \"x\\\"y\"; /* two\nlines */ f('\\'');\n"
                  "auto r = R\"q(raw \" )\")q\"; g();\n");
  EXPECT_THAT(file.code,
              ElementsAre("int a = 1'000;       ", "auto s = \"    \";       ", "         f('  ');",
                          "auto r = " + std::string(15, ' ') + "; g();"));
}

// --- rules about the tree ---

Tree tree_of(std::vector<std::pair<std::string, std::string>> files) {
  Tree tree;
  for (auto& [path, text] : files) tree.push_back(make_source(path, text));
  std::sort(tree.begin(), tree.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return tree;
}

std::vector<std::string> paths(const Findings& findings) {
  std::vector<std::string> result;
  for (const Finding& finding : findings) result.push_back(finding.path);
  return result;
}

TEST(TopLevel, IsClosed) {
  const Tree tree = tree_of(
      {{"README.md", ""}, {"notes.txt", ""}, {"utils/x.cpp", ""}, {"runtime/base/a.hpp", ""}});
  EXPECT_THAT(paths(check_top_level(tree)), ElementsAre("notes.txt", "utils/x.cpp"));
}

TEST(Twins, AreDemandedForRuntimeAndActors) {
  const Tree tree = tree_of({{"runtime/base/log.cpp", ""},
                             {"runtime/base/ids.cpp", ""},
                             {"tests/unit/base/ids_test.cpp", ""},
                             {"actors/kit/supervisor.cpp", ""},
                             {"actors/node/node.cpp", ""},
                             {"tests/actor/node/node_test.cpp", ""}});
  EXPECT_THAT(paths(check_twins(tree, {})),
              ElementsAre("actors/kit/supervisor.cpp", "runtime/base/log.cpp"));
}

TEST(Twins, MayBeExcusedWithAReasonAsLongAsItIsTrue) {
  const Tree tree = tree_of({{"runtime/base/log.cpp", ""},
                             {"runtime/base/ids.cpp", ""},
                             {"tests/unit/base/ids_test.cpp", ""}});
  EXPECT_THAT(check_twins(tree, parse_table("runtime/base/log.cpp: nothing to test")), IsEmpty());
  EXPECT_THAT(check_twins(tree, parse_table("runtime/base/log.cpp: tests/unit/base/ids_test.cpp")),
              IsEmpty());
  EXPECT_THAT(
      paths(check_twins(tree, parse_table("runtime/base/log.cpp: tests/unit/base/gone_test.cpp"))),
      ElementsAre("runtime/base/log.cpp"));
  EXPECT_THAT(paths(check_twins(tree, parse_table("runtime/base/log.cpp:"))),
              ElementsAre("runtime/base/log.cpp"));
  EXPECT_THAT(
      paths(check_twins(
          tree, parse_table("runtime/base/log.cpp: x\nruntime/base/ids.cpp: x\ngone.cpp: x"))),
      ElementsAre("runtime/base/ids.cpp", "gone.cpp"));
}

TEST(DeadFiles, AreThoseThatNoListNames) {
  const Tree tree = tree_of({{"runtime/base/CMakeLists.txt", "SOURCES used.cpp deep/inner.cpp"},
                             {"runtime/base/used.cpp", ""},
                             {"runtime/base/deep/inner.cpp", ""},
                             {"runtime/base/forgotten.cpp", ""}});
  EXPECT_THAT(paths(check_dead_files(tree)), ElementsAre("runtime/base/forgotten.cpp"));
}

TEST(ConsoleBlocks, AreRunOrListed) {
  const Tree tree =
      tree_of({{"docs/a.md", "text\n```console\n$ ls\n```\n"}, {"docs/b.md", "```cpp\n```\n"}});
  EXPECT_THAT(paths(check_console_blocks(tree, {})), ElementsAre("docs/a.md"));
  EXPECT_THAT(check_console_blocks(tree, parse_table("docs/a.md: run by docs_commands")),
              IsEmpty());
  EXPECT_THAT(
      paths(check_console_blocks(tree, parse_table("docs/a.md: x\ndocs/b.md: x\ndocs/c.md: x"))),
      ElementsAre("docs/b.md", "docs/c.md"));
}

TEST(Links, LeadSomewhere) {
  const Tree tree = tree_of(
      {{"docs/a.md",
        "[b](b.md) [top](../README.md) [web](https://x.org/y)\n[here](#part) [d](decisions/)\n"},
       {"docs/b.md", "[gone](gone.md#part) ok [f](../runtime/)"},
       {"docs/decisions/1.md", ""},
       {"README.md", ""}});
  const Findings findings = check_links(tree);
  EXPECT_THAT(paths(findings), ElementsAre("docs/b.md", "docs/b.md"));
  EXPECT_EQ(findings.at(0).line, 1u);
}

TEST(Evidence, NamesTestsThatExist) {
  const Tree tree =
      tree_of({{"docs/guarantees.md",
                "`Suite.There` and `Suite.Gone`\n`README.md`, `file.hpp`, `Suite.AlsoThere`, "
                "`Faults.test_it`"},
               {"tests/a_test.cpp",
                "TEST_F(Suite, There) {\n// TEST(Suite, Gone) {\nTEST(Suite, AlsoThere) "
                "{\nTEST(README, md) {\n"},
               {"tests/b_test.py", "class Faults(Base):\n    def test_it(self):\n"}});
  const Findings findings = check_evidence(tree);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(to_string(findings[0]), "docs/guarantees.md:1: [evidence] there is no test Suite.Gone");
}

TEST(Exceptions, TakeOneRuleFromOneFileAndMustBeNeeded) {
  const std::vector<std::pair<std::string, std::string>> files{
      {"bench/CMakeLists.txt", "a.cpp\n"},
      {"bench/a.cpp",
       "// TO"
       "DO\n\tint a;\n"},
      {"tests/tidy/layers.txt", "bench : *\n"},
  };
  auto with = [&](const std::string& exceptions) {
    auto all = files;
    all.emplace_back("tests/tidy/exceptions.txt", exceptions);
    std::vector<std::string> rules;
    for (const Finding& finding : check_tree(tree_of(all))) rules.push_back(finding.rule);
    return rules;
  };
  EXPECT_THAT(with(""), ElementsAre("shape", "unfinished"));
  EXPECT_THAT(with("bench/a.cpp unfinished: a sample\n"), ElementsAre("shape"));
  EXPECT_THAT(with("bench/a.cpp sleep: not so\n"),
              ElementsAre("shape", "unfinished", "exceptions"));
}

}  // namespace
}  // namespace mainstay::tidy
