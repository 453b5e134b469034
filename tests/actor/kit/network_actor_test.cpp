#include "actors/kit/network_actor.hpp"

#include <chrono>
#include <thread>

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <gtest/gtest.h>

#include "actors/kit/actor_system.hpp"
#include "actors/kit/type_ids.hpp"

namespace mainstay::kit {

// Asks an actor on which thread it is.
struct WhereAreYou {};
struct AskYourNeighbour {
  caf::actor neighbour;
};
struct Here {
  std::thread::id thread;
};

}  // namespace mainstay::kit

MAINSTAY_OWN_MESSAGE(mainstay::kit::WhereAreYou)
MAINSTAY_OWN_MESSAGE(mainstay::kit::AskYourNeighbour)
MAINSTAY_OWN_MESSAGE(mainstay::kit::Here)

namespace mainstay::kit {
namespace {

constexpr auto patience = std::chrono::seconds{20};

class Resident final : public NetworkActor {
 public:
  using NetworkActor::NetworkActor;
  caf::behavior make_behavior() override {
    return {
        [](const WhereAreYou&) { return Here{std::this_thread::get_id()}; },
        [this](const AskYourNeighbour& ask) { return delegate(ask.neighbour, WhereAreYou{}); },
    };
  }
};

SystemOptions options(bool networking) {
  SystemOptions wanted;
  wanted.networking = networking;
  return wanted;
}

template <class Question>
std::thread::id ask(caf::actor_system& system, const caf::actor& who, const Question& question) {
  std::thread::id thread;
  caf::scoped_actor self{system};
  self->request(who, patience, question)
      .receive([&thread](const Here& here) { thread = here.thread; },
               [&system](const caf::error& why) { ADD_FAILURE() << system.render(why); });
  return thread;
}

TEST(NetworkActor, runs_on_the_network_thread_whoever_speaks_to_it) {
  ActorSystemConfig config{options(true)};
  caf::actor_system system{config};
  const std::thread::id network = system.middleman().backend().thread_id();
  {
    const caf::actor one = system.spawn<Resident>();
    const caf::actor other = system.spawn<Resident>();
    const auto forward = [](caf::event_based_actor* self) {
      return caf::behavior{[self](const AskYourNeighbour& ask) {
        return self->delegate(ask.neighbour, WhereAreYou{});
      }};
    };
    const caf::actor scheduled = system.spawn(forward);
    const caf::actor detached = system.spawn<caf::detached>(forward);
    EXPECT_EQ(ask(system, one, WhereAreYou{}), network) << "asked from outside";
    EXPECT_EQ(ask(system, one, AskYourNeighbour{other}), network) << "asked by its neighbour";
    EXPECT_EQ(ask(system, scheduled, AskYourNeighbour{one}), network)
        << "asked by a scheduled actor";
    EXPECT_EQ(ask(system, detached, AskYourNeighbour{one}), network) << "asked by a detached actor";
    for (const caf::actor& actor : {one, other, scheduled, detached})
      caf::anon_send_exit(actor, caf::exit_reason::kill);
  }
}

TEST(NetworkActor, runs_on_the_scheduler_where_there_is_no_network) {
  ActorSystemConfig config{options(false)};
  caf::actor_system system{config};
  const caf::actor alone = system.spawn<Resident>();
  const std::thread::id thread = ask(system, alone, WhereAreYou{});
  EXPECT_NE(thread, std::thread::id{});
  EXPECT_NE(thread, std::this_thread::get_id());
  caf::anon_send_exit(alone, caf::exit_reason::kill);
}

// CAF waits for its actors before it stops the network: none may be left behind there.
TEST(NetworkActor, ends_with_its_system_while_it_is_spoken_to) {
  for (int life = 0; life < 30; ++life) {
    ActorSystemConfig config{options(true)};
    caf::actor_system system{config};
    const caf::actor one = system.spawn<Resident>();
    for (int i = 0; i < 100; ++i) caf::anon_send(one, WhereAreYou{});
    caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
    for (int i = 0; i < 100; ++i) caf::anon_send(one, WhereAreYou{});
  }
}

}  // namespace
}  // namespace mainstay::kit
