#include "runtime/daemon/tool/session.hpp"

#include <algorithm>
#include <future>

#include "runtime/base/limits.hpp"
#include "runtime/daemon/tool/document.hpp"
#include "runtime/http/problem.hpp"

namespace mainstay::tool {

namespace {

// With other nodes to turn to, one that hangs gets half of what is left of the deadline, within
// this and the caller's window_max.
constexpr Millis window_min{250};
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
  const auto document = object_of(reply);
  const std::string type = document ? text_at(*document, "type") : "";
  const std::string detail = document ? text_at(*document, "detail") : "";
  if (type.empty() || detail.empty())
    return Error{Errc::internal, "the answer is not of a Mainstay node: HTTP status " +
                                     std::to_string(reply.status)};
  const auto code = errc_of(std::string_view{type}.substr(type.rfind('/') + 1));
  const std::string pointer = text_at(*document, "pointer");
  return Error{code.value_or(Errc::internal), pointer.empty() ? detail : pointer + ": " + detail};
}

Session::Session(Context context, Millis deadline, const sys::Clock& clock, Pause pause,
                 const http::ClientOptions& options)
    : context_{std::move(context)},
      deadline_{deadline},
      clock_{clock},
      pause_{std::move(pause)},
      client_{options} {
  ASSERT(!context_.endpoints.empty());
}

Result<std::unique_ptr<Session>> Session::open(Context context, Millis deadline,
                                               const sys::Clock& clock, Pause pause) {
  http::ClientOptions options;
  if (context.tls) {
    TRY_ASSIGN(options.tls, tls::ClientContext::load(context.ca));
  }
  return std::unique_ptr<Session>{
      new Session{std::move(context), deadline, clock, std::move(pause), options}};
}

void Session::authorize(http::Call& call) const {
  if (!context_.token.empty())
    call.headers.emplace_back("Authorization", "Bearer " + context_.token);
}

Result<http::Reply> Session::attempt(const config::Endpoint& endpoint, http::Call call,
                                     Millis window) {
  const auto millis =
      std::clamp<std::int64_t>(window.count(), 1, std::int64_t{limits::request_ms_max});
  call.headers.emplace_back("Mainstay-Deadline-Ms", std::to_string(millis));
  authorize(call);
  auto reply = client_.call(endpoint, std::move(call), clock_.monotonic() + window + answer_slack);
  if (!reply || reply->status < 400) return reply;
  const Error problem = problem_of(*reply);
  return fail(problem.code, to_string(endpoint) + ": " + problem.message);
}

Result<http::Reply> Session::ask(const http::Call& call, Repeat repeat, Millis window_max) {
  const MonotonicTime end = clock_.monotonic() + deadline_;
  Error last{Errc::deadline_exceeded, "the deadline passed before the request was sent"};
  bool perhaps_done = false;
  Millis pause = pause_min;
  for (std::size_t attempts = 0;; ++attempts) {
    if (attempts != 0 && attempts % context_.endpoints.size() == 0) {
      pause_(pause);
      pause = std::min(2 * pause, pause_max);
    }
    const auto left = std::chrono::duration_cast<Millis>(end - clock_.monotonic());
    if (left <= Millis{0}) break;
    const Millis window = context_.endpoints.size() > 1
                              ? std::min(left, std::clamp(left / 2, window_min, window_max))
                              : left;
    auto reply =
        attempt(context_.endpoints[(first_ + attempts) % context_.endpoints.size()], call, window);
    if (reply || definite(reply.error())) {
      first_ = (first_ + attempts) % context_.endpoints.size();
      return reply;
    }
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

Result<http::Reply> Session::ask_node(const config::Endpoint& endpoint, const http::Call& call) {
  return attempt(endpoint, call, deadline_);
}

std::vector<Result<http::Reply>> Session::ask_each(
    const std::vector<std::pair<config::Endpoint, std::string>>& targets, Millis wait) {
  std::vector<std::promise<Result<http::Reply>>> promises(targets.size());
  const MonotonicTime end = clock_.monotonic() + wait;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    http::Call call{http::Method::get, targets[i].second};
    authorize(call);
    client_.send(targets[i].first, std::move(call), end,
                 [&promise = promises[i]](Result<http::Reply> reply) {
                   promise.set_value(std::move(reply));
                 });
  }
  std::vector<Result<http::Reply>> replies;
  for (auto& promise : promises) replies.push_back(promise.get_future().get());
  return replies;
}

void Session::send(const config::Endpoint& endpoint, http::Call call, Millis wait,
                   http::Client::Done done) {
  call.headers.emplace_back("Mainstay-Deadline-Ms", std::to_string(wait.count()));
  authorize(call);
  client_.send(endpoint, std::move(call), clock_.monotonic() + wait + answer_slack,
               std::move(done));
}

}  // namespace mainstay::tool
