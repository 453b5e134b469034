// Problem documents (RFC 9457): how every refusal is told. `type` is a stable relative reference,
// "/errors/<name of the Errc>", which every node serves as a page of its own; the names never
// change meaning (docs/errors.md).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/http/message.hpp"

namespace mainstay::http {

struct ProblemDetails {
  std::string instance = {};   // the path of the request
  std::string operation = {};  // the operation id, where the request has one
  std::string pointer = {};    // the part of the body that was refused: a JSON pointer
  // further members, in their order: name and value as JSON
  std::vector<std::pair<std::string, std::string>> members = {};
  int status = 0;                // 0: as the table of errors says
  int retry_after_seconds = -1;  // -1: 1 for those that may be repeated soon, else none
};

// application/problem+json with type, title, status, detail and what `details` gives; Retry-After
// where repeating may help.
Response problem(const Error& error, const ProblemDetails& details = {});

// True for the kinds that mean "try again soon": busy, not_ready, not_leader, unavailable,
// rate_limited.
bool retry_soon(Errc code);

std::string problem_type(Errc code);  // "/errors/not_found"

}  // namespace mainstay::http
