// Many independent writes in one request, each with its own operation id and outcome.
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "runtime/api/commands.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/request_parts.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

Result<Write> item_of(const json::Value& item, const Place& place, const Principal& principal,
                      const std::string& operation) {
  TRY_ASSIGN(Members members, Members::of(item, place));
  Write write;
  TRY(add_conditions(write, members.take("conditions"), place.at("conditions"), principal));
  TRY_ASSIGN(auto given, members.optional_text("operation"));
  TRY(add_operation(write, members, principal));
  TRY(members.finish());
  write.actions = {""};  // the problem of one write is about that write
  json::Value rest = item;
  rest.erase("operation");
  write.command.request_hash = request_hash({"batch", json::to_text(rest)});
  if (given) TRY(place.at("operation").check(check_operation_name(*given)));
  write.command.operation = given.value_or(operation);
  TRY(place.check(record::validate(write.command)));
  return write;
}

Result<std::vector<Write>> writes_of(const Call& call, const std::string& operation,
                                     std::string& wrong_at) {
  TRY(check_query(call.request, {}));
  TRY_ASSIGN(const json::Value body, body_of(call.request));
  const Place place{wrong_at};
  TRY_ASSIGN(Members members, Members::of(body, place));
  TRY_ASSIGN(const json::Array* items, members.array("operations", limits::batch_operations_max));
  TRY(members.finish());
  std::vector<Write> writes;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < items->size(); ++i) {
    TRY_ASSIGN(Write write, item_of((*items)[i], place.at("operations").at(i), call.principal,
                                    operation + "/" + std::to_string(i)));
    if (!ids.insert(write.command.operation).second)
      return place.at("operations")
          .at(i)
          .wrong("has the operation id of another one before it: " + write.command.operation);
    writes.push_back(std::move(write));
  }
  return writes;
}

std::string outcome_json(const Write& write, const Result<record::Outcome>& outcome,
                         const std::string& instance) {
  const std::string& operation = write.command.operation;
  std::string text = "{\"operation\":" + json_string(operation);
  if (!outcome || outcome->refused) {
    const http::Response problem = outcome ? refusal_response(*outcome, operation, instance, "")
                                           : failure_response(outcome.error(), operation, instance);
    return text + ",\"status\":" + std::to_string(problem.status) +
           ",\"problem\":" + std::string{problem.body.view()} + "}";
  }
  const record::ActionResult result =
      outcome->results.empty() ? record::ActionResult{} : outcome->results.front();
  const bool created = result.created && result.changed;
  return text + ",\"status\":" + (created ? "201" : "200") +
         ",\"version\":" + std::to_string(result.version) +
         ",\"revision\":" + std::to_string(outcome->revision) +
         ",\"created\":" + (created ? "true" : "false") +
         ",\"changed\":" + (result.changed ? "true" : "false") + "}";
}

// Collects the outcomes, which come on any thread; with the last one the answer is written, on the
// request's own thread.
class Batch : public std::enable_shared_from_this<Batch> {
 public:
  Batch(CallPtr call, std::string operation, std::vector<Write> writes)
      : call_{std::move(call)},
        operation_{std::move(operation)},
        writes_{std::move(writes)},
        outcomes_(writes_.size()),
        left_{writes_.size()} {}

  const std::vector<Write>& writes() const { return writes_; }

  void done(std::size_t position, Result<record::Outcome> outcome) {
    {
      const std::lock_guard lock{mutex_};
      outcomes_[position] = std::move(outcome);
      if (--left_ != 0) return;
    }
    call_->responder.post([batch = shared_from_this()] { batch->answer(); });
  }

 private:
  void answer() {
    std::string body = "{\"outcomes\":[";
    record::Revision revision = 0;
    for (std::size_t i = 0; i < writes_.size(); ++i) {
      const Result<record::Outcome>& outcome = *outcomes_[i];
      if (i > 0) body += ',';
      body += outcome_json(writes_[i], outcome, call_->instance());
      if (outcome) revision = std::max(revision, revision_seen(*call_, *outcome));
    }
    http::Response response = http::json_response(200, body + "]}");
    response.headers.emplace_back(operation_header, operation_);
    if (revision != 0) response.headers.emplace_back(session_header, session_of(revision));
    call_->answer(std::move(response));
  }

  const CallPtr call_;
  const std::string operation_;
  const std::vector<Write> writes_;
  std::mutex mutex_;
  std::vector<std::optional<Result<record::Outcome>>> outcomes_;
  std::size_t left_;
};

void run_batch(const CallPtr& call) {
  std::string wrong_at;
  auto operation = operation_for(*call);
  if (!operation) return call->refuse(operation.error());
  auto writes = writes_of(*call, *operation, wrong_at);
  if (!writes) return call->refuse(writes.error(), {}, wrong_at);
  const auto batch = std::make_shared<Batch>(call, *operation, std::move(*writes));
  for (std::size_t i = 0; i < batch->writes().size(); ++i)
    call->backend().submit(
        batch->writes()[i].command, call->deadline,
        [batch, i](Result<record::Outcome> outcome) { batch->done(i, std::move(outcome)); });
}

}  // namespace

void add_batch_routes(Routes& routes) {
  routes.add(http::Method::post, "/v1/batch", run_batch);
}

}  // namespace mainstay::api
