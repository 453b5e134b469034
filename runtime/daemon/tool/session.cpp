#include "runtime/daemon/tool/session.hpp"

#include <algorithm>
#include <future>
#include <thread>

#include <boost/json.hpp>

#include "runtime/base/limits.hpp"
#include "runtime/http/problem.hpp"

namespace mainstay::tool {

namespace {

// With other nodes to turn to, one that hangs gets half of what is left of the deadline, within
// these.
constexpr Millis window_min{250};
constexpr Millis window_max{3000};
// The node answers at its deadline; its answer needs a moment to come back.
constexpr Millis answer_slack{250};
constexpr Millis pause_min{20};
constexpr Millis pause_max{500};

bool definite(const Error& error) {
  return !http::retry_soon(error.code) && error.code != Errc::outcome_unknown &&
         error.code != Errc::deadline_exceeded && error.code != Errc::io_error;
}

}  // namespace

Error problem_of(const http::Reply& reply) {
  boost::json::error_code error;
  const boost::json::value document = boost::json::parse(reply.body, error);
  const auto* object = document.if_object();
  const auto* type = object != nullptr ? object->if_contains("type") : nullptr;
  const auto* detail = object != nullptr ? object->if_contains("detail") : nullptr;
  if (!error && type != nullptr && type->is_string() && detail != nullptr && detail->is_string()) {
    const std::string_view uri = type->as_string();
    const auto code = errc_of(uri.substr(uri.rfind('/') + 1));
    return Error{code.value_or(Errc::internal), std::string{std::string_view{detail->as_string()}}};
  }
  return Error{Errc::internal,
               "the answer is not of a Mainstay node: HTTP status " + std::to_string(reply.status)};
}

Session::Session(std::vector<config::Endpoint> endpoints, Millis deadline, const sys::Clock& clock)
    : endpoints_{std::move(endpoints)}, deadline_{deadline}, clock_{clock} {
  ASSERT(!endpoints_.empty());
}

Result<http::Reply> Session::attempt(const config::Endpoint& endpoint, http::Call call,
                                     Millis window) {
  const auto millis =
      std::clamp<std::int64_t>(window.count(), 1, std::int64_t{limits::request_ms_max});
  call.headers.emplace_back("Mainstay-Deadline-Ms", std::to_string(millis));
  auto reply = client_.call(endpoint, std::move(call), clock_.monotonic() + window + answer_slack);
  if (!reply || reply->status < 400) return reply;
  const Error problem = problem_of(*reply);
  return fail(problem.code, to_string(endpoint) + ": " + problem.message);
}

Result<http::Reply> Session::ask(const http::Call& call, Repeat repeat) {
  const MonotonicTime end = clock_.monotonic() + deadline_;
  Error last{Errc::deadline_exceeded, "the deadline passed before the request was sent"};
  bool perhaps_done = false;
  Millis pause = pause_min;
  for (std::size_t attempts = 0;; ++attempts) {
    if (attempts != 0 && attempts % endpoints_.size() == 0) {
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, pause_max);
    }
    const auto left = std::chrono::duration_cast<Millis>(end - clock_.monotonic());
    if (left <= Millis{0}) break;
    const Millis window =
        endpoints_.size() > 1 ? std::min(left, std::clamp(left / 2, window_min, window_max)) : left;
    auto reply = attempt(endpoints_[attempts % endpoints_.size()], call, window);
    if (reply || definite(reply.error())) return reply;
    last = reply.error();
    // Not sent, or refused before anything was done: may go anywhere again.
    if (http::retry_soon(last.code)) continue;
    perhaps_done = true;
    if (repeat == Repeat::unless_sent) break;
  }
  const bool reading = call.method == http::Method::get;
  if (perhaps_done && !reading) return fail(Errc::outcome_unknown, last.message);
  return Failure{last};
}

std::vector<Result<http::Reply>> Session::ask_each(
    const std::vector<std::pair<config::Endpoint, std::string>>& targets, Millis wait) {
  std::vector<std::promise<Result<http::Reply>>> promises(targets.size());
  const MonotonicTime end = clock_.monotonic() + wait;
  for (std::size_t i = 0; i < targets.size(); ++i)
    client_.send(targets[i].first, http::Call{http::Method::get, targets[i].second}, end,
                 [&promise = promises[i]](Result<http::Reply> reply) {
                   promise.set_value(std::move(reply));
                 });
  std::vector<Result<http::Reply>> replies;
  for (auto& promise : promises) replies.push_back(promise.get_future().get());
  return replies;
}

}  // namespace mainstay::tool
