// The linearizable reads that wait on this node: all that came in before a round share one read
// point (ReadIndex). One round is asked at a time; those that come in meanwhile wait for the next
// one, because a read may only use a point that was asked for after the read began. A confirmed
// round waits until this node has applied that far. A round that was refused or lost is asked again
// with a new context. The second look: a round whose answer could only be used long after it was
// asked (this process was paused, or applying lags) is asked once more before its reads are served.
// Passive; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::gateway {

struct ReadBatcherOptions {
  std::uint64_t first_context =
      1;  // above every one used before: an old answer must never fit a new question
  Millis round_timeout{100};  // an answer that takes longer is taken for lost
  Millis retry_pause{10};     // after a refusal
  Millis fresh_for{
      200};  // an answer used later than this after it was asked for needs the second look
};

using ReadHandler = std::function<void(Result<void>)>;

class ReadBatcher {
 public:
  explicit ReadBatcher(const ReadBatcherOptions& options)
      : options_{options}, next_context_{options.first_context} {}
  // Everything still waiting is answered not_ready.
  ~ReadBatcher();
  ReadBatcher(const ReadBatcher&) = delete;
  ReadBatcher& operator=(const ReadBatcher&) = delete;

  // `done` is called exactly once, from a later call on this object.
  void add(MonotonicTime deadline, ReadHandler done);

  // The context of a round to ask for now, if any.
  std::optional<std::uint64_t> next_round(MonotonicTime now);

  // The answer to a round; index 0: refused.
  void read_point(std::uint64_t context, std::uint64_t index, MonotonicTime now);

  // This node shows everything up to `index`.
  void applied(std::uint64_t index, MonotonicTime now);

  // Asks again for lost rounds, gives up reads past their deadline. Call every few milliseconds
  // while anything waits.
  void expire(MonotonicTime now);

  std::size_t waiting() const;
  std::uint64_t rounds() const { return rounds_; }
  std::uint64_t repeated() const { return repeated_; }

 private:
  struct Read {
    MonotonicTime deadline;
    ReadHandler done;
    bool looked_twice = false;
  };
  struct Round {
    std::uint64_t context = 0;
    MonotonicTime asked;
    std::vector<Read> reads;
  };

  void again(std::vector<Read> reads);
  void serve(Round round, MonotonicTime now);
  static void give_up(std::vector<Read>& reads, MonotonicTime now);

  ReadBatcherOptions options_;
  std::uint64_t next_context_;
  std::uint64_t applied_ = 0;
  std::uint64_t rounds_ = 0;
  std::uint64_t repeated_ = 0;
  MonotonicTime not_before_{};
  std::vector<Read> queue_;
  std::optional<Round> asked_;
  std::multimap<std::uint64_t, Round> confirmed_;  // by read index
};

}  // namespace mainstay::gateway
