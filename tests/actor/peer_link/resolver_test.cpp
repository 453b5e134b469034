#include "actors/peer_link/resolver.hpp"

#include <chrono>
#include <future>
#include <thread>

#include <gtest/gtest.h>

namespace mainstay::peer_link {
namespace {

using namespace std::chrono_literals;

TEST(Resolver, answers_numbers_at_once_on_the_calling_thread) {
  const auto resolver = std::make_shared<Resolver>();
  std::thread::id answered_on;
  resolver->look_up({"127.0.0.1", 7401}, [&answered_on](Result<std::vector<SocketAddress>> found) {
    EXPECT_TRUE(found);
    answered_on = std::this_thread::get_id();
  });
  EXPECT_EQ(answered_on, std::this_thread::get_id());
  resolver->close();
}

TEST(Resolver, answers_names_on_its_own_thread) {
  const auto resolver = std::make_shared<Resolver>();
  std::promise<std::thread::id> answered;
  resolver->look_up({"localhost", 7401}, [&answered](Result<std::vector<SocketAddress>> found) {
    EXPECT_TRUE(found);
    answered.set_value(std::this_thread::get_id());
  });
  auto answer = answered.get_future();
  ASSERT_EQ(answer.wait_for(20s), std::future_status::ready);
  EXPECT_NE(answer.get(), std::this_thread::get_id());
  resolver->close();
}

TEST(Resolver, calls_nothing_after_it_was_closed) {
  const auto resolver = std::make_shared<Resolver>();
  resolver->close();
  bool called = false;
  resolver->look_up({"localhost", 1}, [&called](const auto&) { called = true; });
  resolver->close();
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace mainstay::peer_link
