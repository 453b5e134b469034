#include "tests/unit/consensus/cluster_fixture.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/consensus/invariants.hpp"

namespace mainstay::consensus::testing {

Member member(std::uint64_t id, MemberRole role) {
  Member one;
  one.id = node(id);
  one.incarnation = Incarnation{100 + id};
  one.role = role;
  return one;
}

Membership voters(std::uint64_t count) {
  Membership membership;
  for (std::uint64_t id = 1; id <= count; ++id) membership.members.push_back(member(id));
  return membership;
}

// --- MemoryLog ---

void MemoryLog::write(const Persist& persist) {
  if (persist.snapshot) {
    entries_.clear();
    start_ = persist.snapshot->index;
    start_term_ = persist.snapshot->term;
    start_membership = persist.snapshot->membership;
    snapshot_ = *persist.snapshot;
  }
  if (persist.truncate_from)
    while (last_index() >= *persist.truncate_from) entries_.pop_back();
  for (const Entry& entry : persist.entries) {
    ASSERT(entry.index == last_index() + 1);
    entries_.push_back(entry);
  }
  if (persist.hard_state) hard_state = *persist.hard_state;
}

void MemoryLog::compact(Index to) {
  while (start_ < to && !entries_.empty()) {
    const Entry& oldest = entries_.front();
    if (oldest.membership) start_membership = *oldest.membership;
    start_ = oldest.index;
    start_term_ = oldest.term;
    entries_.pop_front();
  }
}

void MemoryLog::append(Term term, EntryKind kind, MembershipPtr membership) {
  Entry entry;
  entry.index = last_index() + 1;
  entry.term = term;
  entry.kind = kind;
  entry.membership = std::move(membership);
  entries_.push_back(std::move(entry));
}

std::optional<Term> MemoryLog::term(Index index) const {
  if (index == start_) return start_term_;
  if (index < start_ || index > last_index()) return std::nullopt;
  return entries_[index - start_ - 1].term;
}

std::vector<Entry> MemoryLog::entries(Index low, Index high, std::size_t bytes_max) const {
  ASSERT(low < high && high <= last_index() + 1);
  std::vector<Entry> result;
  std::size_t bytes = 0;
  for (Index index = low; index < high && index > start_; ++index) {
    const Entry& entry = entries_[index - start_ - 1];
    bytes += entry.bytes();
    if (bytes > bytes_max && !result.empty()) break;
    result.push_back(entry);
  }
  return result;
}

std::vector<Entry> MemoryLog::membership_entries() const {
  std::vector<Entry> result;
  for (const Entry& entry : entries_)
    if (entry.membership) result.push_back(entry);
  return result;
}

std::vector<std::string> TestNode::values() const {
  std::vector<std::string> result;
  for (const Entry& entry : applied)
    if (entry.kind == EntryKind::batch) result.emplace_back(entry.payload.view());
  return result;
}

// --- Cluster ---

Cluster::Cluster(std::uint64_t count, std::uint64_t seed) : Cluster{voters(count), seed} {}

Cluster::Cluster(const Membership& membership, std::uint64_t seed) : seed_{seed} {
  for (const Member& one : membership.members) {
    TestNode& added = add(one.id.value, one.incarnation.value);
    added.disk.start_membership = membership;
    start(one.id.value);
  }
}

Cluster::~Cluster() {
  check();
}

TestNode& Cluster::add(std::uint64_t id, std::uint64_t incarnation) {
  TestNode& added = nodes_[node(id)];
  added.options.id = node(id);
  added.options.incarnation = Incarnation{incarnation};
  return added;
}

void Cluster::start(std::uint64_t id) {
  TestNode& one = (*this)[id];
  InitialState initial;
  initial.hard_state = one.disk.hard_state;
  initial.membership = one.disk.start_membership;
  one.durably_applied = std::max(one.durably_applied, one.disk.first_index() - 1);
  initial.applied = one.durably_applied;
  one.random = std::make_unique<SeededRandom>(seed_ * 1000 + id);
  one.core = std::make_unique<Core>(one.options, initial, one.disk, *one.random);
}

void Cluster::stop(std::uint64_t id) {
  TestNode& one = (*this)[id];
  one.core.reset();
  one.unstored.clear();
}

void Cluster::restart(std::uint64_t id) {
  stop(id);
  start(id);
}

void Cluster::post(const std::vector<Message>& messages) {
  for (const Message& message : messages) {
    seen.push_back(message);
    network.push_back(message);
  }
}

void Cluster::run_ready(TestNode& one, Ready ready) {
  post(ready.send_now);
  one.reads.insert(one.reads.end(), ready.reads.begin(), ready.reads.end());
  if (ready.persist.empty()) {
    ASSERT(ready.send_after_stored.empty());
  } else if (one.disk_waits) {
    one.unstored.push_back({ready.persist, ready.send_after_stored});
  } else {
    one.disk.write(ready.persist);
    one.core->stored(ready.persist.mark);
    post(ready.send_after_stored);
  }
  one.applied.insert(one.applied.end(), ready.committed.begin(), ready.committed.end());
  if (!ready.committed.empty() && one.applies) {
    one.durably_applied = ready.committed.back().index;
    one.core->applied(one.durably_applied);
  }
  if (ready.pull_snapshot) {
    one.offers.push_back(*ready.pull_snapshot);
    if (one.pulls) one.core->snapshot_received(*ready.pull_snapshot, true);
  }
}

void Cluster::pump(std::uint64_t id) {
  TestNode& one = (*this)[id];
  while (one.core && one.core->has_ready()) run_ready(one, one.core->take_ready());
}

void Cluster::pump() {
  for (const auto& [id, one] : nodes_) pump(id.value);
}

bool Cluster::store_next(std::uint64_t id) {
  TestNode& one = (*this)[id];
  if (one.unstored.empty()) return false;
  const TestNode::Unstored next = std::move(one.unstored.front());
  one.unstored.pop_front();
  one.disk.write(next.persist);
  one.core->stored(next.persist.mark);
  post(next.after);
  return true;
}

bool Cluster::deliver_one() {
  if (network.empty()) return false;
  const Message message = std::move(network.front());
  network.pop_front();
  if (cuts_.count({message.from.value, message.to.value}) != 0) return true;
  if (lose && lose(message)) return true;
  const auto target = nodes_.find(message.to);
  if (target != nodes_.end() && target->second.core) target->second.core->step(message);
  return true;
}

void Cluster::settle() {
  for (int rounds = 0; rounds < 100000; ++rounds) {
    pump();
    if (!deliver_one()) return;
  }
  ASSERT_MSG(false, "the cluster does not come to rest");
}

void Cluster::tick(std::uint64_t id, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    (*this)[id].core->tick();
    pump(id);
  }
}

void Cluster::run(std::uint32_t ticks) {
  for (std::uint32_t i = 0; i < ticks; ++i) {
    for (auto& [id, one] : nodes_)
      if (one.core) one.core->tick();
    settle();
    check();
  }
}

void Cluster::elect(std::uint64_t id) {
  settle();
  for (int attempt = 0; attempt < 1000 && (*this)[id].core->role() != CoreRole::leader; ++attempt) {
    for (auto& [other, one] : nodes_)
      if (one.core && other != node(id) && one.core->leader())
        one.core->report_unreachable(one.core->leader());
    (*this)[id].core->tick();
    settle();
  }
  ASSERT((*this)[id].core->role() == CoreRole::leader);
}

std::uint64_t Cluster::await_leader(std::uint32_t ticks) {
  for (std::uint32_t i = 0; i < ticks; ++i) {
    for (auto& [id, one] : nodes_)
      if (one.core && one.core->role() == CoreRole::leader) return id.value;
    run(1);
  }
  return 0;
}

Index Cluster::put(std::uint64_t id, const std::string& value) {
  auto index = (*this)[id].core->propose(Bytes{value});
  ASSERT_MSG(index.has_value(), index ? "" : index.error().message.c_str());
  settle();
  return *index;
}

void Cluster::isolate(std::uint64_t id) {
  for (const auto& [other, one] : nodes_) {
    cut(id, other.value);
    cut(other.value, id);
  }
}

std::size_t Cluster::count(MessageType type) const {
  return messages(type).size();
}

std::vector<Message> Cluster::messages(MessageType type) const {
  std::vector<Message> result;
  for (const Message& message : seen)
    if (message.type == type) result.push_back(message);
  return result;
}

std::vector<Message> Cluster::messages(MessageType type, std::uint64_t from,
                                       std::uint64_t to) const {
  std::vector<Message> result;
  for (const Message& message : messages(type))
    if (message.from == node(from) && message.to == node(to)) result.push_back(message);
  return result;
}

void Cluster::check() const {
  std::vector<Status> group;
  for (const auto& [id, one] : nodes_) {
    if (!one.core) continue;
    group.push_back(one.core->status());
    const std::string wrong = violation(group.back());
    ASSERT_MSG(wrong.empty(), wrong.c_str());
  }
  const std::string wrong = violation(group);
  ASSERT_MSG(wrong.empty(), wrong.c_str());
}

// --- Solo ---

Solo::Solo(std::uint64_t count, const std::function<void(MemoryLog&)>& prepare)
    : Solo{voters(count), prepare} {}

Solo::Solo(const Membership& membership, const std::function<void(MemoryLog&)>& prepare)
    : cluster{Membership{}} {
  TestNode& one = cluster.add(1, 101);
  one.disk.start_membership = membership;
  if (prepare) prepare(one.disk);
  cluster.start(1);
}

std::vector<Message> Solo::take() {
  cluster.pump(1);
  cluster.network.clear();
  std::vector<Message> left = std::move(cluster.seen);
  cluster.seen.clear();
  return left;
}

void Solo::step_only(Message message) {
  core().step(std::move(message));
}

std::vector<Message> Solo::step(Message message) {
  step_only(std::move(message));
  return take();
}

std::vector<Message> Solo::tick(std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    core().tick();
    cluster.pump(1);
  }
  return take();
}

void Solo::become_candidate() {
  take();
  for (int i = 0; i < 200 && core().role() == CoreRole::follower; ++i) tick();
  ASSERT(core().role() == CoreRole::pre_candidate);
  const Term next = core().term() + 1;
  for (const Member& one : core().membership().members) {
    if (core().role() != CoreRole::pre_candidate || one.id == node(1)) continue;
    step(from(one.id.value, MessageType::pre_vote_reply, next));
  }
  ASSERT(core().role() == CoreRole::candidate);
}

void Solo::become_leader() {
  become_candidate();
  for (const Member& one : core().membership().members) {
    if (core().role() != CoreRole::candidate || one.id == node(1)) continue;
    step_only(from(one.id.value, MessageType::vote_reply, core().term()));
  }
  ASSERT(core().role() == CoreRole::leader);
}

Message Solo::from(std::uint64_t peer, MessageType type, Term term) const {
  Message message;
  message.type = type;
  message.from = node(peer);
  message.from_incarnation = Incarnation{100 + peer};
  message.to = node(1);
  message.to_incarnation = Incarnation{101};
  message.term = term;
  return message;
}

Message Solo::append(std::uint64_t peer, Term term, Index prev, Term prev_term,
                     const std::vector<Term>& terms, Index commit) const {
  Message message = from(peer, MessageType::append, term);
  message.index = prev;
  message.log_term = prev_term;
  message.commit = commit;
  for (Term entry_term : terms) {
    Entry entry;
    entry.index = ++prev;
    entry.term = entry_term;
    entry.kind = EntryKind::batch;
    message.entries.push_back(std::move(entry));
  }
  return message;
}

Message Solo::ack(std::uint64_t peer, Index match) const {
  Message message = from(peer, MessageType::append_reply, const_cast<Solo*>(this)->core().term());
  message.index = match;
  return message;
}

}  // namespace mainstay::consensus::testing
