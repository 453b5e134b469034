// Runs every script in this folder and compares the cluster's answers with those in the file.
// `interaction_test --rewrite` writes the answers into the files; the difference is then reviewed
// like code.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/interaction/script_cluster.hpp"

namespace mainstay::interaction {
namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

// The script with fresh answers: comments, blank lines and commands stay, everything else is what
// the cluster says now.
std::string replayed(const std::string& script) {
  ScriptCluster cluster;
  std::istringstream in{script};
  std::string text;
  bool answering = false;
  for (std::string line; std::getline(in, line);) {
    if (line.compare(0, 2, "> ") == 0) {
      text += line + "\n" + cluster.run(line.substr(2));
      answering = true;
    } else if (line.empty() || line[0] == '#') {
      text += line + "\n";
      answering = false;
    } else if (!answering) {
      text += line + "\n";
    }
  }
  return text;
}

std::string first_difference(const std::string& expected, const std::string& actual) {
  std::istringstream a{expected};
  std::istringstream b{actual};
  std::string line_a;
  std::string line_b;
  for (int number = 1;; ++number) {
    const bool more_a = static_cast<bool>(std::getline(a, line_a));
    const bool more_b = static_cast<bool>(std::getline(b, line_b));
    if (!more_a && !more_b) return "";
    if (!more_a) line_a = "(end)";
    if (!more_b) line_b = "(end)";
    if (line_a != line_b)
      return "line " + std::to_string(number) + "\n  file:    " + line_a + "\n  cluster: " + line_b;
  }
}

std::vector<std::filesystem::path> scripts() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator("tests/interaction"))
    if (entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt")
      found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

class Interaction : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Interaction, AnswersAsWritten) {
  const std::string script = content_of(GetParam());
  EXPECT_EQ(first_difference(script, replayed(script)), "") << GetParam();
  EXPECT_EQ(script.find("\nerror: "), std::string::npos) << "a command of the script is wrong";
}

INSTANTIATE_TEST_SUITE_P(Scripts, Interaction, testing::ValuesIn(scripts()),
                         [](const auto& script) { return script.param.stem().string(); });

TEST(Interactions, AreAllThere) {
  EXPECT_GE(scripts().size(), 25u);
}

int rewrite() {
  for (const auto& path : scripts()) {
    const std::string script = content_of(path);
    const std::string fresh = replayed(script);
    if (fresh == script) continue;
    std::ofstream{path} << fresh;
    std::cout << path << " rewritten\n";
  }
  return 0;
}

}  // namespace
}  // namespace mainstay::interaction

int main(int argc, char** argv) {
  if (argc > 1 && std::string{argv[1]} == "--rewrite") return mainstay::interaction::rewrite();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
