// member, transfer, drain.
#include "runtime/daemon/tool/commands.hpp"

namespace mainstay::tool {

namespace {

struct ClusterOptions {
  std::uint64_t node = 0;
  std::string peer_address, api_address, incarnation;
};
using OptionsPtr = std::shared_ptr<ClusterOptions>;

// What every plan says first: who the members are now.
Result<std::string> members_now(Run& run) {
  TRY_ASSIGN(const json::Value cluster, run.get("/v1/cluster"));
  std::string text = "; members now:";
  for (const json::Value& member : items_at(cluster, "members"))
    text += " " + cell_of(member.find("id")) + " (" + text_at(member, "role") + ")";
  return text + ", leader " + cell_of(cluster.find("leader"));
}

Result<int> command(Run& run, const std::string& plan, http::Method method, std::string target,
                    const json::Value& body = json::Value::object()) {
  if (run.plan) {
    TRY_ASSIGN(const std::string now, members_now(run));
    return tell_plan(run, plan + now);
  }
  http::Call call{method, std::move(target)};
  if (!body.members().empty()) {
    call.headers.emplace_back("Content-Type", "application/json");
    call.body = Bytes{json::to_text(body)};
  }
  auto reply = run.ask(call, Repeat::unless_sent);
  if (!reply && reply.error().code == Errc::outcome_unknown)
    return fail(
        Errc::outcome_unknown,
        reply.error().message + "; whether it was done is not known: see `mainstay status`");
  if (!reply) return Failure{reply.error()};
  TRY_ASSIGN(const json::Value document, object_of(*reply));
  return print(run, document, text_at(document, "result"));
}

Result<int> list_members(Run& run) {
  TRY_ASSIGN(const json::Value cluster, run.get("/v1/cluster"));
  const json::Value* members = cluster.find("members");
  if (members == nullptr || !members->is(json::Type::array))
    return fail(Errc::internal, "the node's answer has no members");
  if (run.json) return print(run, *members, "");
  return print_rows(run, members->items(),
                    {{"NODE", "id"},
                     {"ROLE", "role"},
                     {"PEER", "peer_address"},
                     {"API", "api_address"},
                     {"INCARNATION", "incarnation"}});
}

// What the new node itself says of its data directory.
Result<std::string> incarnation_at(Run& run, const std::string& address) {
  TRY_ASSIGN(const config::Endpoint endpoint, config::parse_endpoint(address));
  TRY_ASSIGN(Session * session, run.session());
  const auto reply = session->ask_node(endpoint, {http::Method::get, "/v1/cluster"});
  if (!reply)
    return fail(reply.error().code, "the new node does not tell its incarnation (" +
                                        reply.error().message +
                                        "): start it first, or give --incarnation");
  TRY_ASSIGN(const json::Value cluster, object_of(*reply));
  return text_at(cluster, "incarnation");
}

Result<int> add_member(Run& run, const ClusterOptions& options) {
  json::Value body = json::Value::object({{"id", number(options.node)},
                                          {"peer_address", text(options.peer_address)},
                                          {"api_address", text(options.api_address)}});
  std::string incarnation = options.incarnation;
  if (incarnation.empty() && !run.plan) {
    TRY_ASSIGN(incarnation, incarnation_at(run, options.api_address));
  }
  body.set("incarnation", text(incarnation));
  return command(run, "add node " + std::to_string(options.node) + " as a learner",
                 http::Method::post, "/v1/cluster/members", body);
}

// A node drains only itself, so it is asked at its own address. Draining twice is draining once.
Result<int> drain_node(Run& run, const ClusterOptions& options) {
  const std::string id = std::to_string(options.node);
  TRY_ASSIGN(const json::Value cluster, run.get("/v1/cluster"));
  std::string address;
  for (const json::Value& member : items_at(cluster, "members"))
    if (number_at(member, "id") == options.node) address = text_at(member, "api_address");
  if (address.empty()) return fail(Errc::not_found, "node " + id + " is not a member");
  if (run.plan)
    return tell_plan(run,
                     "drain node " + id + " at " + address +
                         " until it is restarted; leader now: " + cell_of(cluster.find("leader")));
  TRY_ASSIGN(const config::Endpoint endpoint, config::parse_endpoint(address));
  TRY_ASSIGN(Session * session, run.session());
  TRY_ASSIGN(const http::Reply reply,
             session->ask_node(endpoint, {http::Method::post, "/v1/nodes/" + id + "/drain"}));
  TRY_ASSIGN(const json::Value document, object_of(reply));
  return print(run, document, text_at(document, "result"));
}

CLI::Option* add_node(CLI::App& app, const char* name, const OptionsPtr& options,
                      const char* text) {
  return app.add_option(name, options->node, text)
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{65535}));
}

}  // namespace

void add_cluster_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<ClusterOptions>();
  const auto member_target = [options] {
    return "/v1/cluster/members/" + std::to_string(options->node);
  };
  const auto node_name = [options] { return "node " + std::to_string(options->node); };

  CLI::App* member = app.add_subcommand("member", "List, add, promote and remove nodes");
  member->require_subcommand(1);
  member->fallthrough();
  on(run, member->add_subcommand("list", "List the members"), [&run] { return list_members(run); });

  CLI::App* add = member->add_subcommand("add", "Add a node: a learner, then a voter by itself");
  add_node(*add, "node", options, "The new node's id")->required();
  add->add_option("peer_address", options->peer_address, "host:port for other nodes")->required();
  add->add_option("api_address", options->api_address, "host:port for clients")->required();
  add->add_option("--incarnation", options->incarnation,
                  "Which life of its data directory; without it the new node is asked.");
  add_plan(run, add);
  on(run, add, [&run, options] { return add_member(run, *options); });

  CLI::App* promote = member->add_subcommand("promote", "Make a learner a voter");
  add_node(*promote, "node", options, "The node's id")->required();
  add_plan(run, promote);
  on(run, promote, [&run, member_target, node_name] {
    return command(run, "make " + node_name() + " a voter", http::Method::post,
                   member_target() + "/promote");
  });

  CLI::App* remove = member->add_subcommand("remove", "Remove a node");
  add_node(*remove, "node", options, "The node's id")->required();
  add_plan(run, remove);
  on(run, remove, [&run, member_target, node_name] {
    return command(run, "remove " + node_name() + " from the cluster", http::Method::remove,
                   member_target());
  });

  CLI::App* transfer = app.add_subcommand("transfer", "Hand leadership over");
  add_node(*transfer, "--to", options, "To this node; without it to the most caught-up voter.");
  add_plan(run, transfer);
  on(run, transfer, [&run, options, node_name] {
    json::Value body = json::Value::object();
    if (options->node != 0) body.set("to", number(options->node));
    return command(
        run,
        "hand leadership to " + (options->node == 0 ? "the most caught-up voter" : node_name()),
        http::Method::post, "/v1/cluster/transfer", body);
  });

  CLI::App* drain = app.add_subcommand("drain", "Take a node out of service");
  add_node(*drain, "node", options, "The node's id")->required();
  add_plan(run, drain);
  on(run, drain, [&run, options] { return drain_node(run, *options); });
}

}  // namespace mainstay::tool
