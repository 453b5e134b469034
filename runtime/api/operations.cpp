// What became of a write; and the fence, after which it is certain.
#include "runtime/api/reading.hpp"
#include "runtime/api/render.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

using http::Response;

// Always linearizable: an operation that is not found then has not happened, though a copy of the
// request may still be under way.
void read_operation(const CallPtr& call) {
  if (auto query = check_query(call->request, {}); !query) return call->refuse(query.error());
  read(call, {ReadLevel::linearizable, 0},
       [id = call->request.captures.at(0)](const record::StateReader& view) -> Result<Response> {
         const auto operation = view.find_operation(id);
         if (operation)
           return http::json_response(
               200, operation_json(id, operation->outcome, operation->recorded_millis));
         return fail(Errc::not_found,
                     "no operation of the deduplication window has this id: it has not been "
                     "carried out so far, or longer ago than 48 hours; fence it to be sure");
       });
}

void fence_operation(const CallPtr& call) {
  const auto checked = [&]() -> Result<void> {
    TRY(check_query(call->request, {}));
    return check_no_body(call->request);
  }();
  if (!checked) return call->refuse(checked.error());
  record::Command command;
  command.kind = record::CommandKind::fence;
  command.operation = call->request.captures.at(0);
  if (auto valid = record::validate(command); !valid) return call->refuse(valid.error());
  const std::string id = command.operation;
  // A refusal is the answer here: of the operation, or the fence itself.
  call->backend().submit(
      std::move(command), call->deadline, [call, id](const Result<record::Outcome>& outcome) {
        if (!outcome) return call->refuse(outcome.error(), id);
        Response response = http::json_response(200, operation_json(id, *outcome, 0));
        if (const auto view = call->backend().view(); view)
          response.headers.emplace_back(session_header, session_of((*view)->counters().revision));
        call->answer(std::move(response));
      });
}

}  // namespace

void add_operation_routes(Routes& routes) {
  routes.add(http::Method::get, "/v1/operations/{operation}", read_operation);
  routes.add(http::Method::post, "/v1/operations/{operation}/fence", fence_operation);
}

}  // namespace mainstay::api
