// Rows that were made, compared with rows that are there.
#include <gtest/gtest.h>

#include "runtime/torture/worker.hpp"

namespace mainstay::torture {
namespace {

class NumberedTest : public ::testing::Test {
 protected:
  NumberedTest() {
    for (int i = 0; i < 6; ++i) names_.push_back(made_.next());
  }

  Numbered::Comparison compare(const std::vector<std::string>& rows) const {
    Numbered::Comparison comparison{made_};
    for (const std::string& row : rows) comparison.see(row);
    comparison.end();
    return comparison;
  }

  Numbered made_{"s1"};
  std::vector<std::string> names_;
};

TEST_F(NumberedTest, AllThatWereMadeAreThere) {
  const auto found = compare(names_);
  EXPECT_TRUE(found.missing().empty());
  EXPECT_TRUE(found.foreign().empty());
  EXPECT_EQ(found.seen(), 6U);
}

TEST_F(NumberedTest, OneThatIsMissingIsNamed) {
  auto rows = names_;
  rows.erase(rows.begin() + 2);
  rows.pop_back();
  EXPECT_EQ(compare(rows).missing(), (std::vector<std::string>{names_[2], names_[5]}));
}

TEST_F(NumberedTest, OneThatNobodyMadeIsNamed) {
  auto rows = names_;
  rows.emplace_back("s1-000000007");
  rows.emplace_back("s1-junk");
  EXPECT_EQ(compare(rows).foreign(), (std::vector<std::string>{"s1-000000007", "s1-junk"}));
}

TEST_F(NumberedTest, OneThatNeverHappenedMustNotBeThere) {
  names_.push_back(made_.next());
  made_.drop_last();
  EXPECT_EQ(compare(names_).foreign(), std::vector<std::string>{names_.back()});
  names_.pop_back();
  EXPECT_TRUE(compare(names_).missing().empty());
}

TEST_F(NumberedTest, OneInDoubtMayBeThereOrNot) {
  names_.push_back(made_.next());
  made_.doubt_last();
  EXPECT_TRUE(compare(names_).foreign().empty());
  names_.pop_back();
  EXPECT_TRUE(compare(names_).missing().empty());
}

TEST_F(NumberedTest, ARowThatIsListedTwiceIsNamed) {
  auto rows = names_;
  rows.insert(rows.begin() + 1, rows[0]);
  EXPECT_EQ(compare(rows).foreign(), std::vector<std::string>{names_[0]});
}

}  // namespace
}  // namespace mainstay::torture
