#include "runtime/consensus/invariants.hpp"

#include <map>

#include "runtime/consensus/membership_history.hpp"

namespace mainstay::consensus {
namespace {

std::string at(const Status& status, const std::string& what) {
  return "node " + to_string(status.id) + " (" + std::string{to_string(status.role)} + ", term " +
         std::to_string(status.term) + "): " + what;
}

std::string leader_violation(const Status& status) {
  if (status.leader != status.id) return at(status, "leads but names another leader");
  if (status.vote != status.id) return at(status, "leads a term in which it voted for another");
  for (const MemberStatus& member : status.members) {
    if (member.match > status.last)
      return at(status, "believes that a member holds more than itself");
    if (member.next <= member.match) return at(status, "would send what a member already holds");
    if (member.id == status.id && member.match > status.stored)
      return at(status, "counts itself for entries that it has not stored");
  }
  return {};
}

}  // namespace

std::string violation(const Status& status) {
  if (status.applied > status.commit) return at(status, "applied more than is committed");
  if (status.applied > status.stored) return at(status, "applied more than its log has stored");
  if (status.commit > status.last) return at(status, "committed more than its log holds");
  if (status.stored > status.last) return at(status, "stored more than its log holds");
  const bool campaigns =
      status.role == CoreRole::pre_candidate || status.role == CoreRole::candidate;
  if (campaigns && status.stored != status.last)
    return at(status, "campaigns with entries that are not stored");
  if (campaigns && status.installing_snapshot)
    return at(status, "campaigns with a half installed snapshot");
  if (campaigns && status.leader) return at(status, "campaigns while it knows a leader");
  if (status.role == CoreRole::candidate && status.vote != status.id)
    return at(status, "is a candidate that voted for another");
  if (!status.membership.members.empty() && !validate(status.membership))
    return at(status, "has a membership that is not well-formed");
  return status.role == CoreRole::leader ? leader_violation(status) : std::string{};
}

std::string violation(const Status& before, const Status& after) {
  if (after.term < before.term) return at(after, "its term went back");
  if (after.term == before.term && before.vote && after.vote != before.vote)
    return at(after, "changed its vote within a term");
  if (after.term == before.term && before.leader && after.leader && before.leader != after.leader)
    return at(after, "saw two leaders in one term");
  if (after.commit < before.commit) return at(after, "its commit index went back");
  if (after.applied < before.applied) return at(after, "its applied index went back");
  const bool led_on = before.role == CoreRole::leader && after.role == CoreRole::leader &&
                      before.term == after.term;
  if (led_on && after.last < before.last) return at(after, "a leader removed entries of its log");
  return {};
}

std::string violation(const std::vector<Status>& group) {
  std::map<Term, NodeId> leaders;
  for (const Status& status : group) {
    if (status.role != CoreRole::leader) continue;
    const auto [known, first] = leaders.emplace(status.term, status.id);
    if (!first && known->second != status.id)
      return "nodes " + to_string(known->second) + " and " + to_string(status.id) +
             " both lead term " + std::to_string(status.term);
  }
  return {};
}

}  // namespace mainstay::consensus
