// A core whose inputs are kept in a ring (runtime/consensus/input_ring.hpp): every input of the
// driver goes through here, so that a dump misses none. Owner and thread: the driver's.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/consensus/core.hpp"
#include "runtime/consensus/input_ring.hpp"

namespace mainstay::replica {

class RecordedCore {
 public:
  // `log` and `random` must outlive it.
  RecordedCore(const consensus::CoreOptions& options, const consensus::InitialState& initial,
               const consensus::LogReader& log, Random& random)
      : options_{options},
        log_{log},
        random_{ring_.recorded(random)},
        core_{options, initial, log, *random_} {}

  void tick() { ring().tick(), core_.tick(); }
  void step(consensus::Message message) {
    ring().step(message);
    core_.step(std::move(message));
  }
  Result<consensus::Index> propose(Bytes payload) {
    ring().propose({payload});
    return core_.propose(std::move(payload));
  }
  Result<consensus::Index> propose_check() {
    record(Kind::propose_check, 0);
    return core_.propose_check();
  }
  Result<consensus::Index> propose_membership(consensus::Membership next) {
    consensus::Input input;
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
  void stored(const consensus::PersistMark& mark) { ring().stored(mark), core_.stored(mark); }
  void applied(consensus::Index index) {
    record(Kind::applied, index);
    core_.applied(index);
  }
  void snapshot_received(const consensus::SnapshotMeta& snapshot, bool ok) {
    consensus::Input input;
    input.kind = Kind::snapshot_received;
    input.snapshot = snapshot;
    input.number = ok ? 1 : 0;
    ring().record(std::move(input));
    core_.snapshot_received(snapshot, ok);
  }
  consensus::Ready take_ready() { return core_.take_ready(); }

  // Everything that is only looked at.
  const consensus::Core& operator*() const { return core_; }
  const consensus::Core* operator->() const { return &core_; }
  // Bytes for `mainstay-sim --replay-dump`.
  std::string dump() const { return consensus::encode(ring_.recording()); }
  // The same from the signal handler of a dying process; see InputRing.
  bool last_words(consensus::InputRing::Sink sink, void* context) {
    return ring_.last_words(sink, context);
  }

 private:
  using Kind = consensus::Input::Kind;

  consensus::InputRing& ring() {
    if (ring_.wants_checkpoint()) ring_.checkpoint(options_, core_, log_);
    return ring_;
  }
  void record(Kind kind, std::uint64_t number) { ring().number(kind, number); }

  const consensus::CoreOptions options_;
  const consensus::LogReader& log_;
  consensus::InputRing ring_;
  const std::unique_ptr<Random> random_;
  consensus::Core core_;
};

}  // namespace mainstay::replica
