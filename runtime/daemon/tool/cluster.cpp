// member, transfer, drain.
#include <ostream>

#include <boost/json.hpp>

#include "runtime/daemon/tool/commands.hpp"

namespace mainstay::tool {

namespace json = boost::json;

namespace {

struct ClusterOptions {
  std::uint64_t node = 0;
  std::string peer_address, api_address, incarnation;
};
using OptionsPtr = std::shared_ptr<ClusterOptions>;

Result<int> command(Run& run, http::Method method, std::string target, json::object body = {}) {
  http::Call call{method, std::move(target)};
  if (!body.empty()) {
    call.headers.emplace_back("Content-Type", "application/json");
    call.body = Bytes{json::serialize(body)};
  }
  auto reply = run.session->ask(call, Repeat::unless_sent);
  if (!reply && reply.error().code == Errc::outcome_unknown)
    return fail(
        Errc::outcome_unknown,
        reply.error().message + "; whether it was done is not known: see `mainstay status`");
  if (!reply) return Failure{reply.error()};
  json::error_code error;
  const json::value document = json::parse(reply->body, error);
  if (run.json || error || !document.is_object() || !document.as_object().contains("result"))
    run.world.out << reply->body << "\n";
  else
    run.world.out << std::string_view{document.at("result").as_string()} << "\n";
  return 0;
}

Result<int> list_members(Run& run) {
  TRY_ASSIGN(const http::Reply reply,
             run.session->ask(http::Call{http::Method::get, "/v1/cluster"}, Repeat::always));
  json::error_code error;
  const json::value document = json::parse(reply.body, error);
  const json::value* members =
      error || !document.is_object() ? nullptr : document.as_object().if_contains("members");
  if (members == nullptr || !members->is_array())
    return fail(Errc::internal, "the node's answer has no members");
  if (run.json) {
    run.world.out << json::serialize(*members) << "\n";
    return 0;
  }
  run.world.out << "NODE\tROLE\tPEER\tAPI\tINCARNATION\n";
  for (const json::value& member : members->as_array())
    run.world.out << member.at("id") << "\t" << std::string_view{member.at("role").as_string()}
                  << "\t" << std::string_view{member.at("peer_address").as_string()} << "\t"
                  << std::string_view{member.at("api_address").as_string()} << "\t"
                  << std::string_view{member.at("incarnation").as_string()} << "\n";
  return 0;
}

Result<int> add_member(Run& run, const ClusterOptions& options) {
  json::object body{{"id", options.node},
                    {"peer_address", options.peer_address},
                    {"api_address", options.api_address}};
  if (!options.incarnation.empty()) body["incarnation"] = options.incarnation;
  return command(run, http::Method::post, "/v1/cluster/members", std::move(body));
}

CLI::Option* add_node(CLI::App& app, const char* name, const OptionsPtr& options,
                      const char* text) {
  return app.add_option(name, options->node, text)
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{65535}));
}

}  // namespace

void add_cluster_commands(CLI::App& app, Run& run) {
  const auto options = std::make_shared<ClusterOptions>();
  const auto on = [&run](CLI::App* chosen, std::function<Result<int>()> action) {
    chosen->callback([&run, action = std::move(action)] { run.action = action; });
  };
  const auto member_target = [options] {
    return "/v1/cluster/members/" + std::to_string(options->node);
  };

  CLI::App* member = app.add_subcommand("member", "List, add, promote and remove nodes");
  member->require_subcommand(1);
  member->fallthrough();
  on(member->add_subcommand("list", "List the members"), [&run] { return list_members(run); });

  CLI::App* add = member->add_subcommand("add", "Add a node: a learner, then a voter by itself");
  add_node(*add, "node", options, "The new node's id")->required();
  add->add_option("peer_address", options->peer_address, "host:port for other nodes")->required();
  add->add_option("api_address", options->api_address, "host:port for clients")->required();
  add->add_option("--incarnation", options->incarnation, "Only this life of its data directory.");
  on(add, [&run, options] { return add_member(run, *options); });

  CLI::App* promote = member->add_subcommand("promote", "Make a learner a voter");
  add_node(*promote, "node", options, "The node's id")->required();
  on(promote, [&run, member_target] {
    return command(run, http::Method::post, member_target() + "/promote");
  });

  CLI::App* remove = member->add_subcommand("remove", "Remove a node");
  add_node(*remove, "node", options, "The node's id")->required();
  on(remove, [&run, member_target] { return command(run, http::Method::remove, member_target()); });

  CLI::App* transfer = app.add_subcommand("transfer", "Hand leadership over");
  add_node(*transfer, "--to", options, "To this node; without it to the most caught-up voter.");
  on(transfer, [&run, options] {
    json::object body;
    if (options->node != 0) body["to"] = options->node;
    return command(run, http::Method::post, "/v1/cluster/transfer", std::move(body));
  });

  CLI::App* drain = app.add_subcommand("drain", "Take a node out of service");
  add_node(*drain, "node", options, "The node's id")->required();
  on(drain, [&run, options] {
    return command(run, http::Method::post,
                   "/v1/nodes/" + std::to_string(options->node) + "/drain");
  });
}

}  // namespace mainstay::tool
