// Asks a cluster through whichever of its nodes answers: tries the endpoints in turn until there is
// a definite answer or the deadline passes. Writes carry an operation id, so sending one again,
// even to another node, never does it twice.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/config/values.hpp"
#include "runtime/http/client.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::tool {

// Whether a request may be sent again after it may have been carried out.
enum class Repeat {
  always,       // reads, and writes under an operation id
  unless_sent,  // commands to the cluster: an answer that is lost is outcome_unknown
};

class Session {
 public:
  // REQUIRES: at least one endpoint.
  Session(std::vector<config::Endpoint> endpoints, Millis deadline, const sys::Clock& clock);

  // A reply with a 2xx or 304 status, or the problem it was. Errors also: outcome_unknown,
  // unavailable when no endpoint could be reached.
  Result<http::Reply> ask(const http::Call& call, Repeat repeat);

  // One attempt at each of these, at once; replies of any status, in their order.
  std::vector<Result<http::Reply>> ask_each(
      const std::vector<std::pair<config::Endpoint, std::string>>& targets, Millis wait);

  const std::vector<config::Endpoint>& endpoints() const { return endpoints_; }

 private:
  Result<http::Reply> attempt(const config::Endpoint& endpoint, http::Call call, Millis window);

  const std::vector<config::Endpoint> endpoints_;
  const Millis deadline_;
  const sys::Clock& clock_;
  http::Client client_;
};

// The problem document of a reply as an Error.
Error problem_of(const http::Reply& reply);

}  // namespace mainstay::tool
