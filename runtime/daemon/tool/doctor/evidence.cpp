#include "runtime/daemon/tool/doctor/evidence.hpp"

#include <algorithm>
#include <utility>

namespace mainstay::tool::doctor {

const NodeView* newest_view(const Evidence& evidence) {
  const NodeView* newest = nullptr;
  const auto rank = [](const NodeView& view) {
    return std::pair{view.formed && view.leader != 0, view.term};
  };
  for (const NodeSeen& node : evidence.nodes)
    if (node.view && (newest == nullptr || rank(*node.view) > rank(*newest))) newest = &*node.view;
  return newest;
}

const NodeView* leader_view(const Evidence& evidence) {
  const NodeView* newest = newest_view(evidence);
  if (newest == nullptr || newest->leader == 0) return nullptr;
  const NodeSeen* leader = find_node(evidence, newest->leader);
  return leader != nullptr && leader->view && leader->view->role == "leader" ? &*leader->view
                                                                             : nullptr;
}

const NodeSeen* find_node(const Evidence& evidence, std::uint64_t id) {
  const auto at = std::find_if(evidence.nodes.begin(), evidence.nodes.end(),
                               [id](const NodeSeen& node) { return id != 0 && node.id == id; });
  return at == evidence.nodes.end() ? nullptr : &*at;
}

namespace {

const MemberSeen* member_of(const NodeView& view, std::uint64_t id) {
  const auto at = std::find_if(view.members.begin(), view.members.end(),
                               [id](const MemberSeen& member) { return member.id == id; });
  return at == view.members.end() ? nullptr : &*at;
}

}  // namespace

std::uint64_t behind(const NodeView& view, const MemberSeen& member) {
  return view.commit - std::min(view.commit, member.match);
}

bool stands_still(const Evidence& evidence, const NodeView& leader, const MemberSeen& member) {
  const NodeSeen* seen = find_node(evidence, leader.node);
  if (seen == nullptr || !seen->before || seen->before->role != "leader" ||
      seen->before->term != leader.term)
    return false;
  const MemberSeen* before = member_of(*seen->before, member.id);
  if (before == nullptr || before->match != member.match || behind(leader, member) == 0)
    return false;
  // One entry may be under way at the moment of the second look, two are not.
  return behind(*seen->before, *before) > 0 || leader.commit >= seen->before->commit + 2;
}

bool is_up(const Evidence& evidence, const MemberSeen& member) {
  const NodeSeen* node = find_node(evidence, member.id);
  if (node != nullptr && node->view) return true;
  const NodeView* leader = leader_view(evidence);
  const MemberSeen* linked = leader == nullptr ? nullptr : member_of(*leader, member.id);
  return linked != nullptr && linked->connected && !stands_still(evidence, *leader, *linked);
}

std::size_t voters_of(const NodeView& view) {
  return static_cast<std::size_t>(
      std::count_if(view.members.begin(), view.members.end(),
                    [](const MemberSeen& member) { return member.voter; }));
}

std::size_t voters_up(const Evidence& evidence, const NodeView& view) {
  return static_cast<std::size_t>(std::count_if(
      view.members.begin(), view.members.end(),
      [&](const MemberSeen& member) { return member.voter && is_up(evidence, member); }));
}

double sample(const Metrics& metrics, std::string_view name) {
  const auto at = metrics.find(name);
  return at == metrics.end() ? 0 : at->second;
}

double growth(const NodeSeen& node, std::string_view name) {
  if (node.metrics.empty() || node.metrics_before.empty()) return 0;
  return std::max(0.0, sample(node.metrics, name) - sample(node.metrics_before, name));
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace mainstay::tool::doctor
