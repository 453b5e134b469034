// The cluster: its state, its members, transfer of leadership, drain.
#include <charconv>

#include "runtime/api/audit.hpp"
#include "runtime/api/body.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/request_parts.hpp"
#include "runtime/config/values.hpp"

namespace mainstay::api {

namespace {

using http::Request;

constexpr std::uint64_t node_id_max = 65535;

Result<NodeId> node_of_text(std::string_view text) {
  std::uint64_t id = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, id);
  if (error != std::errc{} || rest != end || id == 0 || id > node_id_max)
    return fail(Errc::invalid_argument,
                "'" + std::string{text} + "' is not a node id: a number from 1 to 65535");
  return NodeId{id};
}

// 0 if absent.
Result<NodeId> node_member(Members& members, std::string_view name) {
  TRY_ASSIGN(const auto id, members.optional_number(name, 1, node_id_max));
  return NodeId{id.value_or(0)};
}

Result<std::string> address_member(Members& members, std::string_view name) {
  TRY_ASSIGN(const std::string text, members.text(name));
  TRY_ASSIGN(const config::Endpoint endpoint, members.at(name).check(config::parse_endpoint(text)));
  return to_string(endpoint);
}

Result<AdminCommand> add_member_of(const Request& request, std::string& wrong_at) {
  AdminCommand command;
  command.kind = AdminCommand::Kind::add_member;
  TRY_ASSIGN(const json::Value body, body_of(request));
  TRY_ASSIGN(Members members, Members::of(body, Place{wrong_at}));
  TRY_ASSIGN(command.node, node_member(members, "id"));
  if (!command.node) return members.place().wrong("needs the member \"id\": the new node's id");
  TRY_ASSIGN(const auto incarnation, members.optional_text("incarnation"));
  if (incarnation) {
    TRY_ASSIGN(command.incarnation.value,
               members.at("incarnation").check(config::parse_integer(*incarnation)));
  }
  TRY_ASSIGN(command.peer_address, address_member(members, "peer_address"));
  TRY_ASSIGN(command.api_address, address_member(members, "api_address"));
  TRY(members.finish());
  return command;
}

Result<AdminCommand> transfer_of(const Request& request, std::string& wrong_at) {
  AdminCommand command;
  command.kind = AdminCommand::Kind::transfer;
  if (request.body.empty()) return command;
  TRY_ASSIGN(const json::Value body, body_of(request));
  TRY_ASSIGN(Members members, Members::of(body, Place{wrong_at}));
  TRY_ASSIGN(command.node, node_member(members, "to"));
  TRY(members.finish());
  return command;
}

// Commands whose node is in the path and that take no body, or an empty object.
template <AdminCommand::Kind kind>
Result<AdminCommand> of_path(const Request& request, std::string& wrong_at) {
  AdminCommand command;
  command.kind = kind;
  TRY_ASSIGN(command.node, node_of_text(request.captures.at(0)));
  if (request.body.empty()) return command;
  TRY_ASSIGN(const json::Value body, body_of(request));
  TRY_ASSIGN(const Members members, Members::of(body, Place{wrong_at}));
  TRY(members.finish());
  return command;
}

using Reader = Result<AdminCommand> (*)(const Request&, std::string&);

std::string_view name_of(AdminCommand::Kind kind) {
  switch (kind) {
    case AdminCommand::Kind::add_member:
      return "add member";
    case AdminCommand::Kind::remove_member:
      return "remove member";
    case AdminCommand::Kind::promote_member:
      return "promote member";
    case AdminCommand::Kind::transfer:
      return "transfer leadership";
    case AdminCommand::Kind::drain:
      return "drain node";
  }
  UNREACHABLE();
}

std::string target_of(const AdminCommand& command) {
  if (!command.node) return "to the most caught-up voter";
  return "node " + std::to_string(command.node.value);
}

void answer_done(const CallPtr& call, const Result<std::string>& done) {
  if (!done) return call->refuse(done.error());
  call->answer(http::json_response(200, "{\"result\":" + json_string(*done) + "}"));
}

// The trail is written first where the node takes no writes afterwards.
void run_drain(const CallPtr& call, const AdminCommand& command) {
  write_audit(call, {"drain node", target_of(command), "asked", {}}, [call, command] {
    call->backend().administer(command, call->deadline, [call](const Result<std::string>& done) {
      answer_done(call, done);
    });
  });
}

void run(const CallPtr& call, const AdminCommand& command) {
  call->backend().administer(
      command, call->deadline, [call, command](const Result<std::string>& done) {
        const std::string outcome =
            done ? "done" : "refused: " + std::string{to_string(done.error().code)};
        write_audit(call, {std::string{name_of(command.kind)}, target_of(command), outcome, {}},
                    [call, done] { answer_done(call, done); });
      });
}

template <Reader reader>
void administer(const CallPtr& call) {
  std::string wrong_at;
  const auto command = [&]() -> Result<AdminCommand> {
    TRY(check_query(call->request, {}));
    return reader(call->request, wrong_at);
  }();
  if (!command) return call->refuse(command.error(), {}, wrong_at);
  if (command->kind == AdminCommand::Kind::drain) return run_drain(call, *command);
  run(call, *command);
}

void show_cluster(const CallPtr& call) {
  if (auto query = check_query(call->request, {}); !query) return call->refuse(query.error());
  call->answer(http::json_response(200, cluster_json(call->backend().cluster())));
}

}  // namespace

void add_cluster_routes(Routes& routes) {
  using http::Method;
  using Kind = AdminCommand::Kind;
  routes.add(Method::get, "/v1/cluster", show_cluster);
  routes.add(Method::post, "/v1/cluster/members", administer<add_member_of>);
  routes.add(Method::remove, "/v1/cluster/members/{node}",
             administer<of_path<Kind::remove_member>>);
  routes.add(Method::post, "/v1/cluster/members/{node}/promote",
             administer<of_path<Kind::promote_member>>);
  routes.add(Method::post, "/v1/cluster/transfer", administer<transfer_of>);
  routes.add(Method::post, "/v1/nodes/{node}/drain", administer<of_path<Kind::drain>>);
}

}  // namespace mainstay::api
