#include "actors/adapter_host/cluster_port.hpp"

#include <chrono>
#include <future>

namespace mainstay::adapter_host {

namespace {

constexpr Millis commit_max{10'000};
constexpr Millis slice{50};

// Waits for the answer in slices, so that a stopping node is not held up.
template <class T>
Result<T> answer_of(std::future<Result<T>>& answer, Millis most,
                    const std::atomic<bool>& stopping) {
  for (Millis waited{0}; waited < most && !stopping; waited += slice)
    if (answer.wait_for(slice) == std::future_status::ready) return answer.get();
  return fail(stopping ? Errc::not_ready : Errc::outcome_unknown,
              stopping ? "the node stops" : "the node did not answer in time");
}

}  // namespace

Result<record::Outcome> ClusterPort::commit(record::Command command) {
  if (command.operation.empty()) command.operation = backend_.make_operation_id();
  const auto promise = std::make_shared<std::promise<Result<record::Outcome>>>();
  auto answer = promise->get_future();
  backend_.submit(
      std::move(command), clock_.monotonic() + commit_max,
      [promise](Result<record::Outcome> outcome) { promise->set_value(std::move(outcome)); });
  return answer_of(answer, commit_max + Millis{1'000}, *stopping_);
}

Result<record::Revision> ClusterPort::wait(record::Revision after, Millis most) {
  const auto promise = std::make_shared<std::promise<Result<record::Revision>>>();
  auto answer = promise->get_future();
  backend_.wait_revision(
      after, clock_.monotonic() + most,
      [promise](Result<record::Revision> revision) { promise->set_value(std::move(revision)); });
  return answer_of(answer, most + Millis{1'000}, *stopping_);
}

}  // namespace mainstay::adapter_host
