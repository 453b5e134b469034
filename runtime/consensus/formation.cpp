#include "runtime/consensus/formation.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/assert.hpp"

namespace mainstay::consensus {
namespace {

ClusterId draw_cluster(Random& random) {
  ClusterId cluster;
  while (!cluster) cluster.words = {random.next(), random.next()};
  return cluster;
}

}  // namespace

Formation::Formation(Member self, std::vector<Member> listed)
    : self_{std::move(self)}, listed_{std::move(listed)} {
  ASSERT(self_.id && self_.incarnation);
  std::sort(listed_.begin(), listed_.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
}

std::optional<Formed> Formation::on_hello(NodeId from, Incarnation incarnation, bool formed,
                                          Random& random) {
  if (formed) {
    // A cluster exists somewhere: from now on this node never makes another one.
    formed_peer_seen_ = true;
    empty_peers_.clear();
  }
  if (done_ || formed_peer_seen_ || from == self_.id) return std::nullopt;
  empty_peers_[from] = incarnation;
  if (listed_.empty() || listed_.front().id != self_.id) return std::nullopt;
  Formed result;
  for (const Member& listed : listed_) {
    Member member = listed.id == self_.id ? self_ : listed;
    if (listed.id != self_.id) {
      const auto peer = empty_peers_.find(listed.id);
      if (peer == empty_peers_.end()) return std::nullopt;
      member.incarnation = peer->second;
    }
    member.role = MemberRole::voter;
    result.initial.members.push_back(std::move(member));
  }
  result.cluster = draw_cluster(random);
  done_ = true;
  return result;
}

std::optional<Formed> Formation::form_alone(Random& random) {
  if (done_ || formed_peer_seen_ || listed_.size() != 1 || listed_.front().id != self_.id)
    return std::nullopt;
  Member member = self_;
  member.role = MemberRole::voter;
  done_ = true;
  return Formed{draw_cluster(random), Membership{{std::move(member)}}};
}

bool Formation::accepts(const Formed& offer) const {
  if (done_ || !offer.cluster) return false;
  const Member* listed = offer.initial.find(self_.id);
  return listed != nullptr && listed->incarnation == self_.incarnation;
}

bool Formation::should_join() const {
  return formed_peer_seen_ && !done_;
}

}  // namespace mainstay::consensus
