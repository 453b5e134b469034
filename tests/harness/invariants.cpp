#include "tests/harness/invariants.hpp"

#include <fmt/format.h>

#include "tests/harness/describe.hpp"

namespace mainstay::harness {

using consensus::Core;
using consensus::CoreRole;
using consensus::Entry;
using consensus::EntryKind;
using consensus::HardState;
using consensus::Index;
using consensus::LogReader;
using consensus::Member;
using consensus::MemberRole;
using consensus::Membership;
using consensus::MembershipPtr;
using consensus::Message;
using consensus::MessageType;
using consensus::Persist;
using consensus::Ready;
using consensus::Term;

namespace {

std::string name(MemberKey who) {
  return "n" + to_string(who.first);
}

template <class... Args>
void require(bool holds, const char* invariant, fmt::format_string<Args...> format,
             Args&&... args) {
  if (!holds) throw Violation{invariant, fmt::format(format, std::forward<Args>(args)...)};
}

}  // namespace

std::optional<Term> Invariants::Shadow::term(Index index) const {
  if (index == base) return base_term;
  if (index < base || index > last()) return std::nullopt;
  return places[index - base - 1].term;
}

void Invariants::Shadow::apply(const Persist& persist) {
  if (persist.snapshot) {
    base = persist.snapshot->index;
    base_term = persist.snapshot->term;
    places.clear();
  }
  if (persist.truncate_from && *persist.truncate_from <= last())
    places.resize(*persist.truncate_from > base ? *persist.truncate_from - base - 1 : 0);
  for (const Entry& entry : persist.entries) {
    require(entry.index == last() + 1, "log contiguous", "entry {} follows {}", entry.index,
            last());
    places.push_back(place_of(entry));
  }
  if (persist.hard_state) hard_state = *persist.hard_state;
}

Invariants::Place Invariants::place_of(const Entry& entry) {
  const std::uint64_t seed = static_cast<std::uint64_t>(entry.kind) + 1;
  if (entry.kind == EntryKind::membership && entry.membership)
    return {entry.term, xxh3_128(describe(*entry.membership), seed), true};
  return {entry.term, xxh3_128(entry.payload.view(), seed), false};
}

void Invariants::opened(MemberKey who, const LogReader& log, const HardState& hard_state) {
  Shadow found;
  found.base = log.first_index() - 1;
  found.base_term = log.term(found.base).value_or(0);
  found.hard_state = hard_state;
  if (log.last_index() > found.base)
    for (const Entry& entry :
         log.entries(found.base + 1, log.last_index() + 1, std::size_t{1} << 40))
      found.places.push_back(place_of(entry));
  auto [at, fresh] = nodes_.try_emplace(who);
  Node& node = at->second;
  if (!fresh) {
    const bool as_promised =
        same(node.durable, found) || (node.in_flight && same(*node.in_flight, found));
    require(
        as_promised, "durable log kept",
        "{} promised entries to {}@t{} with term {} vote {}, but its disk holds {}..{}@t{} with "
        "term {} vote {}",
        name(who), node.durable.last(), node.durable.term(node.durable.last()).value_or(0),
        node.durable.hard_state.term, node.durable.hard_state.vote.value, found.base, found.last(),
        found.term(found.last()).value_or(0), hard_state.term, hard_state.vote.value);
  }
  node = Node{};
  node.believed = node.durable = found;
}

bool Invariants::same(const Shadow& shadow, const Shadow& found) {
  if (shadow.last() != found.last() || !(shadow.hard_state == found.hard_state)) return false;
  const Index base = std::max(shadow.base, found.base);
  if (shadow.term(base) != found.term(base)) return false;
  for (Index index = base + 1; index <= found.last(); ++index)
    if (!(shadow.places[index - shadow.base - 1] == found.places[index - found.base - 1]))
      return false;
  return true;
}

void Invariants::writing(MemberKey who, const std::vector<const Persist*>& persists) {
  Node& node = nodes_[who];
  node.in_flight = node.durable;
  for (const Persist* persist : persists) node.in_flight->apply(*persist);
  require(node.in_flight->hard_state.term >= node.durable.hard_state.term, "term never goes back",
          "{} stores term {} after {}", name(who), node.in_flight->hard_state.term,
          node.durable.hard_state.term);
}

void Invariants::written(MemberKey who) {
  Node& node = nodes_[who];
  node.durable = std::move(*node.in_flight);
  node.in_flight.reset();
}

void Invariants::crashed(MemberKey who) {
  Node& node = nodes_[who];
  node.role = CoreRole::follower;
  node.believed = node.durable;
}

// Its acknowledgements may still be on their way and count: the disk held the entries when it said
// so. What it held is therefore kept.
void Invariants::disk_lost(MemberKey who) {
  nodes_[who].in_flight.reset();
}

void Invariants::on_compacted(MemberKey who, Index first, Index durable_applied) {
  require(first <= durable_applied + 1, "compaction behind applied",
          "{} forgot entries up to {} but only {} is safely applied", name(who), first - 1,
          durable_applied);
}

void Invariants::after_input(MemberKey who, const Core& core) {
  Node& node = nodes_[who];
  const Term term = core.term();
  const CoreRole role = core.role();
  require(term >= node.term, "term never goes back", "{} went from term {} to {}", name(who),
          node.term, term);
  const bool new_leader = role == CoreRole::leader && (node.role != role || node.term != term);
  node.role = role;
  node.term = term;
  if (!new_leader) return;
  auto [at, fresh] = leaders_.try_emplace(term, who);
  require(at->second == who, "one leader per term", "{} and {} both lead term {}", name(at->second),
          name(who), term);
  require(fresh, "one leader per term", "{} leads term {} a second time", name(who), term);
  node.commit_at_election = core.status().commit;
  check_vote(who, term, who.first);
  check_new_leader(who, node);
}

void Invariants::check_new_leader(MemberKey who, const Node& node) {
  for (Index index = node.believed.base + 1; index <= committed_.size(); ++index) {
    const Committed& entry = committed_[index - 1];
    if (entry.commit_term >= node.term) continue;
    require(node.believed.term(index) == entry.place.term, "leader has all committed",
            "{} leads term {} without {}@t{}, committed in term {}", name(who), node.term, index,
            entry.place.term, entry.commit_term);
  }
}

void Invariants::check_vote(MemberKey who, Term term, NodeId candidate) {
  auto [at, fresh] = votes_.try_emplace({who, term}, candidate);
  require(at->second == candidate, "one vote per term", "{} voted for n{} and n{} in term {}",
          name(who), at->second.value, candidate.value, term);
}

void Invariants::on_ready(MemberKey who, const Core& core, const Ready& ready) {
  Node& node = nodes_[who];
  check_appended(who, node, ready.persist);
  node.believed.apply(ready.persist);
  if (core.role() == CoreRole::leader) check_leader_appends(who, core, ready.persist);
  check_committed(who, core, ready);
}

void Invariants::check_appended(MemberKey who, const Node& node, const Persist& persist) {
  if (persist.truncate_from && *persist.truncate_from <= committed_.size()) {
    const Index from = *persist.truncate_from;
    for (Index index = from; index <= std::min<Index>(node.believed.last(), committed_.size());
         ++index)
      require(node.believed.term(index) != committed_[index - 1].place.term,
              "committed never truncated", "{} truncates from {}, but {} is committed", name(who),
              from, index);
  }
  std::optional<Term> before;
  for (const Entry& entry : persist.entries) {
    if (!before) {
      if (persist.snapshot && persist.snapshot->index == entry.index - 1)
        before = persist.snapshot->term;
      else
        before = node.believed.term(entry.index - 1);
    }
    const Place place = place_of(entry);
    auto [at, fresh] =
        made_.try_emplace({entry.index, entry.term}, Made{place.hash, before.value_or(0)});
    require(at->second.hash == place.hash, "logs match",
            "two different entries at {}@t{}, one on {}", entry.index, entry.term, name(who));
    require(!before || at->second.term_before == *before, "logs match",
            "{} holds {}@t{} after an entry of term {}, others after one of term {}", name(who),
            entry.index, entry.term, *before, at->second.term_before);
    before = entry.term;
  }
}

void Invariants::check_committed(MemberKey who, const Core& core, const Ready& ready) {
  const Shadow& durable = nodes_[who].durable;
  for (const Entry& entry : ready.committed) {
    const Place place = place_of(entry);
    require(entry.index <= durable.base || durable.term(entry.index) == entry.term,
            "applied is stored", "{} applies {}@t{} which its own disk does not hold", name(who),
            entry.index, entry.term);
    require(entry.index <= committed_.size() + 1, "commits without gaps",
            "{} commits {} while {} is the highest known", name(who), entry.index,
            committed_.size());
    if (entry.index <= committed_.size()) {
      require(committed_[entry.index - 1].place == place, "committed is for ever",
              "{} commits {}@t{}, others committed {}@t{} there", name(who), entry.index,
              entry.term, entry.index, committed_[entry.index - 1].place.term);
      continue;
    }
    check_durable_on_majority(who, core, entry);
    check_counted_own_term(who, core, ready);
    committed_.push_back({place, core.term()});
    if (entry.kind == EntryKind::membership) check_membership(entry);
  }
}

// What was committed before it was elected it may have heard of as a follower.
void Invariants::check_counted_own_term(MemberKey who, const Core& core, const Ready& ready) const {
  const Node& node = nodes_.at(who);
  if (core.role() != CoreRole::leader || node.role != CoreRole::leader || node.term != core.term())
    return;
  if (ready.committed.back().term == core.term()) return;
  // It may have been committed with a later entry that this disk does not hold yet.
  const Index commit = core.status().commit;
  const Term reached = node.believed.term(commit).value_or(0);
  require(commit <= node.commit_at_election || reached == core.term(),
          "commits by counting its own term", "{} leads term {} and commits up to {}@t{}",
          name(who), core.term(), commit, reached);
}

// A leader decides by the latest membership of its log, about the entries before it, too; a
// follower that hears of the commit first may know an older or a newer one, and that of its leader
// may not be committed yet.
void Invariants::check_durable_on_majority(MemberKey who, const Core& core, const Entry& entry) {
  const bool leads = core.role() == CoreRole::leader;
  const bool held = majority_holds(core.membership(), entry) ||
                    (!leads && (majority_holds(membership(), entry) ||
                                leaders_majority_holds(core.term(), entry)));
  require(held, "committed is durable on a majority",
          "{} commits {}@t{} which the disks of a majority of {} do not hold", name(who),
          entry.index, entry.term, describe(core.membership()));
}

bool Invariants::leaders_majority_holds(Term term, const Entry& entry) const {
  const auto leader = leaders_.find(term);
  if (leader == leaders_.end()) return false;
  const MembershipPtr& appended = nodes_.at(leader->second).appended;
  return appended && majority_holds(*appended, entry);
}

bool Invariants::majority_holds(const Membership& members, const Entry& entry) const {
  std::size_t voters = 0;
  std::size_t holding = 0;
  for (const Member& member : members.members) {
    if (member.role != MemberRole::voter) continue;
    ++voters;
    const auto at = nodes_.find({member.id, member.incarnation});
    if (at == nodes_.end()) continue;
    const Shadow& durable = at->second.durable;
    if (durable.base >= entry.index || durable.term(entry.index) == entry.term) ++holding;
  }
  return 2 * holding > voters;
}

// What a leader may add to its log: one uncommitted membership at a time, and none before an entry
// of its own term is committed (thesis section 4.1 and the correction of 2015).
void Invariants::check_leader_appends(MemberKey who, const Core& core, const Persist& persist) {
  const Shadow& log = nodes_.at(who).believed;
  for (const Entry& entry : persist.entries) {
    if (entry.kind != EntryKind::membership || entry.term != core.term()) continue;
    const Index commit = core.status().commit;
    nodes_.at(who).appended = entry.membership;
    for (Index index = std::max(log.base, commit) + 1; index < entry.index; ++index)
      require(!log.places[index - log.base - 1].membership, "one membership change at a time",
              "{} appends a membership at {} while that at {} is not committed", name(who),
              entry.index, index);
    Index first_of_term = entry.index;
    while (first_of_term > log.base + 1 && log.term(first_of_term - 1) == core.term())
      --first_of_term;
    require(commit >= first_of_term, "no change before a commit of the term",
            "{} appends a membership at {} with commit {}, its term began at {}", name(who),
            entry.index, commit, first_of_term);
  }
}

void Invariants::check_membership(const Entry& entry) {
  const Membership& before = membership();
  const Membership& now = *entry.membership;
  std::size_t changed = 0;
  for (const Member& member : now.members) {
    const Member* old = before.find(member.id);
    changed += old == nullptr || !(*old == member) ? 1 : 0;
  }
  for (const Member& member : before.members) changed += now.find(member.id) == nullptr ? 1 : 0;
  require(changed <= 1, "one membership change at a time", "from {} to {} at {}", describe(before),
          describe(now), entry.index);
  memberships_.emplace_back(entry.index, entry.membership);
}

const Membership& Invariants::membership() const {
  return memberships_.empty() ? initial_ : *memberships_.back().second;
}

void Invariants::on_send(MemberKey who, const Message& message) {
  const Node& node = nodes_[who];
  if (message.type == MessageType::vote_reply && !message.reject) {
    check_vote(who, message.term, message.to);
    const HardState& durable = node.durable.hard_state;
    const bool kept =
        durable.term > message.term || (durable.term == message.term && durable.vote == message.to);
    require(kept, "vote durable before it is told",
            "{} tells n{} its vote of term {} while its disk holds term {} vote {}", name(who),
            message.to.value, message.term, durable.term, durable.vote.value);
  }
  if (message.type == MessageType::vote) check_candidate(who, message);
  if (message.type == MessageType::append_reply && !message.reject)
    check_append_reply(who, message);
}

// What a candidate offers in exchange for votes must survive its crash.
void Invariants::check_candidate(MemberKey who, const Message& message) const {
  const Shadow& durable = nodes_.at(who).durable;
  require(durable.term(message.index) == message.log_term, "campaigns with what is stored",
          "{} asks for votes with {}@t{} while its disk ends at {}@t{}", name(who), message.index,
          message.log_term, durable.last(), durable.term(durable.last()).value_or(0));
}

void Invariants::check_append_reply(MemberKey who, const Message& message) {
  const Node& node = nodes_[who];
  // One write may hold an append and the later term's truncation of it: as if the answer had been
  // sent in between and was late.
  if (node.durable.hard_state.term > message.term) return;
  require(node.durable.last() >= message.index, "acknowledged is stored",
          "{} acknowledges {} while its disk ends at {}", name(who), message.index,
          node.durable.last());
  const auto leader = leaders_.find(message.term);
  if (leader == leaders_.end()) return;
  const auto at = nodes_.find(leader->second);
  if (at == nodes_.end() || at->second.role != CoreRole::leader || at->second.term != message.term)
    return;
  const auto theirs = at->second.believed.term(message.index);
  const auto ours = node.durable.term(message.index);
  const bool below = message.index < at->second.believed.base || message.index < node.durable.base;
  require(below || (theirs && ours && *theirs == *ours), "acknowledged is what the leader sent",
          "{} acknowledges {}@t{} in term {}, the leader {} has {}@t{}", name(who), message.index,
          ours.value_or(0), message.term, name(leader->second), message.index, theirs.value_or(0));
}

void Invariants::on_applied(MemberKey who, const record::Counters& counters) {
  const Index index = counters.applied_index;
  require(index <= committed_.size(), "applied is committed", "{} applied {}, {} is committed",
          name(who), index, committed_.size());
  auto [at, fresh] = states_.try_emplace(index, counters.hash, counters.stamp);
  require(at->second == std::pair{counters.hash, counters.stamp}, "states equal",
          "{} holds another state than others at {}", name(who), index);
  if (!fresh) return;
  const auto next = std::next(at);
  const bool ordered = (at == states_.begin() || std::prev(at)->second.second <= counters.stamp) &&
                       (next == states_.end() || counters.stamp <= next->second.second);
  require(ordered, "replicated time never goes back", "at {} on {}", index, name(who));
}

bool Invariants::is_known_state(const record::Counters& counters) const {
  const auto at = states_.find(counters.applied_index);
  return at != states_.end() && at->second == std::pair{counters.hash, counters.stamp};
}

void Invariants::on_read(Index committed_at_start, Index read_index) const {
  require(read_index >= committed_at_start, "read sees what was committed",
          "a read that began when {} was committed got index {}", committed_at_start, read_index);
}

}  // namespace mainstay::harness
