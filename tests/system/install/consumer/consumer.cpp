// A supervised actor written against the installed package.
#include <cstdio>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include "actors/kit/actor_system.hpp"
#include "actors/kit/supervisor.hpp"
#include "actors/kit/type_ids.hpp"

namespace consumer {

struct Greet {
  std::string name;
};

struct GreetReply {
  std::string text;
};

}  // namespace consumer

// Message numbers from 30 000 on are free for actors outside the tree.
CAF_BEGIN_TYPE_ID_BLOCK(mainstay_consumer, 30'000)
MAINSTAY_MESSAGE(consumer, consumer::Greet)
MAINSTAY_MESSAGE(consumer, consumer::GreetReply)
CAF_END_TYPE_ID_BLOCK(mainstay_consumer)

namespace consumer {

class Greeter final : public caf::event_based_actor {
 public:
  explicit Greeter(caf::actor_config& config) : caf::event_based_actor{config} {}

  caf::behavior make_behavior() override {
    return {[](const Greet& greet) {
      return GreetReply{greet.name + " greeted by an actor of our own"};
    }};
  }
};

}  // namespace consumer

int main() {
  using mainstay::kit::ChildFound;
  using mainstay::kit::FindChild;
  mainstay::kit::SystemOptions options;
  options.networking = false;
  mainstay::kit::ActorSystemConfig config{options};
  caf::actor_system system{config};
  mainstay::kit::SupervisorSpec spec;
  spec.name = "consumer";
  spec.children.push_back(
      {"greeter", [](mainstay::kit::StartContext& context) -> mainstay::Result<caf::actor> {
         return caf::actor_cast<caf::actor>(context.spawn<consumer::Greeter>());
       }});
  const caf::actor supervisor = mainstay::kit::spawn_supervisor(system, std::move(spec));
  caf::scoped_actor self{system};
  const auto failed = [](const caf::error& error) {
    std::fprintf(stderr, "failed: %s\n", caf::to_string(error).c_str());
  };
  const auto deadline = std::chrono::seconds{10};
  caf::actor greeter;
  self->request(supervisor, deadline, FindChild{"greeter"})
      .receive([&greeter](const ChildFound& found) { greeter = found.child; }, failed);
  bool greeted = false;
  if (greeter != nullptr)
    self->request(greeter, deadline, consumer::Greet{"main"})
        .receive(
            [&greeted](const consumer::GreetReply& reply) {
              greeted = true;
              std::puts(reply.text.c_str());
            },
            failed);
  self->send_exit(supervisor, caf::exit_reason::user_shutdown);
  return greeted ? 0 : 1;
}
