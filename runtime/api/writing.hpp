// Submits commands and answers with their outcomes; internal to runtime/api.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/api/context.hpp"

namespace mainstay::api {

// A command, and the places in the request's body that its parts come from (JSON pointers; none for
// requests that are one write).
struct Write {
  record::Command command;
  std::vector<std::string> checks, balances, actions;
};

// Where in the body the refused part stands; "" for the whole.
std::string pointer_of(const Write& write, const record::Outcome& outcome);

// What the client has seen with an outcome. One without a commit of its own shows what was there
// before: as of now, at the latest. On any thread, without waiting.
record::Revision revision_seen(const Call& call, const record::Outcome& outcome);

// Clients do not write to Mainstay's own collections. Errors: forbidden.
Result<void> check_writable(const std::string& collection);

// The operation id: Idempotency-Key, or one made here.
Result<std::string> operation_for(const Call& call);

// Makes the answer of a write that was carried out.
using Render =
    std::function<http::Response(const record::Outcome& outcome, const std::string& operation)>;

// Runs it and answers: with `render`, or with a problem. REQUIRES: the command is complete but for
// record::validate(), which is done here.
void submit(const CallPtr& call, Write write, Render render);
// The same with what is done before the answer is given: it must call `answer` once.
using Afterwards = std::function<void(const Result<record::Outcome>& outcome,
                                      const std::string& operation, std::function<void()> answer)>;
void submit(const CallPtr& call, Write write, Render render, Afterwards afterwards);

}  // namespace mainstay::api
