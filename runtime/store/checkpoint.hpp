// An LMDB environment whose commits wait for no disk: it opens as it was at its last checkpoint,
// and its owner replays the rest (records from the replicated log, the log from its journal).
// Private to runtime/store.
//
// How: the environment runs with MDB_NOSYNC. A checkpoint syncs it, keeps a durable copy of its two
// header pages beside it, and holds a read transaction of that moment until the next one, so that
// LMDB re-uses no page those headers lead to. Opening puts the copied headers back first: whatever
// reached the disk of later commits, in whatever order, is unreachable then.
// docs/decisions/0007-checkpoints.md argues it.
//
// File "checkpoint": sealed sectors (sealed_file.hpp), the first half of them one slot and the
// other half another, written in turn; the valid one with the higher sequence counts.
//   slot := crc32c:u32 (of all that follows) ∙ version:u32 = 2 ∙ sequence:u64 ∙ page_bytes:u32 ∙
//   note_bytes:u32 ∙ note ∙ header pages Little-endian. `note` is the owner's: where to replay
//   from.
// A slot that is not valid although its sectors are sealed was being written when the power went;
// the other one is whole then, and nothing it leads to was used again. A broken seal is damage, and
// the file is refused: the slot it stands in may have been the newer one, and behind the older one
// pages were used again since.
//
// Owner: the one thread that writes to the environment. Any thread may read through env().
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/ids.hpp"
#include "runtime/store/lmdb.hpp"
#include "runtime/store/sealed_file.hpp"

namespace mainstay::store {

inline constexpr const char* checkpoint_name = "checkpoint";
inline constexpr std::uint64_t checkpoint_slot_sectors = 512;
inline constexpr std::size_t checkpoint_note_bytes_max = 4096;

// Whose checkpoint files these are, beside the two of the journal (0 and 1).
inline SealedFile::Place log_checkpoint_of(Incarnation owner) {
  return {owner.value, 2};
}
inline SealedFile::Place records_checkpoint_of(Incarnation owner) {
  return {owner.value, 3};
}

class CheckpointedEnv {
 public:
  // Opens as of the last checkpoint. Without a checkpoint file the environment is taken as it is:
  // new, or a synced copy put in place; the caller takes a first checkpoint. `options.flags` need
  // not say MDB_NOSYNC. `background`: flushes run in a thread of their own, so that commits go on
  // meanwhile; otherwise start() flushes before it returns. `place`: whose checkpoint file it is,
  // another one's is refused. Errors: corrupt when a seal is broken or no slot is valid, io_error.
  static Result<CheckpointedEnv> open(const lmdb::EnvOptions& options, SealedFile::Place place,
                                      bool background);

  CheckpointedEnv() = default;
  CheckpointedEnv(CheckpointedEnv&&) noexcept = default;
  CheckpointedEnv& operator=(CheckpointedEnv&& other) noexcept;
  ~CheckpointedEnv() { close(); }

  lmdb::Env& env() { return env_; }
  const lmdb::Env& env() const { return env_; }

  // The note of the newest durable checkpoint; nothing before the first.
  const std::optional<std::string>& note() const { return note_; }

  // Begins to make everything committed so far durable, under `note`. After any error the
  // environment must not be used any more. REQUIRES: no write transaction is open; none is
  // running(); note.size() <= checkpoint_note_bytes_max.
  Result<void> start(std::string_view note);
  bool running() const { return flushing_.valid(); }
  // Takes note of a flush that has ended meanwhile. Returns whether none is running any more.
  Result<bool> poll();
  // Waits for the one that runs, if any.
  Result<void> finish();
  // start() and finish(): durable when it returns.
  Result<void> checkpoint(std::string_view note);

  void close();

 private:
  struct EndRead {
    void operator()(MDB_txn* txn) const { mdb_txn_abort(txn); }
  };
  using Pin = std::unique_ptr<MDB_txn, EndRead>;

  Result<Pin> pin_now() const;
  Result<void> flush(std::uint64_t sequence, const std::string& slot);

  lmdb::Env env_;
  SealedFile::Place place_;
  std::optional<SealedFile> file_;  // none before the first checkpoint
  bool background_ = false;
  std::uint64_t sequence_ = 0;
  std::optional<std::string> note_;
  Pin pin_;

  // Of the checkpoint that runs.
  std::future<Result<void>> flushing_;
  std::string next_note_;
  Pin next_pin_;
};

}  // namespace mainstay::store
