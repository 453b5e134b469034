#include <caf/all.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include "actors/kit/actor_system.hpp"
#include "actors/kit/errors.hpp"

namespace mainstay::kit {
namespace {

TEST(ActorSystem, each_system_has_its_own_random_node_id) {
  ActorSystemConfig config_a;
  ActorSystemConfig config_b;
  caf::actor_system a{config_a};
  caf::actor_system b{config_b};
  EXPECT_NE(a.node(), b.node());
  EXPECT_NE(caf::to_string(a.node()).find('#'), std::string::npos);
  EXPECT_EQ(caf::to_string(a.node()).find("#" + std::to_string(::getpid())), std::string::npos);
}

TEST(ActorSystem, starts_and_stops_with_networking) {
  ActorSystemConfig config;
  caf::actor_system system{config};
  EXPECT_TRUE(system.has_middleman());
}

TEST(Errors, reasons_have_texts) {
  EXPECT_EQ(text_of(caf::error{}), "normal");
  EXPECT_EQ(text_of(failure("the disk is gone")), "the disk is gone");
  EXPECT_EQ(text_of(caf::make_error(caf::exit_reason::kill)), "kill");
  EXPECT_EQ(text_of(caf::make_error(caf::sec::request_timeout)), "request_timeout");
  EXPECT_TRUE(is_normal(caf::make_error(caf::exit_reason::user_shutdown)));
  EXPECT_FALSE(is_normal(caf::make_error(caf::exit_reason::kill)));
}

TEST(Errors, an_exception_in_a_handler_is_the_reason_with_its_text) {
  ActorSystemConfig config{SystemOptions{false, false, 1}};
  caf::actor_system system{config};
  auto actor = system.spawn([](caf::event_based_actor* self) {
    route_errors(*self, "thrower");
    return caf::behavior{[](int) { throw std::runtime_error{"a clear text"}; }};
  });
  caf::scoped_actor self{system};
  self->monitor(actor);
  caf::anon_send(actor, 1);
  std::string reason;
  self->receive([&reason](const caf::down_msg& down) { reason = text_of(down.reason); });
  EXPECT_EQ(reason, "a clear text");
}

}  // namespace
}  // namespace mainstay::kit
