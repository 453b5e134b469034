#include "runtime/tls/identity.hpp"

#include <gtest/gtest.h>

namespace mainstay::tls {
namespace {

TEST(Identity, is_written_as_a_uri_and_read_back) {
  const Identity identity{"plant-7", NodeId{42}};
  EXPECT_EQ(uri_of(identity), "mainstay://plant-7/node/42");
  EXPECT_EQ(identity_of_uri("mainstay://plant-7/node/42"), identity);
}

TEST(Identity, refuses_every_other_spelling) {
  for (const char* uri :
       {"", "mainstay://", "mainstay://a/node/", "mainstay://a/node/0", "mainstay://a/node/01",
        "mainstay://a/node/+1", "mainstay://a/node/1 ", "mainstay://a/node/1/x", "mainstay://a/b/1",
        "mainstay:///node/1", "https://a/node/1", "MAINSTAY://a/node/1", "mainstay://a b/node/1",
        "mainstay://a/node/18446744073709551616", "mainstay://a/authority",
        "mainstay://a/node/1/node/1"})
    EXPECT_FALSE(identity_of_uri(uri)) << uri;
}

TEST(Identity, cluster_names_fit_a_uri) {
  EXPECT_TRUE(check_cluster_name("Werk_2.west-1"));
  EXPECT_FALSE(check_cluster_name(""));
  EXPECT_FALSE(check_cluster_name("a/b"));
  EXPECT_FALSE(check_cluster_name("a,DNS:evil"));
  EXPECT_TRUE(check_cluster_name(std::string(63, 'a')));
  EXPECT_FALSE(check_cluster_name(std::string(64, 'a')));
}

}  // namespace
}  // namespace mainstay::tls
