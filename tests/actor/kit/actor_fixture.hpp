// The fixture of all actor tests: one thread, virtual time, nothing runs until the test says so.
//
//   class GatewayTest : public mainstay::testing::ActorTest {};
//   TEST_F(GatewayTest, answers_busy_at_the_bound) {
//     Inbox<PeerUp, PeerDown> inbox{*this};
//     auto gateway = spawn<Gateway>(config, inbox.handle());
//     tell(gateway, SendFrame{...});
//     run_for(50ms);
//     EXPECT_EQ(inbox.take<PeerUp>().size(), 1u);
//     const auto status = ask<LinkStatus>(gateway, GetLinkStatus{});
//   }
//
// Actors under test must not be detached and must take time from kit::now_of(*this). A test that
// leaves an actor alive fails, unless the fixture spawned it: those it ends itself.
#pragma once

#include <chrono>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <gtest/gtest.h>

#include "actors/kit/actor_system.hpp"
#include "actors/kit/errors.hpp"

namespace mainstay::testing {

using namespace std::chrono_literals;

class ActorTest : public ::testing::Test {
 public:
  caf::actor_system& system() { return system_; }

  // Any actor class; ended by the fixture after the test.
  template <class Actor, class... Args>
  auto spawn(Args&&... args) {
    return keep(system_.spawn<Actor>(std::forward<Args>(args)...));
  }
  template <class Handle>
  Handle keep(Handle handle) {
    spawned_.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  }

  template <class Handle, class Message>
  void tell(const Handle& to, Message message) {
    caf::anon_send(to, std::move(message));
  }

  // Delivers everything that is queued, at the present moment.
  void settle() { scheduler_.run(); }

  // Advances time in steps small enough for timers that start timers.
  void run_for(std::chrono::milliseconds time) {
    settle();
    for (; time > 0ms; time -= 1ms) {
      scheduler_.advance_time(1ms);
      settle();
    }
  }

  MonotonicTime now() {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(scheduler_.clock().now());
  }

  // Asks and returns the answer; an error answer fails the test and gives a default value.
  template <class Answer, class Handle, class Message>
  Answer ask(const Handle& whom, Message question) {
    Answer answer{};
    auto pending = self_->request(whom, 3600s, std::move(question));
    settle();
    pending.receive(
        [&answer](Answer& given) { answer = std::move(given); },
        [](const caf::error& error) { ADD_FAILURE() << "no answer: " << kit::text_of(error); });
    return answer;
  }

  template <class Handle>
  void stop(const Handle& actor, caf::exit_reason reason = caf::exit_reason::user_shutdown) {
    caf::anon_send_exit(actor, reason);
    settle();
  }

  // Why `actor` ended; fails the test if it still lives.
  template <class Handle>
  std::string end_of(const Handle& actor) {
    std::string reason = "still alive";
    self_->monitor(actor);
    settle();
    self_->receive([&reason](const caf::down_msg& down) { reason = kit::text_of(down.reason); },
                   caf::after(0s) >> [] { ADD_FAILURE() << "the actor still lives"; });
    self_->demonitor(actor);
    return reason;
  }

  template <class Handle>
  bool alive(const Handle& actor) {
    bool ended = false;
    self_->monitor(actor);
    settle();
    self_->receive([&ended](const caf::down_msg&) { ended = true; }, caf::after(0s) >> [] {});
    if (!ended) self_->demonitor(actor);
    return !ended;
  }

 protected:
  ActorTest() : config_{kit::SystemOptions{false, true, 1}}, system_{config_} {
    resting_ = system_.registry().running();
  }

  void TearDown() override {
    for (auto& actor : spawned_) caf::anon_send_exit(actor, caf::exit_reason::kill);
    spawned_.clear();
    // Children that supervisors stop with grace may need their deadlines to pass.
    for (int step = 0; step < 100 && system_.registry().running() > resting_; ++step)
      run_for(100ms);
    settle();
    EXPECT_EQ(system_.registry().running(), resting_) << "actors were left alive by this test";
  }

 private:
  kit::ActorSystemConfig config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  caf::scoped_actor self_{system_};
  std::vector<caf::actor> spawned_;
  std::size_t resting_ = 0;
};

// Collects messages of the given types; others are logged as errors. Requests of these types get no
// answer.
template <class... Messages>
class Inbox {
 public:
  explicit Inbox(ActorTest& test) : test_{test}, store_{std::make_shared<Store>()} {
    auto store = store_;
    handle_ = test.keep(test.system().spawn([store](caf::event_based_actor* self) {
      kit::route_errors(*self, "inbox");
      return caf::behavior{[store](const Messages& message) {
        std::get<std::vector<Messages>>(*store).push_back(message);
      }...};
    }));
    test.settle();
  }

  const caf::actor& handle() const { return handle_; }

  // All of this type since the last call.
  template <class Message>
  std::vector<Message> take() {
    test_.settle();
    return std::exchange(std::get<std::vector<Message>>(*store_), {});
  }

 private:
  using Store = std::tuple<std::vector<Messages>...>;
  ActorTest& test_;
  std::shared_ptr<Store> store_;
  caf::actor handle_;
};

}  // namespace mainstay::testing
