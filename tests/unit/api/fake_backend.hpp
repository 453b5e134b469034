// A node of one, in memory, for the tests of the API: the real state machine behind a backend whose
// answers a test can hold back or refuse, and whose time a test moves.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "runtime/api/api.hpp"
#include "runtime/record/memory_state.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

class ManualClock final : public sys::Clock {
 public:
  MonotonicTime monotonic() const override { return MonotonicTime{} + Millis{1'000'000} + passed; }
  WallTime wall() const override { return WallTime{} + Millis{1'700'000'000'000} + passed; }

  Millis passed{};
};

class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(const ManualClock& clock) : clock_{clock} {}

  void submit(record::Command command, MonotonicTime deadline,
              std::function<void(Result<record::Outcome>)> done) override {
    last_deadline = deadline;
    commands.push_back(command);
    if (refusal) return done(Failure{*refusal});
    if (!command.actions.empty() && command.actions[0].collection == lost_collection)
      return done(fail(Errc::outcome_unknown, "lost"));
    done(apply(std::move(command)));
    wake();
  }

  void read_barrier(ReadNeed need, MonotonicTime deadline,
                    std::function<void(Result<void>)> done) override {
    last_deadline = deadline;
    needs.push_back(need);
    if (on_barrier) on_barrier();
    if (hold_barriers) return held_barriers.push_back(std::move(done));
    if (refusal) return done(Failure{*refusal});
    done({});
  }

  void wait_revision(record::Revision after, MonotonicTime deadline,
                     std::function<void(Result<record::Revision>)> done) override {
    waiters.push_back({after, deadline, std::move(done)});
    wake();
  }

  Result<std::shared_ptr<const record::StateReader>> view() override {
    ++views;
    if (view_refusal) return Failure{*view_refusal};
    return std::shared_ptr<const record::StateReader>{state};
  }

  record::Revision revision() override { return state->counters().revision; }

  void administer(AdminCommand command, MonotonicTime deadline,
                  std::function<void(Result<std::string>)> done) override {
    last_deadline = deadline;
    admin.push_back(command);
    if (refusal) return done(Failure{*refusal});
    done(std::string{"done \"so\""});
  }

  ClusterView cluster() override { return cluster_view; }
  std::vector<Check> liveness() override { return live_checks; }
  std::vector<Check> readiness() override { return ready_checks; }
  bool started() override { return is_started; }
  void metrics(MonotonicTime, std::function<void(Result<std::string>)> done) override {
    if (refusal) return done(Failure{*refusal});
    done(std::string{"mainstay_up 1\n"});
  }
  std::string make_operation_id() override { return "made-" + std::to_string(++made); }

  // Applies past the list of commands.
  record::Outcome apply(record::Command command) {
    record::LogBatch batch;
    batch.wall_millis = sys::millis_of(clock_.wall());
    batch.batches.push_back({NodeId{1}, BootId{1}, 1, {std::move(command)}});
    const auto outcomes = record::apply(*state, declarations, state->counters().applied_index + 1,
                                        1, batch, {limits::retention_window_ms});
    return outcomes.front().outcomes.front();
  }
  void declare(const std::string& name, const std::string& declaration = "{}") {
    record::Action action;
    action.kind = record::ActionKind::declare;
    action.collection = record::system_collection::collections;
    action.key = name;
    action.value = Bytes{declaration};
    record::Command command = record::single(std::move(action));
    command.operation = "declare-" + name + "-" + std::to_string(++declared);
    const auto outcome = apply(std::move(command));
    ASSERT_MSG(!outcome.refused, outcome.detail.c_str());
  }
  // One entry of the log without commands: time passes, indexes are built.
  void tick() {
    record::apply_nothing(*state, declarations, state->counters().applied_index + 1, 1,
                          {limits::retention_window_ms});
  }

  void end_barriers() {
    hold_barriers = false;
    for (const auto& done : std::exchange(held_barriers, {})) done({});
  }

  // Ends the waits that have something to see, or whose time is over.
  void wake() {
    std::deque<Waiter> waiting;
    waiting.swap(waiters);
    for (Waiter& waiter : waiting) {
      const record::Revision revision = state->counters().revision;
      if (revision > waiter.after || waiter.deadline <= clock_.monotonic())
        waiter.done(revision);
      else
        waiters.push_back(std::move(waiter));
    }
  }

  struct Waiter {
    record::Revision after;
    MonotonicTime deadline;
    std::function<void(Result<record::Revision>)> done;
  };

  std::shared_ptr<record::MemoryState> state = std::make_shared<record::MemoryState>();
  record::Declarations declarations;
  std::optional<Error> refusal;       // of submit, read_barrier, administer, metrics
  std::string lost_collection;        // writes to it do not arrive
  std::optional<Error> view_refusal;  // of view
  std::function<void()> on_barrier;
  bool hold_barriers = false;
  std::vector<std::function<void(Result<void>)>> held_barriers;
  std::vector<record::Command> commands;
  std::vector<ReadNeed> needs;
  std::vector<AdminCommand> admin;
  std::deque<Waiter> waiters;
  MonotonicTime last_deadline;
  ClusterView cluster_view;
  std::vector<Check> live_checks{{"ticks", true, ""}};
  std::vector<Check> ready_checks{{"leader", true, ""}, {"disk", true, ""}};
  bool is_started = true;
  int views = 0;
  int made = 0;
  int declared = 0;

 private:
  const ManualClock& clock_;
};

// What the server would do with an answer, or with the pieces of a stream.
class Recorder final : public http::Exchange {
 public:
  void answer(http::Response response) override { answers.push_back(std::move(response)); }
  void stream(http::Response head, std::shared_ptr<http::BodySource> body) override {
    answers.push_back(std::move(head));
    source = std::move(body);
  }
  void post(std::function<void()> work) override { posted.push_back(std::move(work)); }

  void run() {
    while (!posted.empty()) {
      auto work = std::move(posted.front());
      posted.pop_front();
      work();
    }
  }
  // The next piece, if there is one by now: ask once, then look again with `given`.
  void pull() {
    source->next([this](const Bytes& piece) { pieces.emplace_back(piece.view()); });
    run();
  }

  std::vector<http::Response> answers;
  std::vector<std::string> pieces;
  std::shared_ptr<http::BodySource> source;
  std::deque<std::function<void()>> posted;
};

inline ApiOptions without_auth() {
  ApiOptions options;
  options.auth_enabled = false;
  return options;
}

// Sends requests through the router, as the server would.
class ApiFixture {
 public:
  explicit ApiFixture(const ApiOptions& options = without_auth()) {
    add_routes(router, backend, clock, options);
  }

  using Fields = std::vector<std::pair<std::string, std::string>>;
  std::shared_ptr<Recorder> begin(http::Method method, const std::string& target,
                                  const std::string& body = "", const Fields& fields = {}) {
    auto recorder = std::make_shared<Recorder>();
    http::Request request;
    request.method = method;
    request.target = target;
    request.from = "10.0.0.9:4711";
    if (!body.empty()) request.body = Bytes{body};
    for (const auto& [name, value] : fields) request.headers.add(name, value);
    router(std::move(request), http::Responder{recorder});
    recorder->run();
    return recorder;
  }
  http::Response ask(http::Method method, const std::string& target, const std::string& body = "",
                     const Fields& fields = {}) {
    const auto recorder = begin(method, target, body, fields);
    ASSERT_MSG(recorder->answers.size() == 1, "one request, one answer");
    return recorder->answers.front();
  }

  // What the reads so far asked for.
  std::vector<ReadLevel> levels() const {
    std::vector<ReadLevel> all;
    for (const ReadNeed& need : backend.needs) all.push_back(need.level);
    return all;
  }
  static std::string header(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
      if (key == name) return value;
    return {};
  }
  static boost::json::object body_of(const http::Response& response) {
    return boost::json::parse(response.body.view()).as_object();
  }
  static boost::json::array items_of(const http::Response& response, std::string_view member) {
    return body_of(response).at(member).as_array();
  }
  static std::string text_of(const http::Response& response, std::string_view member) {
    const auto body = body_of(response);
    const auto* value = body.if_contains(member);
    return value != nullptr && value->is_string() ? std::string{value->as_string()} : "";
  }
  // The last part of the problem type, "" for no problem.
  static std::string problem_of(const http::Response& response) {
    if (response.content_type != "application/problem+json") return {};
    return text_of(response, "type").substr(8);
  }

  ManualClock clock;
  FakeBackend backend{clock};
  http::Router router;
};

}  // namespace mainstay::api
