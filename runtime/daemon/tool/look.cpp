#include "runtime/daemon/tool/look.hpp"

#include <algorithm>
#include <map>

namespace mainstay::tool {

namespace {

using Endpoints = std::vector<config::Endpoint>;

void read_readiness(NodeStatus& node, const http::Reply& reply) {
  node.ready = reply.status == 200;
  const auto body = object_of(reply);
  if (!body) return;
  for (const json::Value& check : items_at(*body, "checks"))
    node.checks.push_back({text_at(check, "name"), flag_at(check, "ok"), text_at(check, "detail")});
}

void read_view(NodeStatus& node, const Result<http::Reply>& reply) {
  if (!reply)
    node.problem = reply.error().message;
  else if (reply->status != 200)
    node.problem = node.address + ": " + problem_of(*reply).message;
  else if (auto view = object_of(*reply))
    node.view = std::move(*view);
  else
    node.problem = node.address + ": " + view.error().message;
  if (node.view) node.id = number_at(*node.view, "node");
}

// Asks each endpoint for its view and its readiness, all at once.
std::vector<NodeStatus> ask(Session& session, const Endpoints& endpoints, Millis wait,
                            bool metrics) {
  std::vector<std::string> paths{"/v1/cluster", "/readyz"};
  if (metrics) paths.emplace_back("/metrics");
  std::vector<std::pair<config::Endpoint, std::string>> targets;
  for (const config::Endpoint& endpoint : endpoints)
    for (const std::string& path : paths) targets.emplace_back(endpoint, path);
  const auto replies = session.ask_each(targets, wait);
  std::vector<NodeStatus> nodes;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const auto* own = &replies[i * paths.size()];
    NodeStatus node;
    node.address = to_string(endpoints[i]);
    read_view(node, own[0]);
    if (own[1]) read_readiness(node, *own[1]);
    if (metrics && own[2] && own[2]->status == 200) node.metrics = own[2]->body;
    nodes.push_back(std::move(node));
  }
  return nodes;
}

const json::Value* newest_of(const std::vector<NodeStatus>& nodes) {
  const json::Value* newest = nullptr;
  const auto rank = [](const json::Value& view) {
    return std::pair{number_at(view, "leader") != 0, number_at(view, "term")};
  };
  for (const NodeStatus& node : nodes)
    if (node.view && (newest == nullptr || rank(*node.view) > rank(*newest))) newest = &*node.view;
  return newest;
}

using Members = std::map<std::uint64_t, NodeStatus>;

// The members that the newest view names; `more`: those of them that were not asked.
Members members_of(const std::vector<NodeStatus>& asked, Endpoints& more) {
  Members members;
  const json::Value* view = newest_of(asked);
  if (view == nullptr) return members;
  for (const json::Value& entry : items_at(*view, "members")) {
    NodeStatus& node = members[number_at(entry, "id")];
    node.id = number_at(entry, "id");
    node.role = text_at(entry, "role");
    node.address = text_at(entry, "api_address");
    const bool known = std::any_of(asked.begin(), asked.end(), [&](const NodeStatus& other) {
      return other.id == node.id || (other.id == 0 && other.address == node.address);
    });
    auto endpoint = config::parse_endpoint(node.address);
    if (!known && endpoint) more.push_back(*endpoint);
  }
  return members;
}

// Node ids mean something within one cluster only.
bool is_of_another(const NodeStatus& node, const std::string& cluster) {
  return node.view && flag_at(*node.view, "formed") && text_at(*node.view, "cluster") != cluster;
}

}  // namespace

const json::Value* Look::newest() const {
  return newest_of(nodes);
}

std::size_t Look::ready() const {
  return static_cast<std::size_t>(
      std::count_if(nodes.begin(), nodes.end(), [](const NodeStatus& node) { return node.ready; }));
}

Look look(Session& session, Millis wait, bool metrics) {
  std::vector<NodeStatus> asked = ask(session, session.endpoints(), wait, metrics);
  Endpoints more;
  Members members = members_of(asked, more);
  for (NodeStatus& node : ask(session, more, wait, metrics)) asked.push_back(std::move(node));
  const json::Value* newest = newest_of(asked);
  const std::string cluster = newest == nullptr ? "" : text_at(*newest, "cluster");
  std::vector<NodeStatus> strangers;
  for (NodeStatus& node : asked) {
    const auto at = std::find_if(members.begin(), members.end(), [&](const auto& member) {
      return node.id != 0 ? member.first == node.id : member.second.address == node.address;
    });
    if (at == members.end() || is_of_another(node, cluster)) {
      strangers.push_back(std::move(node));
      continue;
    }
    if (at->second.view) continue;  // two endpoints of one node
    node.role = at->second.role;
    node.id = at->second.id;
    at->second = std::move(node);
  }
  Look seen;
  for (auto& member : members) seen.nodes.push_back(std::move(member.second));
  for (NodeStatus& node : strangers) seen.nodes.push_back(std::move(node));
  return seen;
}

}  // namespace mainstay::tool
