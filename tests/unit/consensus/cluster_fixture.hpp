// Cores in one process with disks in memory and a network of one queue: what the tests of the core
// drive by hand. Everything happens when the test says so; the same seed gives the same run. Not
// the simulator (tests/sim): no faults of its own, no scheduler.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/consensus/core.hpp"

namespace mainstay::consensus::testing {

constexpr NodeId node(std::uint64_t id) {
  return NodeId{id};
}

// Member `id` with incarnation 100 + id.
Member member(std::uint64_t id, MemberRole role = MemberRole::voter);
Membership voters(std::uint64_t count);

// A durable log that exists in memory.
class MemoryLog final : public LogReader {
 public:
  void write(const Persist& persist);
  void compact(Index to);
  void publish_snapshot(const SnapshotMeta& snapshot) { snapshot_ = snapshot; }

  // For setting the scene before a core starts.
  void append(Term term, EntryKind kind = EntryKind::batch, MembershipPtr membership = nullptr);

  Index first_index() const override { return start_ + 1; }
  Index last_index() const override { return start_ + entries_.size(); }
  std::optional<Term> term(Index index) const override;
  std::vector<Entry> entries(Index low, Index high, std::size_t bytes_max) const override;
  SnapshotMeta snapshot() const override { return snapshot_; }
  std::vector<Entry> membership_entries() const override;

  HardState hard_state;
  Membership start_membership;  // as of the log's start

 private:
  Index start_ = 0;
  Term start_term_ = 0;
  std::deque<Entry> entries_;
  SnapshotMeta snapshot_;
};

// One node: its disk outlives its core.
struct TestNode {
  CoreOptions options;
  MemoryLog disk;
  Index durably_applied = 0;
  std::unique_ptr<SeededRandom> random;
  std::unique_ptr<Core> core;  // none while it is down

  struct Unstored {
    Persist persist;
    std::vector<Message> after;
  };
  std::deque<Unstored> unstored;  // with disk_waits
  bool disk_waits = false;        // the test calls store_next()
  bool applies = true;
  bool pulls = true;  // snapshots offered are staged at once

  std::vector<Entry> applied;  // what the state machine saw, in order
  std::vector<ReadState> reads;
  std::vector<SnapshotMeta> offers;

  Status status() const { return core->status(); }
  // The payloads applied.
  std::vector<std::string> values() const;
};

class Cluster {
 public:
  explicit Cluster(std::uint64_t count, std::uint64_t seed = 1);
  explicit Cluster(const Membership& membership, std::uint64_t seed = 1);
  ~Cluster();  // asserts the invariants of every core

  TestNode& operator[](std::uint64_t id) { return nodes_.at(node(id)); }
  // A node that is in no membership yet, with an empty log.
  TestNode& add(std::uint64_t id, std::uint64_t incarnation);
  void start(std::uint64_t id);
  void stop(std::uint64_t id);  // what was not stored is lost
  void restart(std::uint64_t id);

  // Takes and runs every Ready of a node (or of all) without delivering messages.
  void pump(std::uint64_t id);
  void pump();
  // Makes the oldest Persist of a waiting disk durable and lets the messages that waited for it
  // leave. False if there is none.
  bool store_next(std::uint64_t id);
  // Runs and delivers until nothing is left to do.
  void settle();
  // Delivers one message of the queue; false if it is empty.
  bool deliver_one();
  void tick(std::uint64_t id, std::uint32_t count = 1);
  // All nodes tick together, settling after each tick.
  void run(std::uint32_t ticks);

  // Makes `id` time out and win, with everything delivered.
  void elect(std::uint64_t id);
  // Runs until some node leads; 0 when none does within `ticks`.
  std::uint64_t await_leader(std::uint32_t ticks = 400);
  // Proposes at `id` and settles.
  Index put(std::uint64_t id, const std::string& value);

  // Messages from `from` to `to` are lost. isolate() cuts both ways to everybody.
  void cut(std::uint64_t from, std::uint64_t to) { cuts_[{from, to}] = true; }
  void isolate(std::uint64_t id);
  void heal() { cuts_.clear(); }
  // Asked for every message; true loses it.
  std::function<bool(const Message&)> lose;

  std::deque<Message> network;
  std::vector<Message> seen;  // every message that left a node, also those lost later

  // How many messages of a type left since the last forget().
  std::size_t count(MessageType type) const;
  void forget() { seen.clear(); }
  std::vector<Message> messages(MessageType type) const;
  std::vector<Message> messages(MessageType type, std::uint64_t from, std::uint64_t to) const;

  void check() const;

 private:
  void run_ready(TestNode& one, Ready ready);
  void post(const std::vector<Message>& messages);

  std::map<NodeId, TestNode> nodes_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, bool> cuts_;
  std::uint64_t seed_;
};

// A single core whose peers are played by the test.
class Solo {
 public:
  // Node 1 of `count` voters; `prepare` may set the disk up before the core starts.
  explicit Solo(std::uint64_t count = 3, const std::function<void(MemoryLog&)>& prepare = nullptr);
  explicit Solo(const Membership& membership,
                const std::function<void(MemoryLog&)>& prepare = nullptr);

  Core& core() { return *cluster[1].core; }
  Status status() { return cluster[1].status(); }
  // Gives the core a message from a peer, in its name and present incarnation, and runs what
  // follows. The answers:
  std::vector<Message> step(Message message);
  // Without running anything.
  void step_only(Message message);
  std::vector<Message> tick(std::uint32_t count = 1);
  // Runs the core; what left since the last call.
  std::vector<Message> take();
  // Makes node 1 candidate (until it asks for votes) or leader of three or five voters.
  void become_candidate();
  void become_leader();

  Message from(std::uint64_t peer, MessageType type, Term term) const;
  Message append(std::uint64_t peer, Term term, Index prev, Term prev_term,
                 const std::vector<Term>& terms, Index commit = 0) const;
  Message ack(std::uint64_t peer, Index match) const;

  Cluster cluster;
};

}  // namespace mainstay::consensus::testing
