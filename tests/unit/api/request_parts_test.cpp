#include "runtime/api/request_parts.hpp"

#include <set>

#include <gtest/gtest.h>

namespace mainstay::api {
namespace {

TEST(RequestHash, DiffersWhereverTheRequestDiffers) {
  std::set<Hash128> seen;
  int requests = 0;
  const auto add = [&](std::initializer_list<std::string_view> parts) {
    seen.insert(request_hash(parts));
    ++requests;
  };
  add({"PUT", "c", "k", "1"});
  add({"DELETE", "c", "k", "1"});
  add({"PUT", "ck", "", "1"});
  add({"PUT", "", "ck", "1"});
  add({"PUT", "c", "k1", ""});
  add({"PUT", "c", "k", "2"});
  add({"PUT", "c", "k", "1", ""});
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(requests));
}

TEST(RequestHash, HoldsAllConditions) {
  std::set<std::string> seen;
  record::Condition condition;
  seen.insert(text_of(condition));
  condition.version_is = 12;
  seen.insert(text_of(condition));
  condition.version_is.reset();
  condition.version_is_not = {12};
  seen.insert(text_of(condition));
  condition.version_is_not = {1, 2};
  seen.insert(text_of(condition));
  condition.must_exist = true;
  seen.insert(text_of(condition));
  condition.must_exist = false;
  condition.must_be_absent = true;
  seen.insert(text_of(condition));
  EXPECT_EQ(seen.size(), 6U);
}

// Stored in every deduplication row: another value would refuse the repetitions of requests made
// before an upgrade.
TEST(RequestHash, NeverChanges) {
  EXPECT_EQ(hex_of(request_hash({"record", "PUT", "orders", "A-1", "{\"n\":1}", "is 3"})),
            "3391c14aeaf9012a567a293a027418fb");
}

TEST(Places, ComeBackAsTheyWere) {
  const std::string bytes{"\x00\xff\x05 a", 5};
  EXPECT_EQ(place_of_token(token_of_place(bytes)).value(), bytes);
  EXPECT_EQ(token_of_place("\xff/"), "ff2f");
  for (const char* token : {"f", "fg", "FF", "0x"}) EXPECT_FALSE(place_of_token(token)) << token;
}

}  // namespace
}  // namespace mainstay::api
