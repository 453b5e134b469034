// docs/doctor.md is made from the table of conditions.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "runtime/daemon/tool/doctor/findings.hpp"

namespace mainstay::tool::doctor {
namespace {

TEST(Findings, TheDocumentIsUpToDate) {
  std::ifstream file{"docs/doctor.md"};
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), conditions_document());
}

}  // namespace
}  // namespace mainstay::tool::doctor
