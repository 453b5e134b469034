// The last inputs of one core, so that what a node did can be looked at afterwards: a bounded ring
// that a replica fills while it drives its core. It begins with a checkpoint of what the core
// showed at that moment; a dump of it replays in the simulator (`mainstay-sim --replay-dump FILE`).
// Of payloads only the sizes are kept: a dump holds no record.
//
// Owner and thread: those of the core. Memory: about inputs_max inputs without their payloads.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/consensus/core.hpp"

namespace mainstay::consensus {

// One call of the core's input functions.
struct Input {
  enum class Kind : std::uint8_t {
    tick = 0,     // number: how many in a row
    step = 1,     // message, sizes of its entries' payloads
    propose = 2,  // sizes
    propose_check = 3,
    propose_membership = 4,  // membership
    read_index = 5,          // number: context
    transfer = 6,            // number: node
    draining = 7,            // number: 0 or 1
    quarantined = 8,         // number: 0 or 1
    unreachable = 9,         // number: node
    stored = 10,             // mark
    applied = 11,            // number: index
    snapshot_received = 12,  // snapshot, number: 0 or 1
  };

  Kind kind = Kind::tick;
  std::uint64_t number = 0;
  Message message;
  std::vector<std::uint64_t> sizes;
  Membership membership;
  PersistMark mark;
  SnapshotMeta snapshot;
};

// What a replay begins with. Entries between two runs have the term of the run before.
struct Checkpoint {
  struct TermRun {
    Index first = 0;
    Term term = 0;
  };

  CoreOptions options;
  Status status;
  ElectionTimer timer;
  Term start_term = 0;  // of the entry before status.first
  std::vector<TermRun> terms;
};

struct Recording {
  Checkpoint start;
  std::vector<Input> inputs;
  std::vector<std::uint64_t> draws;  // what the core drew from its source of chance meanwhile
};

// Lets the signal handler of a dying process look at what one thread changes all the time.
class ChangeGate {
 public:
  // Held while something is changed. In a dying process it never comes to be: the thread waits for
  // the end.
  class Pass {
   public:
    explicit Pass(ChangeGate& gate) : gate_{gate} {
      gate_.busy_ = true;
      if (!gate_.closed_) return;
      gate_.busy_ = false;
      for (;;) gate_.closed_.wait(true);
    }
    ~Pass() { gate_.busy_ = false; }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    ChangeGate& gate_;
  };

  // For ever. False: a change is under way and does not end, because its thread is the one that
  // died. Async-signal-safe.
  bool close();

 private:
  std::atomic<bool> busy_ = false;
  std::atomic<bool> closed_ = false;
};

class InputRing {
 public:
  // Takes encoded bytes, piece by piece.
  using Sink = void (*)(void* context, std::string_view piece);

  // Keeps between half of `inputs_max` and all of it.
  explicit InputRing(std::size_t inputs_max = 4096) : inputs_max_{inputs_max} {}
  // As new: for the next life of a core.
  void clear();

  // True at the start and whenever half of the ring is full: call checkpoint() before the next
  // input.
  bool wants_checkpoint() const;
  void checkpoint(const CoreOptions& options, const Core& core, const LogReader& log);

  void record(Input input);
  void tick();
  void step(const Message& message);
  void propose(const std::vector<Bytes>& payloads);
  void stored(const PersistMark& mark);
  void number(Input::Kind kind, std::uint64_t number);

  // A source of chance for the core that remembers what it gave. `source` and this must outlive it.
  std::unique_ptr<Random> recorded(Random& source);

  // The older half and the newer half, in one piece.
  Recording recording() const;

  // The bytes of encode(recording()), from the signal handler of a dying process and any thread: no
  // allocation, no lock. Nothing more is recorded afterwards. False: the ring itself was being
  // changed by what died, and nothing is written.
  bool last_words(Sink sink, void* context);

 private:
  class RecordedRandom;
  struct Half {
    Checkpoint start;
    std::vector<Input> inputs;
    std::vector<std::uint64_t> draws;
  };

  std::size_t inputs_max_;
  ChangeGate gate_;
  Half older_;
  Half newer_;
  bool has_older_ = false;
  bool has_newer_ = false;
};

// Bytes of a recording: a debugging aid, read only by the same release that wrote it.
std::string encode(const Recording& recording);
// Any bytes may be given. Errors: corrupt, wrong_version.
Result<Recording> decode_recording(std::string_view bytes);

}  // namespace mainstay::consensus
