#include "runtime/config/values.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mainstay::config {
namespace {

TEST(Values, SizesHaveUnits) {
  EXPECT_EQ(parse_size("0B").value(), 0U);
  EXPECT_EQ(parse_size("3KiB").value(), 3072U);
  EXPECT_EQ(parse_size("256MiB").value(), 256U << 20);
  EXPECT_EQ(parse_size("1TiB").value(), 1ULL << 40);
  for (const char* bad : {"", "5", "MiB", "5MB", "5 MiB", "-5MiB", "5MiBs", "99999999999TiB"})
    EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Values, DurationsHaveUnits) {
  EXPECT_EQ(parse_duration("50ms").value(), Millis{50});
  EXPECT_EQ(parse_duration("10s").value(), Millis{10'000});
  EXPECT_EQ(parse_duration("2h").value(), Millis{7'200'000});
  for (const char* bad : {"", "10", "s", "1d", "1.5s", "9223372036854775807h"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Values, AddressesNameHostAndPort) {
  EXPECT_EQ(parse_endpoint("a.example:80").value(), (Endpoint{"a.example", 80}));
  EXPECT_EQ(parse_endpoint("[::1]:0").value(), (Endpoint{"::1", 0}));
  EXPECT_EQ(to_string(Endpoint{"::1", 7400}), "[::1]:7400");
  for (const char* bad : {"", "host", ":80", "host:", "host:65536", "host:-1", "::1:80", "[::1:80",
                          "[]:80", "ho st:80", "a/b:80", "1@a:80"})
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
}

TEST(Values, PeersAreAList) {
  const auto peers = parse_peers("1@a:7401/api=a:7400, 2@[::2]:7401").value();
  ASSERT_EQ(peers.size(), 2U);
  EXPECT_EQ(peers[0], (Peer{NodeId{1}, "a:7401", "a:7400"}));
  EXPECT_EQ(peers[1], (Peer{NodeId{2}, "[::2]:7401", ""}));
  EXPECT_TRUE(parse_peers("").value().empty());
  for (const char* bad :
       {"a:1", "0@a:1", "65536@a:1", "1@a", "1@a:1/x=b:1", "1@a:1/api=", "1@a:1,,"})
    EXPECT_FALSE(parse_peers(bad)) << bad;
}

TEST(Values, EditDistanceIsAMetric) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_TRUE(rc::check("symmetric, zero for equals, triangle",
                        [](const std::string& a, const std::string& b, const std::string& c) {
                          RC_ASSERT(edit_distance(a, a) == 0U);
                          RC_ASSERT(edit_distance(a, b) == edit_distance(b, a));
                          RC_ASSERT(edit_distance(a, c) <=
                                    edit_distance(a, b) + edit_distance(b, c));
                        }));
}

TEST(Values, ArbitraryTextIsTakenOrRefusedNeverMore) {
  EXPECT_TRUE(rc::check("no crash, and what is taken prints back", [](const std::string& text) {
    (void)parse_integer(text);
    (void)parse_size(text);
    (void)parse_duration(text);
    (void)parse_peers(text);
    if (auto endpoint = parse_endpoint(text))
      RC_ASSERT(parse_endpoint(to_string(*endpoint)).value() == *endpoint);
  }));
}

}  // namespace
}  // namespace mainstay::config
