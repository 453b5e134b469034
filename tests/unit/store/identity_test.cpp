#include "runtime/store/identity.hpp"

#include <gtest/gtest.h>

#include "tests/unit/store/store_fixture.hpp"

namespace mainstay::store {
namespace {

IdentityFile some_file() {
  return IdentityFile{Identity{test_cluster, NodeId{3}, Incarnation{0xfedcba9876543210}},
                      Phase::starting_over, "why \"quoted\"\nand\ttabbed"};
}

TEST(IdentityFile, ReadsBackWhatItWrote) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(read_identity(directory.path()).value());
  const IdentityFile file = some_file();
  ASSERT_TRUE(write_identity(directory.path(), file));
  const auto found = read_identity(directory.path()).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->identity, file.identity);
  EXPECT_EQ(found->phase, file.phase);
  EXPECT_EQ(found->reason, file.reason);
}

TEST(IdentityFile, AnyChangedValueIsSeen) {
  const std::string text = format_identity(some_file());
  std::size_t refused = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x01);
    const auto found = parse_identity(damaged);
    // A space that becomes '!' or a newline that becomes another control character breaks the JSON;
    // nothing may pass with another value.
    if (!found) ++refused;
  }
  EXPECT_EQ(refused, text.size());
}

TEST(IdentityFile, AnyCutIsSeen) {
  const std::string text = format_identity(some_file());
  for (std::size_t size = 0; size + 2 < text.size(); ++size)
    EXPECT_FALSE(parse_identity(text.substr(0, size))) << size;
}

TEST(IdentityFile, ANewerFormatSaysSo) {
  std::string text = format_identity(some_file());
  text.replace(text.find("\"format\": 1"), 11, "\"format\": 2");
  const auto found = parse_identity(text);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::wrong_version);
  EXPECT_NE(found.error().message.find("run the release that wrote it"), std::string::npos);
}

}  // namespace
}  // namespace mainstay::store
