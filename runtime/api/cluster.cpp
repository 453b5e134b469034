// The cluster: its state, its members, transfer of leadership, drain.
#include <charconv>

#include <boost/json.hpp>

#include "runtime/api/context.hpp"
#include "runtime/api/render.hpp"
#include "runtime/api/request_parts.hpp"
#include "runtime/config/values.hpp"

namespace mainstay::api {

namespace json = boost::json;

namespace {

using http::Request;
using http::Responder;

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

// The members of a JSON object that are known by name; each is taken once, what is left is refused.
class Body {
 public:
  static Result<Body> read(const Request& request) {
    Body body;
    if (request.body.empty()) return body;
    TRY(check_json(request));
    json::error_code error;
    const std::string_view text = request.body.view();
    json::value value = json::parse({text.data(), text.size()}, error);
    if (error || !value.is_object())
      return fail(Errc::invalid_argument, "the body must be a JSON object");
    body.object_ = std::move(value.as_object());
    return body;
  }

  // 0 if absent.
  Result<NodeId> take_node(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr) return NodeId{};
    json::error_code error;
    const auto id = value->is_number() ? value->to_number<std::uint64_t>(error) : 0;
    if (error || id == 0 || id > node_id_max)
      return fail(Errc::invalid_argument,
                  "\"" + std::string{name} + "\" must be a node id: a number from 1 to 65535");
    erase(name);
    return NodeId{id};
  }

  // "" if absent.
  Result<std::string> take_text(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr) return std::string{};
    if (!value->is_string())
      return fail(Errc::invalid_argument, "\"" + std::string{name} + "\" must be a string");
    std::string text{value->as_string().c_str(), value->as_string().size()};
    erase(name);
    return text;
  }

  Result<std::string> take_address(std::string_view name) {
    TRY_ASSIGN(std::string text, take_text(name));
    if (text.empty())
      return fail(Errc::invalid_argument,
                  "\"" + std::string{name} + "\" is required: \"host:port\"");
    TRY_ASSIGN(const config::Endpoint endpoint, config::parse_endpoint(text));
    return to_string(endpoint);
  }

  Result<void> finish() const {
    if (object_.empty()) return {};
    const auto name = object_.begin()->key();
    return fail(Errc::invalid_argument, "the body has a member that is not known here: \"" +
                                            std::string{name.data(), name.size()} + "\"");
  }

 private:
  const json::value* find(std::string_view name) const {
    return object_.if_contains({name.data(), name.size()});
  }
  void erase(std::string_view name) { object_.erase(json::string_view{name.data(), name.size()}); }

  json::object object_;
};

Result<AdminCommand> add_member_of(const Request& request) {
  AdminCommand command;
  command.kind = AdminCommand::Kind::add_member;
  TRY_ASSIGN(Body body, Body::read(request));
  TRY_ASSIGN(command.node, body.take_node("id"));
  if (!command.node) return fail(Errc::invalid_argument, "\"id\" is required: the new node's id");
  TRY_ASSIGN(const std::string incarnation, body.take_text("incarnation"));
  if (!incarnation.empty()) {
    TRY_ASSIGN(command.incarnation.value, config::parse_integer(incarnation));
  }
  TRY_ASSIGN(command.peer_address, body.take_address("peer_address"));
  TRY_ASSIGN(command.api_address, body.take_address("api_address"));
  TRY(body.finish());
  return command;
}

Result<AdminCommand> transfer_of(const Request& request) {
  AdminCommand command;
  command.kind = AdminCommand::Kind::transfer;
  TRY_ASSIGN(Body body, Body::read(request));
  TRY_ASSIGN(command.node, body.take_node("to"));
  TRY(body.finish());
  return command;
}

// Commands whose node is in the path and that take no body.
template <AdminCommand::Kind kind>
Result<AdminCommand> of_path(const Request& request) {
  AdminCommand command;
  command.kind = kind;
  TRY_ASSIGN(command.node, node_of_text(request.captures.at(0)));
  TRY_ASSIGN(const Body body, Body::read(request));
  TRY(body.finish());
  return command;
}

using Reader = Result<AdminCommand> (*)(const Request&);

void administer(const ContextPtr& context, Reader reader, const Request& request,
                const Responder& responder) {
  const std::string instance{request.path()};
  auto command = reader(request);
  auto query = check_query(request, {});
  auto deadline = deadline_of(request, context->options.deadline_default);
  for (const Error* error : {command ? nullptr : &command.error(), query ? nullptr : &query.error(),
                             deadline ? nullptr : &deadline.error()})
    if (error != nullptr) {
      responder.answer(failure_response(*error, "", instance));
      return;
    }
  context->backend.administer(
      std::move(*command), context->clock.monotonic() + *deadline,
      [responder, instance](const Result<std::string>& done) {
        responder.answer(done ? http::json_response(200, "{\"result\":" + json_string(*done) + "}")
                              : failure_response(done.error(), "", instance));
      });
}

}  // namespace

void add_cluster_routes(http::Router& router, const ContextPtr& context) {
  using http::Method;
  router.add(Method::get, "/v1/cluster", [context](Request& request, const Responder& responder) {
    auto query = check_query(request, {});
    responder.answer(query ? http::json_response(200, cluster_json(context->backend.cluster()))
                           : failure_response(query.error(), "", std::string{request.path()}));
  });
  const auto add = [&](Method method, std::string_view pattern, Reader reader) {
    router.add(method, pattern, [context, reader](Request& request, const Responder& responder) {
      administer(context, reader, request, responder);
    });
  };
  using Kind = AdminCommand::Kind;
  add(Method::post, "/v1/cluster/members", add_member_of);
  add(Method::remove, "/v1/cluster/members/{node}", of_path<Kind::remove_member>);
  add(Method::post, "/v1/cluster/members/{node}/promote", of_path<Kind::promote_member>);
  add(Method::post, "/v1/cluster/transfer", transfer_of);
  add(Method::post, "/v1/nodes/{node}/drain", of_path<Kind::drain>);
}

}  // namespace mainstay::api
