// Thousands of connections that do nothing beside some that do.
#include <malloc.h>
#include <sys/resource.h>

#include "runtime/http/client.hpp"
#include "tests/unit/http/server_fixture.hpp"

namespace mainstay::http {
namespace {

constexpr std::size_t idle_count = 2'000;

// Both ends are in this process. False if the system allows no more files.
bool allow_files(rlim_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  if (limit.rlim_cur >= count) return true;
  limit.rlim_cur = std::min(count, limit.rlim_max);
  return limit.rlim_cur >= count && ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

// Of all threads. Instrumented builds say 0.
std::size_t bytes_in_use() {
  return ::mallinfo2().uordblks;
}

class IdleTest : public ServerTest {
 protected:
  // Half of them have been served once, half have never said anything.
  void open_idle() {
    for (std::size_t i = 0; i < idle_count; ++i) {
      idle_.push_back(std::make_unique<Socket>(server_->endpoint()));
      if (i % 2 == 0) idle_.back()->say("GET /idle HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for (std::size_t i = 0; i < idle_count; i += 2) idle_[i]->hear("GET /idle ");
    ASSERT_TRUE(eventually([&] { return server_->counts().connections_open >= idle_count; }));
  }

  std::vector<std::unique_ptr<Socket>> idle_;
};

TEST_F(IdleTest, ThousandsOfIdleConnectionsDoNotHinderTheOthers) {
  ASSERT_TRUE(allow_files(2 * idle_count + 200)) << "the hard limit of ulimit -n is too low";
  options_.connections_max = idle_count + 10;
  start();
  open_idle();
  Client client;
  for (int i = 0; i < 200; ++i) {
    auto reply = client.call(server_->endpoint(), Call{Method::get, "/busy"}, soon());
    ASSERT_TRUE(reply) << reply.error().message;
    ASSERT_EQ(reply->status, 200);
  }
  Socket pipelined{server_->endpoint()};
  std::string all;
  for (int i = 0; i < 100; ++i) all += "GET /p HTTP/1.1\r\nHost: x\r\n\r\n";
  pipelined.say(all);
  pipelined.hear("GET /p ", 100);
  EXPECT_EQ(server_->counts().requests, idle_count / 2 + 300);
  EXPECT_EQ(server_->counts().connections_refused, 0U);
  // Those that waited all the while are served as well.
  for (const auto& socket : idle_) socket->say("GET /woken HTTP/1.1\r\nHost: x\r\n\r\n");
  for (const auto& socket : idle_)
    EXPECT_THAT(socket->hear("GET /woken "), ::testing::HasSubstr("200 OK"));
  // And all go when their time is over.
  ASSERT_TRUE(eventually([&] {
    clock_.advance(options_.idle_timeout);
    return server_->counts().connections_open == 0;
  }));
  EXPECT_EQ(server_->counts().timeouts, 0U);
}

TEST_F(IdleTest, AnIdleConnectionHoldsLittleMemory) {
  ASSERT_TRUE(allow_files(2 * idle_count + 200)) << "the hard limit of ulimit -n is too low";
  options_.connections_max = idle_count + 10;
  start();
  idle_.reserve(idle_count);
  const std::size_t before = bytes_in_use();
  open_idle();
  const std::size_t each = (bytes_in_use() - before) / idle_count;
  RecordProperty("bytes_per_idle_connection", static_cast<int>(each));
  EXPECT_LT(each, 12U * 1024);
}

}  // namespace
}  // namespace mainstay::http
