// A node of one, in memory, for the tests of the API: the real state machine behind a backend whose
// answers a test can hold back or refuse.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "runtime/api/api.hpp"
#include "runtime/record/memory_state.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

class FixedClock final : public sys::Clock {
 public:
  MonotonicTime monotonic() const override { return MonotonicTime{} + Millis{1'000'000}; }
  WallTime wall() const override { return WallTime{} + Millis{1'700'000'000'000}; }
};

class FakeBackend final : public Backend {
 public:
  void submit(record::Command command, MonotonicTime deadline,
              std::function<void(Result<record::Outcome>)> done) override {
    last_deadline = deadline;
    commands.push_back(command);
    if (refusal) return done(Failure{*refusal});
    record::LogBatch batch;
    batch.wall_millis = 1'700'000'000'000;
    batch.batches.push_back({NodeId{1}, BootId{1}, 1, {std::move(command)}});
    const auto outcomes = record::apply(*state, state->counters().applied_index + 1, 1, batch,
                                        {1'000'000, 1'000'000});
    done(outcomes.front().outcomes.front());
  }

  void read_barrier(ReadLevel level, MonotonicTime deadline,
                    std::function<void(Result<void>)> done) override {
    last_deadline = deadline;
    levels.push_back(level);
    if (refusal) return done(Failure{*refusal});
    done({});
  }

  Result<std::shared_ptr<const record::StateReader>> view() override {
    ++views;
    if (view_refusal) return Failure{*view_refusal};
    return std::shared_ptr<const record::StateReader>{state};
  }

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

  std::shared_ptr<record::MemoryState> state = std::make_shared<record::MemoryState>();
  std::optional<Error> refusal;       // of submit, read_barrier, administer, metrics
  std::optional<Error> view_refusal;  // of view
  std::vector<record::Command> commands;
  std::vector<ReadLevel> levels;
  std::vector<AdminCommand> admin;
  MonotonicTime last_deadline;
  ClusterView cluster_view;
  std::vector<Check> live_checks{{"ticks", true, ""}};
  std::vector<Check> ready_checks{{"leader", true, ""}, {"disk", true, ""}};
  bool is_started = true;
  int views = 0;
  int made = 0;
};

// Sends requests through the router, as the server would.
class ApiFixture {
 public:
  ApiFixture() { add_routes(router, backend, clock); }

  using Fields = std::vector<std::pair<std::string, std::string>>;
  http::Response ask(http::Method method, const std::string& target, const std::string& body = "",
                     const Fields& fields = {}) {
    class Recorder final : public http::Exchange {
     public:
      void answer(http::Response response) override { answers.push_back(std::move(response)); }
      void post(std::function<void()> work) override { posted.push_back(std::move(work)); }
      std::vector<http::Response> answers;
      std::deque<std::function<void()>> posted;
    };
    auto recorder = std::make_shared<Recorder>();
    http::Request request;
    request.method = method;
    request.target = target;
    if (!body.empty()) request.body = Bytes{body};
    for (const auto& [name, value] : fields) request.headers.add(name, value);
    router(std::move(request), http::Responder{recorder});
    while (!recorder->posted.empty()) {
      auto work = std::move(recorder->posted.front());
      recorder->posted.pop_front();
      work();
    }
    ASSERT_MSG(recorder->answers.size() == 1, "one request, one answer");
    return recorder->answers.front();
  }

  static std::string header(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
      if (key == name) return value;
    return {};
  }
  static boost::json::object body_of(const http::Response& response) {
    return boost::json::parse(response.body.view()).as_object();
  }
  // The last part of the problem type, "" for no problem.
  static std::string problem_of(const http::Response& response) {
    if (response.content_type != "application/problem+json") return {};
    const auto type = body_of(response).at("type").as_string();
    return std::string{type.c_str()}.substr(8);
  }

  FixedClock clock;
  FakeBackend backend;
  http::Router router;
};

}  // namespace mainstay::api
