// The rules of the house, run over the whole tree.
#include <gtest/gtest.h>

#include "tests/tidy/rules.hpp"

namespace mainstay::tidy {
namespace {

TEST(Tidy, TheWholeTreeKeepsTheRules) {
  const Tree tree = load_tree(std::filesystem::current_path());
  ASSERT_GT(tree.size(), 50u) << "run from the top of the tree";
  std::string text;
  const Findings findings = check_tree(tree);
  for (const Finding& finding : findings) text += to_string(finding) + "\n";
  EXPECT_TRUE(findings.empty()) << findings.size() << " findings:\n" << text;
}

}  // namespace
}  // namespace mainstay::tidy
