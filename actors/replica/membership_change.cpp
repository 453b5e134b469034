#include "actors/replica/membership_change.hpp"

#include <algorithm>

#include "runtime/base/limits.hpp"

namespace mainstay::replica {

namespace {

using consensus::Member;
using consensus::MemberRole;
using consensus::Membership;
using Change = Result<std::optional<Membership>>;

Membership with(Membership membership, Member member) {
  auto& members = membership.members;
  const auto at = std::lower_bound(members.begin(), members.end(), member.id,
                                   [](const Member& left, NodeId id) { return left.id < id; });
  if (at != members.end() && at->id == member.id)
    *at = std::move(member);
  else
    members.insert(at, std::move(member));
  return membership;
}

Membership without(Membership membership, NodeId id) {
  std::erase_if(membership.members, [id](const Member& member) { return member.id == id; });
  return membership;
}

Member as_learner(Member member) {
  member.role = MemberRole::learner;
  member.auto_promote = true;
  return member;
}

Change plan_add(const Membership& current, const Member& wanted) {
  if (!wanted.id || wanted.peer_address.empty())
    return fail(Errc::invalid_argument, "a new member needs a node id and a peer address");
  const Member* known = current.find(wanted.id);
  if (known != nullptr && (!wanted.incarnation || known->incarnation == wanted.incarnation))
    return std::nullopt;
  if (!wanted.incarnation)
    return fail(
        Errc::invalid_argument,
        "a new member needs its incarnation; GET /v1/cluster of the new node itself shows it");
  if (known != nullptr) {
    return with(current, as_learner(wanted));
  }
  if (current.members.size() >= limits::members_max)
    return fail(Errc::too_large, "the cluster has as many members as it may have");
  return with(current, as_learner(wanted));
}

Change plan_remove(const Membership& current, NodeId id) {
  if (current.find(id) == nullptr) return std::nullopt;
  if (current.voters() == std::vector<NodeId>{id})
    return fail(Errc::conflict, "node " + to_string(id) + " is the only voter");
  return without(current, id);
}

Change plan_promote(const Membership& current, NodeId id) {
  const Member* known = current.find(id);
  if (known == nullptr) return fail(Errc::not_found, "node " + to_string(id) + " is not a member");
  if (known->role == MemberRole::voter) return std::nullopt;
  Member voter = *known;
  voter.role = MemberRole::voter;
  voter.auto_promote = false;
  return with(current, std::move(voter));
}

}  // namespace

Result<std::optional<Membership>> plan_change(const Membership& current,
                                              const wire::AdminRequest& request) {
  switch (request.kind) {
    case wire::AdminRequest::Kind::add_member:
      return plan_add(current, request.member);
    case wire::AdminRequest::Kind::remove_member:
      return plan_remove(current, request.member.id);
    case wire::AdminRequest::Kind::promote_member:
      return plan_promote(current, request.member.id);
    case wire::AdminRequest::Kind::transfer:
      break;
  }
  return fail(Errc::invalid_argument, "not a membership change");
}

Result<std::optional<Membership>> plan_join(const Membership& current, const Member& joiner,
                                            bool active) {
  const Member* known = current.find(joiner.id);
  if (known == nullptr)
    return fail(Errc::not_found, "node " + to_string(joiner.id) +
                                     " is not listed; add it with `mainstay member add`");
  if (known->incarnation == joiner.incarnation) {
    if (known->auto_promote) return std::nullopt;
    // It is a member and does not know: it came without the first membership, which is in no
    // entry. An entry that repeats the membership tells it; the mark means nothing for a voter.
    Member told = *known;
    told.auto_promote = true;
    return with(current, std::move(told));
  }
  if (known->role == MemberRole::voter && active)
    return fail(Errc::conflict,
                "its place is taken by another one that answers; two hosts with "
                "one node id?");
  return with(current, as_learner(joiner));
}

}  // namespace mainstay::replica
