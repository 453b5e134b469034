// Asks a cluster through whichever of its nodes answers: tries the endpoints in turn until there is
// a definite answer or the deadline passes. Writes carry an operation id, so sending one again,
// even to another node, never does it twice.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/daemon/tool/context.hpp"
#include "runtime/http/client.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::tool {

// Whether a request may be sent again after it may have been carried out.
enum class Repeat {
  always,       // reads, and writes under an operation id
  unless_sent,  // commands to the cluster: an answer that is lost is outcome_unknown
};

using Pause = std::function<void(Millis)>;

class Session {
 public:
  // Errors: those of reading the context's authority file.
  static Result<std::unique_ptr<Session>> open(Context context, Millis deadline,
                                               const sys::Clock& clock, Pause pause);

  // A reply with a 2xx or 304 status, or the problem it was. Errors also: outcome_unknown,
  // unavailable when no endpoint could be reached. A node that hangs gets `window_max` at most
  // while there are others to turn to.
  Result<http::Reply> ask(const http::Call& call, Repeat repeat, Millis window_max = Millis{3000});

  // The same of this one node, in one attempt.
  Result<http::Reply> ask_node(const config::Endpoint& endpoint, const http::Call& call);

  // One attempt at each of these, at once; replies of any status, in their order.
  std::vector<Result<http::Reply>> ask_each(
      const std::vector<std::pair<config::Endpoint, std::string>>& targets, Millis wait);

  // One attempt at one endpoint, `done` on the client's thread: for loads that are not waited for.
  void send(const config::Endpoint& endpoint, http::Call call, Millis wait,
            http::Client::Done done);

  const std::vector<config::Endpoint>& endpoints() const { return context_.endpoints; }
  const Context& context() const { return context_; }

 private:
  Session(Context context, Millis deadline, const sys::Clock& clock, Pause pause,
          const http::ClientOptions& options);
  Result<http::Reply> attempt(const config::Endpoint& endpoint, http::Call call, Millis window);
  void authorize(http::Call& call) const;

  const Context context_;
  const Millis deadline_;
  const sys::Clock& clock_;
  const Pause pause_;
  http::Client client_;
  std::size_t first_ = 0;  // the endpoint that answered last, asked first
};

// The problem document of a reply as an Error.
Error problem_of(const http::Reply& reply);

}  // namespace mainstay::tool
