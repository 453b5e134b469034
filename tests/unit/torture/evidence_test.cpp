#include "runtime/torture/evidence.hpp"

#include <gtest/gtest.h>

namespace mainstay::torture {
namespace {

TEST(EvidenceTest, AFindingFailsItsCheckAlone) {
  Evidence evidence;
  evidence.expect("first", "rows");
  evidence.expect("second", "calls");
  evidence.looked("first", 3);
  evidence.wrong("second", "it was 5");
  const auto checks = evidence.checks();
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_TRUE(checks[0].passed());
  EXPECT_EQ(checks[0].looked, 3U);
  EXPECT_FALSE(checks[1].passed());
  EXPECT_EQ(checks[1].findings, std::vector<std::string>{"it was 5"});
}

TEST(EvidenceTest, FindingsAreCountedAndTheFirstOnesTold) {
  Evidence evidence;
  evidence.expect("one", "rows");
  for (int i = 0; i < 1000; ++i) evidence.wrong("one", std::to_string(i));
  EXPECT_EQ(evidence.checks()[0].wrong, 1000U);
  EXPECT_EQ(evidence.checks()[0].findings.size(), findings_told_max);
}

}  // namespace
}  // namespace mainstay::torture
