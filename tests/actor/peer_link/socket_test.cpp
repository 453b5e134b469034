#include "actors/peer_link/socket.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace mainstay::peer_link {
namespace {

TEST(SplitAddress, takes_names_and_both_kinds_of_numbers) {
  EXPECT_EQ(split_address("node-1.plant:7401")->host, "node-1.plant");
  EXPECT_EQ(split_address("node-1.plant:7401")->port, 7401);
  EXPECT_EQ(split_address("[::1]:7")->host, "::1");
}

TEST(SplitAddress, refuses_everything_else) {
  for (const char* text : {"", ":", "host", "host:", ":1", "host:x", "host:70000", "host:-1",
                           "::1:7", "host:1 ", "host: 1"})
    EXPECT_FALSE(split_address(text)) << text;
}

TEST(NumericAddresses, asks_no_name_service) {
  EXPECT_EQ(numeric_addresses({"127.0.0.1", 1}).size(), 1u);
  EXPECT_EQ(numeric_addresses({"::1", 1}).size(), 1u);
  EXPECT_TRUE(numeric_addresses({"localhost", 1}).empty());
}

TEST(ListenOn, gives_a_free_port_and_refuses_a_taken_one) {
  const auto listener = listen_on("127.0.0.1:0");
  ASSERT_TRUE(listener);
  const auto port = port_of(listener->get());
  EXPECT_NE(port, 0);
  const auto again = listen_on("127.0.0.1:" + std::to_string(port));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::io_error);
}

TEST(UniqueFd, closes_what_it_owns_once) {
  int number = -1;
  {
    UniqueFd first{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    number = first.get();
    UniqueFd second{std::move(first)};
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): emptiness is what is tested
    EXPECT_EQ(second.get(), number);
    const UniqueFd copy = duplicate(second.get());
    EXPECT_NE(copy.get(), number);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

}  // namespace
}  // namespace mainstay::peer_link
