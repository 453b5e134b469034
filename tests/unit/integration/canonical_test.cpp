#include "runtime/integration/canonical.hpp"

#include <gtest/gtest.h>

namespace mainstay::integration {
namespace {

using Operation = MappedRecord::Operation;

std::string violation(Operation operation, const char* collection, std::string_view value) {
  const auto found =
      canonical_violation({operation, collection, "k", json::parse(value).value(), ""});
  return found ? *found : "fine";
}

TEST(Canonical, RecordsAreCheckedAsTheirCollectionWould) {
  EXPECT_EQ(violation(Operation::put, "orders", R"({"order":"1","status":"draft"})"), "fine");
  EXPECT_EQ(violation(Operation::put, "orders", R"({"order":"1","status":"draft","x":1})"),
            "at '': has a member 'x', which is not allowed");
  EXPECT_EQ(violation(Operation::merge, "orders", R"({"note":"x"})"), "fine");
  EXPECT_EQ(violation(Operation::remove, "orders", "null"), "fine");
  EXPECT_EQ(violation(Operation::put, "my-own", "1"), "fine");
}

TEST(Canonical, EntriesAreCheckedAsTheirLedgerWould) {
  const char* good = R"({"quantity":"1","item":"A","lot":"-","unit":"EA","from":{"location":"R1"},
    "to":{"location":"R2"},"data":{"reason":"transfer"}})";
  EXPECT_EQ(violation(Operation::post, "stock_moves", good), "fine");
  EXPECT_EQ(violation(Operation::put, "stock_moves", good),
            "stock_moves is a ledger, whose entries are posted and stay");
  EXPECT_NE(violation(Operation::post, "stock_moves",
                      R"({"quantity":"0.0000001","item":"A","lot":"-","unit":"EA",
                      "from":{"location":"R1"},"to":{"location":"R2"}})"),
            "fine")
      << "more digits than the ledger has";
  EXPECT_EQ(violation(Operation::post, "stock_moves",
                      R"({"quantity":"1","item":"A","lot":"-","unit":"EA",
                      "from":{"location":"R1"},"to":{"location":"R2"},"data":{"time":"now"}})")
                .substr(0, 16),
            "at '/data/time':");
}

}  // namespace
}  // namespace mainstay::integration
