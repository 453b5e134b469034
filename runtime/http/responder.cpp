#include "runtime/http/responder.hpp"

#include <atomic>

#include "runtime/base/assert.hpp"
#include "runtime/http/problem.hpp"

namespace mainstay::http {

struct Responder::State {
  explicit State(std::shared_ptr<Exchange> where) : exchange{std::move(where)} {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (!answered)
      exchange->answer(problem(Error{Errc::internal, "the request was dropped without an answer"}));
  }

  std::shared_ptr<Exchange> exchange;
  std::atomic<bool> answered = false;
};

Responder::Responder(std::shared_ptr<Exchange> exchange)
    : state_{std::make_shared<State>(std::move(exchange))} {}

void Responder::answer(Response response) const {
  const bool before = state_->answered.exchange(true);
  ASSERT_MSG(!before, "a request is answered once");
  state_->exchange->answer(std::move(response));
}

void Responder::stream(Response head, std::shared_ptr<BodySource> source) const {
  const bool before = state_->answered.exchange(true);
  ASSERT_MSG(!before, "a request is answered once");
  state_->exchange->stream(std::move(head), std::move(source));
}

void Responder::post(std::function<void()> work) const {
  state_->exchange->post(std::move(work));
}

}  // namespace mainstay::http
