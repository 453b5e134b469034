// What became of a write; and the fence, after which it is certain.
#include <algorithm>

#include "runtime/api/reading.hpp"
#include "runtime/api/render.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

using http::Response;

// An operation may have been on collections that the token has no grant for, and who asked for it
// is not kept. Which ones a commit changed stands in the timeline; what a refused one met is told
// to those only who may see all.
bool may_see_whole(const Principal& principal, const record::StateReader& view,
                   const record::Outcome& outcome) {
  if (!principal.collections) return true;
  if (outcome.revision == 0) return false;
  bool may = false;
  view.scan_commits(outcome.revision - 1, [&](const record::Commit& commit) {
    may = commit.revision == outcome.revision &&
          std::all_of(commit.changes.begin(), commit.changes.end(),
                      [&](const auto& change) { return principal.may_see(change.collection); });
    return false;
  });
  return may;
}

// Always linearizable: an operation that is not found then has not happened, though a copy of the
// request may still be under way.
void read_operation(const CallPtr& call) {
  if (auto query = check_query(call->request, {}); !query) return call->refuse(query.error());
  read(call, {ReadLevel::linearizable, 0},
       [call,
        id = call->request.captures.at(0)](const record::StateReader& view) -> Result<Response> {
         const auto operation = view.find_operation(id);
         if (operation)
           return http::json_response(
               200, operation_json(id, operation->outcome, operation->recorded_millis,
                                   may_see_whole(call->principal, view, operation->outcome)));
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
  if (auto named = check_operation_name(command.operation); !named)
    return call->refuse(named.error());
  if (auto valid = record::validate(command); !valid) return call->refuse(valid.error());
  const std::string id = command.operation;
  // A refusal is the answer here: of the operation, or the fence itself.
  call->backend().submit(
      std::move(command), call->deadline, [call, id](const Result<record::Outcome>& told) {
        call->responder.post([call, id, outcome = told] {
          if (!outcome) return call->refuse(outcome.error(), id);
          // Not looked up which collections it is about: the answer does not wait for a view.
          const bool whole = !call->principal.collections;
          Response response = http::json_response(200, operation_json(id, *outcome, 0, whole));
          response.headers.emplace_back(session_header, session_of(call->backend().revision()));
          call->answer(std::move(response));
        });
      });
}

}  // namespace

void add_operation_routes(Routes& routes) {
  routes.add(http::Method::get, "/v1/operations/{operation}", read_operation);
  routes.add(http::Method::post, "/v1/operations/{operation}/fence", fence_operation);
}

}  // namespace mainstay::api
