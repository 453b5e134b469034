#include "runtime/base/result.hpp"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace mainstay {
namespace {

const std::vector<Errc> all_codes{
#define X(name, status, exit_code, title) Errc::name,
#include "runtime/base/errc.def"
#undef X
};

TEST(ErrcTable, NamesAreUniqueAndStable) {
  std::set<std::string_view> names;
  for (Errc code : all_codes) EXPECT_TRUE(names.insert(to_string(code)).second) << to_string(code);
  EXPECT_EQ(to_string(Errc::not_found), "not_found");
  EXPECT_EQ(to_string(Errc::internal), "internal");
}

TEST(ErrcTable, EachRowHasAnErrorStatusAnExitCodeAndASentence) {
  for (Errc code : all_codes) {
    EXPECT_GE(http_status_of(code), 400) << to_string(code);
    EXPECT_LT(http_status_of(code), 600) << to_string(code);
    EXPECT_GE(exit_code_of(code), 1) << to_string(code);
    EXPECT_LE(exit_code_of(code), 7) << to_string(code);
    EXPECT_FALSE(title_of(code).empty()) << to_string(code);
  }
}

// Scripts rely on these: the tool's exit code says what kind of failure it was.
TEST(ErrcTable, GivesTheDocumentedExitCodes) {
  EXPECT_EQ(exit_code_of(Errc::invalid_argument), 2);
  EXPECT_EQ(exit_code_of(Errc::not_found), 3);
  EXPECT_EQ(exit_code_of(Errc::precondition_failed), 4);
  EXPECT_EQ(exit_code_of(Errc::busy), 5);
  EXPECT_EQ(exit_code_of(Errc::outcome_unknown), 6);
  EXPECT_EQ(exit_code_of(Errc::forbidden), 7);
}

TEST(Errors, ArePrintedAsKindAndMessage) {
  EXPECT_EQ(to_string(Error{Errc::not_found, "no record 'A-1'"}), "not_found: no record 'A-1'");
}

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Errc::invalid_argument, std::to_string(number) + " is odd");
  return number / 2;
}

Result<void> must_be_even(int number) {
  TRY(half(number));
  return {};
}

Result<int> quarter(int number) {
  TRY_ASSIGN(const int once, half(number));
  TRY_ASSIGN(const int twice, half(once));
  return twice;
}

TEST(Results, HoldAValueOrAnError) {
  EXPECT_EQ(half(8).value(), 4);
  EXPECT_EQ(half(7).error(), (Error{Errc::invalid_argument, "7 is odd"}));
}

TEST(Results, AreLeftWithTheFirstError) {
  EXPECT_EQ(quarter(12).value(), 3);
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
  EXPECT_EQ(quarter(5).error().message, "5 is odd");
  EXPECT_TRUE(must_be_even(2).has_value());
  EXPECT_EQ(must_be_even(3).error().message, "3 is odd");
}

TEST(AssertDeathTest, StaysOnAndNamesTheExpression) {
  EXPECT_DEATH(ASSERT(1 + 1 == 3), "result_test.cpp:[0-9]+: assertion failed: 1 \\+ 1 == 3");
  EXPECT_DEATH(ASSERT_MSG(false, "the log went backwards"),
               "assertion failed: false: the log went backwards");
  EXPECT_DEATH(UNREACHABLE(), "unreachable");
}

}  // namespace
}  // namespace mainstay
