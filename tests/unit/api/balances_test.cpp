#include <map>

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include "runtime/base/decimal.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;

constexpr const char* path = "/v1/collections/stock/balances";

class BalancesTest : public testing::Test, protected ApiFixture {
 protected:
  BalancesTest() { declare(); }

  void declare() {
    backend.declare("stock", R"({"kind":"ledger","ledger":)"
                             R"({"dimensions":["item","lot","location"],"scale":1}})");
  }
  void move(const std::string& item, const std::string& lot, const std::string& from,
            const std::string& to, const std::string& quantity) {
    const auto posted =
        ask(Method::post, "/v1/collections/stock/entries",
            R"({"id":"e)" + std::to_string(++entries) + R"(","quantity":")" + quantity +
                R"(","item":")" + item + R"(","lot":")" + lot + R"(","from":{"location":")" + from +
                R"("},"to":{"location":")" + to + "\"}}");
    ASSERT_EQ(posted.status, 201) << posted.body.view();
  }
  // "A/L1/R1 5.0" for each balance, over all pages.
  std::vector<std::string> balances(const std::string& parameters) {
    std::vector<std::string> found;
    const std::string first = std::string{path} + "?" + parameters;
    std::string target = first;
    for (int pages = 0; pages < 200; ++pages) {
      const auto page = ask(Method::get, target);
      if (page.status != 200) return {std::string{page.body.view()}};
      for (const auto& balance : items_of(page, "balances")) {
        std::string text;
        for (const char* name : {"item", "lot", "location"})
          if (const auto* value = balance.as_object().if_contains(name); value != nullptr)
            text += std::string{value->as_string()} + "/";
        found.push_back(text + " " + std::string{balance.at("quantity").as_string()});
      }
      const std::string next = text_of(page, "next");
      if (next.empty()) return found;
      target = first;
      target.append("&after=").append(next);
    }
    return {"endless"};
  }

  int entries = 0;
};

using testing::ElementsAre;

TEST_F(BalancesTest, AreShownSelectedAndSummed) {
  move("A", "L1", "OUT", "R1", "5");
  move("A", "L2", "OUT", "R1", "2.5");
  move("A", "L1", "R1", "R2", "1");
  move("B", "L1", "OUT", "R1", "7");
  EXPECT_THAT(balances("item=A&lot=L1"),
              ElementsAre("A/L1/OUT/ -5.0", "A/L1/R1/ 4.0", "A/L1/R2/ 1.0"));
  EXPECT_THAT(balances("location=R1&limit=1"),
              ElementsAre("A/L1/R1/ 4.0", "A/L2/R1/ 2.5", "B/L1/R1/ 7.0"));
  EXPECT_THAT(balances("by=item&location=R1"), ElementsAre("A/ 6.5", "B/ 7.0"));
  EXPECT_THAT(balances("by=item&limit=1"), ElementsAre("A/ 0.0", "B/ 0.0"));
  EXPECT_THAT(balances("by=location&item=A&limit=1"),
              ElementsAre("OUT/ -7.5", "R1/ 6.5", "R2/ 1.0"));
  EXPECT_THAT(balances("by=location,item&limit=2"),
              ElementsAre("A/OUT/ -7.5", "A/R1/ 6.5", "A/R2/ 1.0", "B/OUT/ -7.0", "B/R1/ 7.0"));
  EXPECT_THAT(balances("item=C"), ElementsAre());
}

TEST_F(BalancesTest, ASumHasTheNewestRevisionOfItsParts) {
  move("A", "L1", "OUT", "R1", "5");
  move("A", "L2", "OUT", "R1", "2");
  const auto sums = body_of(ask(Method::get, std::string{path} + "?by=item,location&location=R1"));
  EXPECT_EQ(sums.at("balances").at(0).at("revision"), 3);
}

TEST_F(BalancesTest, BadRequestsAreRefused) {
  for (const char* parameters : {"colour=red", "by=colour", "by=", "by=item,,lot", "item=A&item=B",
                                 "after=xyz", "limit=0", "level=often"})
    EXPECT_EQ(problem_of(ask(Method::get, std::string{path} + "?" + parameters)),
              "invalid_argument")
        << parameters;
  EXPECT_THAT(text_of(ask(Method::get, std::string{path} + "?colour=red"), "detail"),
              testing::HasSubstr("item, lot, location"));
  backend.declare("orders");
  EXPECT_EQ(problem_of(ask(Method::get, "/v1/collections/orders/balances")), "conflict");
}

// Any selection of dimensions, any kept ones: the sums of a plain search.
TEST_F(BalancesTest, AgreeWithAPlainSearch) {
  EXPECT_TRUE(rc::check("any movements", [this] {
    backend.state = std::make_shared<record::MemoryState>();
    backend.declarations = {};
    declare();
    std::map<std::vector<std::string>, int> tenths;
    const int moves = *rc::gen::inRange(0, 12);
    const auto pick = [](std::vector<std::string> from) {
      return *rc::gen::elementOf(std::move(from));
    };
    for (int i = 0; i < moves; ++i) {
      const std::string item = pick({"A", "AB", "B"}), lot = pick({"L", "L1"});
      const std::string from = pick({"OUT", "R"}), to = pick({"R1", "R2"});
      const int quantity = *rc::gen::inRange(1, 100);
      move(item, lot, from, to, Decimal{quantity, 1}.to_string());
      tenths[{item, lot, from}] -= quantity;
      tenths[{item, lot, to}] += quantity;
    }
    const auto kept = *rc::gen::container<std::vector<bool>>(3, rc::gen::arbitrary<bool>());
    const std::vector<std::string> names{"item", "lot", "location"};
    std::string by;
    for (std::size_t i = 0; i < 3; ++i)
      if (kept[i]) by += (by.empty() ? "by=" : ",") + names[i];
    std::map<std::vector<std::string>, int> sums;
    for (const auto& [position, quantity] : tenths) {
      if (quantity == 0) continue;
      std::vector<std::string> group;
      for (std::size_t i = 0; i < 3; ++i)
        if (kept[i] || by.empty()) group.push_back(position[i]);
      sums[group] += quantity;
    }
    std::vector<std::string> expected;
    for (const auto& [group, quantity] : sums) {
      std::string text;
      for (const std::string& part : group) text += part + "/";
      expected.push_back(text + " " + Decimal{quantity, 1}.to_string());
    }
    const std::string limit = std::to_string(*rc::gen::inRange(1, 5));
    RC_ASSERT(balances("limit=" + limit + "&" + by) == expected);
  }));
}

}  // namespace
}  // namespace mainstay::api
