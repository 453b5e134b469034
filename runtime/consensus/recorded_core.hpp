// A core whose inputs are kept in a ring (runtime/consensus/input_ring.hpp): every input of the
// owner goes through here, so that a dump misses none. Used by the owner's thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/consensus/core.hpp"
#include "runtime/consensus/input_ring.hpp"

namespace mainstay::consensus {

class RecordedCore {
 public:
  // `log` and `random` must outlive it.
  RecordedCore(const CoreOptions& options, const InitialState& initial, const LogReader& log,
               Random& random)
      : options_{options},
        log_{log},
        random_{ring_.recorded(random)},
        core_{options, initial, log, *random_} {}

  void tick() { ring().tick(), core_.tick(); }
  void step(Message message) {
    ring().step(message);
    core_.step(std::move(message));
  }
  Result<Index> propose(Bytes payload) {
    ring().propose({payload});
    return core_.propose(std::move(payload));
  }
  Result<Index> propose_check() {
    record(Kind::propose_check, 0);
    return core_.propose_check();
  }
  Result<Index> propose_membership(Membership next) {
    Input input;
    input.kind = Kind::propose_membership;
    input.membership = next;
    ring().record(std::move(input));
    return core_.propose_membership(std::move(next));
  }
  void read_index(std::uint64_t context) {
    record(Kind::read_index, context);
    core_.read_index(context);
  }
  Result<void> transfer(NodeId to) {
    record(Kind::transfer, to.value);
    return core_.transfer(to);
  }
  void set_draining(bool draining) {
    record(Kind::draining, draining ? 1 : 0);
    core_.set_draining(draining);
  }
  void set_quarantined(bool quarantined) {
    record(Kind::quarantined, quarantined ? 1 : 0);
    core_.set_quarantined(quarantined);
  }
  void report_unreachable(NodeId peer) {
    record(Kind::unreachable, peer.value);
    core_.report_unreachable(peer);
  }
  void stored(const PersistMark& mark) { ring().stored(mark), core_.stored(mark); }
  void applied(Index index) {
    record(Kind::applied, index);
    core_.applied(index);
  }
  void snapshot_received(const SnapshotMeta& snapshot, bool ok) {
    Input input;
    input.kind = Kind::snapshot_received;
    input.snapshot = snapshot;
    input.number = ok ? 1 : 0;
    ring().record(std::move(input));
    core_.snapshot_received(snapshot, ok);
  }
  Ready take_ready() { return core_.take_ready(); }

  // Everything that is only looked at.
  const Core& operator*() const { return core_; }
  const Core* operator->() const { return &core_; }
  Recording recording() const { return ring_.recording(); }
  // Bytes for `mainstay-sim --replay-dump`.
  std::string dump() const { return encode(recording()); }
  // The same from the signal handler of a dying process; see InputRing.
  bool last_words(InputRing::Sink sink, void* context) { return ring_.last_words(sink, context); }

 private:
  using Kind = Input::Kind;

  InputRing& ring() {
    if (ring_.wants_checkpoint()) ring_.checkpoint(options_, core_, log_);
    return ring_;
  }
  void record(Kind kind, std::uint64_t number) { ring().number(kind, number); }

  const CoreOptions options_;
  const LogReader& log_;
  InputRing ring_;
  const std::unique_ptr<Random> random_;
  Core core_;
};

}  // namespace mainstay::consensus
