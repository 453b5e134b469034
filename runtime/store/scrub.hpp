// A scrub of the record store: reads every row of every table again, and compares the sum of the
// row hashes with the state hash that was kept. It goes on piece by piece, each in a read
// transaction of its own, while the applier writes: a long one would pin every page that is freed
// meanwhile. Private to runtime/store.
//
// How the sum comes out right: rows up to a place are in it, as of the piece's moment. What the
// applier commits behind that moment is noted (row, and how its hash changed); before the next
// piece the changes of rows that are in the sum already are added, the others will be read anew.
// Between the two no commit can slip in.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/checksum.hpp"
#include "runtime/store/go_on.hpp"
#include "runtime/store/record_tables.hpp"

namespace mainstay::store {

// The part of a row in the state hash; zero for a table that has none in it. Errors: corrupt,
// wrong_version.
Result<Hash128> hash_of_row(Table table, std::string_view key, std::string_view value);

class Scrub {
 public:
  // Where the moments come from.
  class Views {
   public:
    virtual ~Views() = default;
    // What is committed now. Errors: busy.
    virtual Result<lmdb::Txn> begin() = 0;
    virtual void end(lmdb::Txn txn) = 0;
    virtual const RecordTables& tables() const = 0;
  };

  explicit Scrub(std::size_t piece_bytes) : piece_bytes_{piece_bytes} {}

  // --- the applying thread ---
  // Whether the transaction that begins must note what it changes.
  bool running() const { return running_; }
  // `noted`: null when the transaction began before somebody asked for it.
  Result<void> commit(lmdb::Txn& txn, RowChanges* noted);
  // The tables are about to be replaced.
  void abandon();

  // --- any thread, one scrub at a time ---
  // Errors: corrupt; busy (`go_on` said no, another one runs, abandoned, too much was written).
  Result<void> run(Views& views, const GoOn& go_on);

 private:
  // The rows before it are in the sum.
  struct Place {
    std::size_t table = 0;
    std::string key;
    bool is_behind(const RowChange& change) const;
  };

  Result<void> walk(Views& views, const GoOn& go_on);
  Result<lmdb::Txn> next_moment(Views& views);
  Result<void> read_piece(const lmdb::Txn& txn, const RecordTables& tables, const GoOn& go_on);
  Result<void> compare(const lmdb::Txn& txn, const RecordTables& tables) const;

  const std::size_t piece_bytes_;
  std::atomic<bool> running_{false};  // written under the mutex

  std::mutex mutex_;  // guards what follows; held over each commit
  bool missed_ = false;
  bool abandoned_ = false;
  RowChanges pending_;  // since the moment of the piece that is read

  // The scrubbing thread's.
  Place place_;
  Hash128 sum_{};
};

}  // namespace mainstay::store
