#include "actors/kit/supervisor.hpp"

#include <gmock/gmock.h>

#include "tests/actor/kit/actor_fixture.hpp"

namespace mainstay::kit {

// What the test tells a child to do.
struct Crash {};
struct End {};

}  // namespace mainstay::kit

MAINSTAY_BEGIN_MESSAGES(tests)
MAINSTAY_MESSAGE(tests, mainstay::kit::Crash)
MAINSTAY_MESSAGE(tests, mainstay::kit::End)
MAINSTAY_END_MESSAGES(tests)

namespace mainstay::kit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

// What happened to the children, in order: "+a" started, "-a" ended.
using Story = std::shared_ptr<std::vector<std::string>>;

class Worker final : public caf::event_based_actor {
 public:
  Worker(caf::actor_config& config, std::string id, Story story, bool stubborn)
      : caf::event_based_actor{config}, id_{std::move(id)}, story_{std::move(story)} {
    story_->push_back("+" + id_);
    if (stubborn) set_exit_handler([](const caf::exit_msg&) {});
  }
  caf::behavior make_behavior() override {
    return {[this](const Crash&) { quit(failure("asked to crash")); },
            [this](const End&) { quit(); }};
  }
  void on_exit() override { story_->push_back("-" + id_); }

 private:
  const std::string id_;
  const Story story_;
};

class SupervisorTest : public mainstay::testing::ActorTest {
 protected:
  ChildSpec worker(const std::string& id, bool stubborn = false) {
    ChildSpec spec;
    spec.name = id;
    spec.start = [id, stubborn, this](StartContext& context) -> Result<caf::actor> {
      if (failing_starts_ > 0) {
        --failing_starts_;
        return fail(Errc::io_error, "no luck");
      }
      return caf::actor{context.spawn<Worker>(id, story_, stubborn)};
    };
    return spec;
  }

  caf::actor supervise(std::vector<ChildSpec> children,
                       RestartStrategy strategy = RestartStrategy::one_for_one,
                       RestartBudget budget = {3, 10s}) {
    auto supervisor = keep(
        spawn_supervisor(system(), SupervisorSpec{"test", strategy, budget, std::move(children)}));
    settle();
    return supervisor;
  }

  caf::actor child(const caf::actor& supervisor, const std::string& name) {
    return ask<ChildFound>(supervisor, FindChild{name}).child;
  }
  template <class What>
  void do_to(const caf::actor& supervisor, const std::string& name, What what) {
    tell(child(supervisor, name), what);
    settle();
  }
  std::vector<std::string> story() { return std::exchange(*story_, {}); }

  Story story_ = std::make_shared<std::vector<std::string>>();
  int failing_starts_ = 0;
};

TEST_F(SupervisorTest, starts_in_order_and_stops_in_reverse) {
  auto supervisor = supervise({worker("a"), worker("b"), worker("c")});
  EXPECT_THAT(story(), ElementsAre("+a", "+b", "+c"));
  stop(supervisor);
  EXPECT_THAT(story(), ElementsAre("-c", "-b", "-a"));
  EXPECT_EQ(end_of(supervisor), "user_shutdown");
}

TEST_F(SupervisorTest, one_for_one_restarts_the_crashed_child_alone) {
  auto supervisor = supervise({worker("a"), worker("b"), worker("c")});
  story();
  do_to(supervisor, "b", Crash{});
  EXPECT_THAT(story(), ElementsAre("-b", "+b"));
  const auto list = ask<ChildList>(supervisor, ListChildren{});
  EXPECT_EQ(list.children[1].restarts, 1u);
  EXPECT_EQ(list.children[1].last_end, "asked to crash");
  EXPECT_EQ(list.children[1].state, ChildState::running);
  EXPECT_EQ(list.children[0].restarts, 0u);
}

TEST_F(SupervisorTest, rest_for_one_stops_the_rest_in_reverse_before_it_starts_again) {
  auto supervisor = supervise({worker("a"), worker("b"), worker("c"), worker("d")},
                              RestartStrategy::rest_for_one);
  story();
  do_to(supervisor, "b", Crash{});
  EXPECT_THAT(story(), ElementsAre("-b", "-d", "-c", "+b", "+c", "+d"));
}

TEST_F(SupervisorTest,
       rest_for_one_with_a_second_crash_while_stopping_still_starts_everything_once) {
  auto supervisor =
      supervise({worker("a"), worker("b", true), worker("c", true)}, RestartStrategy::rest_for_one);
  story();
  do_to(supervisor, "b", Crash{});  // c is stubborn: stopping until its deadline
  EXPECT_THAT(story(), ElementsAre("-b"));
  do_to(supervisor, "a", Crash{});
  run_for(5s);
  EXPECT_THAT(story(), ElementsAre("-a", "-c", "+a", "+b", "+c"));
}

TEST_F(SupervisorTest,
       a_child_that_does_not_stop_is_killed_at_its_deadline_and_the_next_one_waits) {
  auto supervisor = supervise({worker("a"), worker("b", true)});
  story();
  stop(supervisor);
  run_for(4999ms);
  EXPECT_THAT(story(), IsEmpty());
  run_for(1ms);
  EXPECT_THAT(story(), ElementsAre("-b", "-a"));
  EXPECT_FALSE(alive(supervisor));
}

TEST_F(SupervisorTest, a_spent_budget_stops_the_others_in_reverse_and_escalates_with_the_cause) {
  auto supervisor = supervise({worker("a"), worker("b"), worker("c")});
  for (int i = 0; i < 3; ++i) do_to(supervisor, "c", Crash{});
  story();
  do_to(supervisor, "c", Crash{});
  EXPECT_THAT(story(), ElementsAre("-c", "-b", "-a"));
  EXPECT_THAT(end_of(supervisor), HasSubstr("restart budget spent on c: asked to crash"));
}

TEST_F(SupervisorTest, crashes_spread_over_time_do_not_spend_the_budget) {
  auto supervisor = supervise({worker("a")});
  for (int i = 0; i < 10; ++i) {
    do_to(supervisor, "a", Crash{});
    run_for(4s);
  }
  EXPECT_TRUE(alive(supervisor));
}

TEST_F(SupervisorTest, a_critical_child_takes_everything_down_at_once) {
  auto critical = worker("storage");
  critical.critical = true;
  auto supervisor = supervise({critical, worker("b", true)});
  story();
  do_to(supervisor, "storage", Crash{});
  EXPECT_THAT(story(), ElementsAre("-storage", "-b"));  // b is stubborn: killed, not asked
  EXPECT_THAT(end_of(supervisor), HasSubstr("critical child storage failed"));
}

TEST_F(SupervisorTest, a_start_that_fails_is_tried_again_within_the_budget) {
  failing_starts_ = 2;
  auto supervisor = supervise({worker("a"), worker("b")}, RestartStrategy::rest_for_one);
  EXPECT_THAT(story(), ElementsAre("+a", "+b"));
  EXPECT_EQ(ask<ChildList>(supervisor, ListChildren{}).children[0].restarts, 2u);
}

TEST_F(SupervisorTest, a_start_that_never_succeeds_escalates) {
  failing_starts_ = 1000;
  auto supervisor = supervise({worker("a"), worker("b")});
  EXPECT_THAT(end_of(supervisor), HasSubstr("restart budget spent on a: start failed: no luck"));
  EXPECT_THAT(story(), IsEmpty());
}

TEST_F(SupervisorTest, a_start_that_fails_during_a_restart_counts_and_is_repeated) {
  auto supervisor = supervise({worker("a"), worker("b")}, RestartStrategy::rest_for_one);
  story();
  failing_starts_ = 1;
  do_to(supervisor, "a", Crash{});
  EXPECT_THAT(story(), ElementsAre("-a", "-b", "+a", "+b"));
}

TEST_F(SupervisorTest, an_exception_in_a_start_function_is_a_failed_start) {
  ChildSpec bad;
  bad.name = "bad";
  bad.start = [](StartContext&) -> Result<caf::actor> { throw std::runtime_error{"thrown"}; };
  auto supervisor = supervise({worker("a"), bad});
  EXPECT_THAT(end_of(supervisor), HasSubstr("start failed: thrown"));
  EXPECT_THAT(story(), ElementsAre("+a", "-a"));
}

TEST_F(SupervisorTest, a_temporary_child_is_not_restarted) {
  auto temporary = worker("t");
  temporary.restart = RestartKind::temporary;
  auto supervisor = supervise({temporary});
  story();
  do_to(supervisor, "t", Crash{});
  EXPECT_THAT(story(), ElementsAre("-t"));
  EXPECT_FALSE(child(supervisor, "t"));
  EXPECT_TRUE(alive(supervisor));
}

TEST_F(SupervisorTest, a_transient_child_may_end_normally) {
  auto transient = worker("t");
  transient.restart = RestartKind::transient;
  auto supervisor = supervise({transient, worker("b")});
  story();
  do_to(supervisor, "t", End{});
  EXPECT_THAT(story(), ElementsAre("-t"));
}

TEST_F(SupervisorTest, a_killed_supervisor_leaves_no_child_behind) {
  auto supervisor = supervise({worker("a"), worker("b", true)});
  story();
  stop(supervisor, caf::exit_reason::kill);
  EXPECT_THAT(story(), ElementsAre("-b", "-a"));
}

TEST_F(SupervisorTest, a_later_child_finds_an_earlier_one) {
  caf::actor found;
  auto later = worker("later");
  later.start = [&found, this](StartContext& context) -> Result<caf::actor> {
    found = context.find("earlier");
    return caf::actor{context.spawn<Worker>("later", story_, false)};
  };
  auto supervisor = supervise({worker("earlier"), later});
  EXPECT_EQ(found, child(supervisor, "earlier"));
  EXPECT_TRUE(found);
  found = nullptr;
}

TEST_F(SupervisorTest, supervisors_nest_and_an_inner_one_that_gives_up_is_restarted_by_the_outer) {
  ChildSpec inner;
  inner.name = "inner";
  inner.start = [this](StartContext& context) -> Result<caf::actor> {
    return caf::actor{context.spawn<Supervisor>(
        SupervisorSpec{"inner", RestartStrategy::one_for_one, {1, 10s}, {worker("a")}})};
  };
  auto outer = supervise({inner});
  for (int i = 0; i < 2; ++i) do_to(child(outer, "inner"), "a", Crash{});
  EXPECT_THAT(story(), ElementsAre("+a", "-a", "+a", "-a", "+a"));
  EXPECT_EQ(ask<ChildList>(outer, ListChildren{}).children[0].restarts, 1u);
}

}  // namespace
}  // namespace mainstay::kit
