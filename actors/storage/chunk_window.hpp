// Fetching one snapshot file in chunks: a few requests under way at a time, in order, resumed from
// what is staged after a loss, given up after long silence. Pure: the caller stages the chunks and
// sends the requests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"
#include "runtime/consensus/types.hpp"
#include "runtime/wire/frame.hpp"

namespace mainstay::storage {

struct ChunkWindowOptions {
  std::size_t chunk_bytes = limits::snapshot_chunk_bytes;
  std::size_t in_flight_max = limits::snapshot_chunks_in_flight_max;
  Millis silence{1000};    // then ask again from what is staged
  Millis give_up{15'000};  // without progress
};

class ChunkWindow {
 public:
  ChunkWindow(consensus::SnapshotMeta snapshot, NodeId source, std::uint64_t staged,
              MonotonicTime now, const ChunkWindowOptions& options = {})
      : options_{options},
        snapshot_{std::move(snapshot)},
        source_{source},
        staged_{staged},
        asked_{staged},
        heard_{now},
        progressed_{now} {}

  const consensus::SnapshotMeta& snapshot() const { return snapshot_; }
  NodeId source() const { return source_; }
  bool complete() const { return staged_ >= snapshot_.bytes; }

  // What to ask the source for now.
  std::vector<wire::SnapshotRequest> requests() {
    std::vector<wire::SnapshotRequest> wanted;
    while (asked_ < snapshot_.bytes &&
           asked_ - staged_ < options_.in_flight_max * options_.chunk_bytes) {
      wanted.push_back({snapshot_.id, asked_, static_cast<std::uint32_t>(options_.chunk_bytes)});
      asked_ += options_.chunk_bytes;
    }
    return wanted;
  }

  // Is this the chunk to stage next?
  bool expects(NodeId from, const wire::SnapshotChunk& chunk) const {
    return from == source_ && chunk.id == snapshot_.id && chunk.offset == staged_ &&
           !chunk.data.empty();
  }
  void staged(std::size_t bytes, MonotonicTime now) {
    staged_ += bytes;
    // The source may send less than a chunk only at the end of the file.
    if (!complete() && staged_ % options_.chunk_bytes != 0) asked_ = staged_;
    heard_ = progressed_ = now;
  }

  // Silence: forget what was asked. False: hopeless.
  bool wake(MonotonicTime now) {
    if (now - progressed_ >= options_.give_up) return false;
    if (now - heard_ >= options_.silence) {
      asked_ = staged_;
      heard_ = now;
    }
    return true;
  }

 private:
  ChunkWindowOptions options_;
  consensus::SnapshotMeta snapshot_;
  NodeId source_;
  std::uint64_t staged_;
  std::uint64_t asked_;
  MonotonicTime heard_;
  MonotonicTime progressed_;
};

}  // namespace mainstay::storage
