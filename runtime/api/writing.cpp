#include "runtime/api/writing.hpp"

#include "runtime/api/render.hpp"
#include "runtime/api/request_parts.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

http::Response response_of(const Call& call, const Write& write,
                           const Result<record::Outcome>& outcome, const Render& render) {
  const std::string& operation = write.command.operation;
  if (!outcome) return failure_response(outcome.error(), operation, call.instance());
  http::Response response =
      outcome->refused
          ? refusal_response(*outcome, operation, call.instance(), pointer_of(write, *outcome))
          : render(*outcome, operation);
  response.headers.emplace_back(operation_header, operation);
  if (outcome->replayed) response.headers.emplace_back(replayed_header, "true");
  if (const record::Revision seen = revision_seen(call, *outcome); seen != 0)
    response.headers.emplace_back(session_header, session_of(seen));
  return response;
}

}  // namespace

record::Revision revision_seen(const Call& call, const record::Outcome& outcome) {
  return outcome.revision != 0 ? outcome.revision : call.backend().revision();
}

std::string pointer_of(const Write& write, const record::Outcome& outcome) {
  const std::vector<std::string>* list = nullptr;
  if (outcome.part == record::Part::check) list = &write.checks;
  if (outcome.part == record::Part::balance) list = &write.balances;
  if (outcome.part == record::Part::action) list = &write.actions;
  return list != nullptr && outcome.position < list->size() ? (*list)[outcome.position]
                                                            : std::string{};
}

Result<void> check_writable(const std::string& collection) {
  if (collection.starts_with(integration::hub_prefix))
    return fail(Errc::forbidden, "collection '" + collection +
                                     "' is the integration hub's own: steer it through "
                                     "/v1/adapters; names that start with '" +
                                     std::string{integration::hub_prefix} + "' are kept for it");
  if (!collection.starts_with('_')) return {};
  return fail(Errc::forbidden, "collection '" + collection +
                                   "' is Mainstay's own: declare with PUT /v1/collections, make "
                                   "tokens with POST /v1/tokens");
}

Result<std::string> operation_for(const Call& call) {
  TRY_ASSIGN(auto operation, operation_of(call.request));
  return operation ? std::move(*operation) : call.backend().make_operation_id();
}

void submit(const CallPtr& call, Write write, Render render) {
  submit(call, std::move(write), std::move(render),
         [](const Result<record::Outcome>&, const std::string&,
            const std::function<void()>& answer) { answer(); });
}

void submit(const CallPtr& call, Write write, Render render, Afterwards afterwards) {
  if (auto valid = record::validate(write.command); !valid) {
    call->refuse(valid.error());
    return;
  }
  record::Command command = write.command;
  struct Submission {
    Write write;
    Render render;
    Afterwards afterwards;
  };
  const auto kept = std::make_shared<const Submission>(
      Submission{std::move(write), std::move(render), std::move(afterwards)});
  call->backend().submit(
      std::move(command), call->deadline, [call, kept](Result<record::Outcome> outcome) {
        const auto told = std::make_shared<const Result<record::Outcome>>(std::move(outcome));
        // Whoever tells the outcome has other things to do than to write answers.
        call->responder.post([call, kept, told] {
          kept->afterwards(*told, kept->write.command.operation, [call, kept, told] {
            call->answer(response_of(*call, kept->write, *told, kept->render));
          });
        });
      });
}

}  // namespace mainstay::api
