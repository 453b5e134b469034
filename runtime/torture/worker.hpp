// The parts of the load: each a client of one node that does one thing again and again, remembers
// what it was told, and at the end demands it of the cluster.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/checksum.hpp"
#include "runtime/base/random.hpp"
#include "runtime/torture/courier.hpp"
#include "runtime/torture/evidence.hpp"

namespace mainstay::torture {

namespace check {
inline constexpr const char* linearizable = "linearizability";
inline constexpr const char* acknowledged = "no acknowledged write missing";
inline constexpr const char* doubled = "no doubled effect";
inline constexpr const char* outcome = "every outcome definite";
inline constexpr const char* atomic = "transactions whole";
inline constexpr const char* feed = "feeds complete and in order";
inline constexpr const char* ledger = "ledger exact, sum zero";
inline constexpr const char* files = "files: orders in, effects out once";
}  // namespace check

// One client. step() and finish() are called by one thread.
class Worker {
 public:
  Worker(Courier& courier, Evidence& evidence) : courier_{courier}, evidence_{evidence} {}
  virtual ~Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  virtual void step() = 0;
  // After the load, with all nodes well: compares. `revision`: of a commit after everything.
  virtual void finish(std::uint64_t /*revision*/) {}
  // Takes a write for acknowledged that nobody sends, to see the verdict fail.
  virtual void plant_lost_write() {}

 protected:
  Courier& courier_;
  Evidence& evidence_;
};

// --- numbered rows (numbered.cpp) ---

// Names of rows that one client makes one after the other, "<prefix>-000000001", and which of them
// must be there: all that were tried, but for those that were refused or fenced.
class Numbered {
 public:
  explicit Numbered(std::string prefix) : prefix_{std::move(prefix)} {}
  std::string next();
  void drop_last();   // it did not happen, and never will
  void doubt_last();  // nobody knows

  // Feeds the rows that a list shows, in the order of their names, to tell what is missing and what
  // nobody made.
  class Comparison {
   public:
    explicit Comparison(const Numbered& made) : made_{made} {}
    void see(const std::string& name);
    void end();
    const std::vector<std::string>& missing() const { return missing_; }
    const std::vector<std::string>& foreign() const { return foreign_; }
    std::uint64_t seen() const { return seen_; }

   private:
    void skip_to(std::uint64_t number);
    const Numbered& made_;
    std::uint64_t next_ = 1, seen_ = 0;
    std::vector<std::string> missing_, foreign_;
  };

  const std::string& prefix() const { return prefix_; }
  std::uint64_t tried() const { return tried_; }

 private:
  std::string name(std::uint64_t number) const;
  const std::string prefix_;
  std::uint64_t tried_ = 0;
  std::set<std::uint64_t> dropped_, doubted_;
};

// --- the kinds of workers (writers.cpp, feeds.cpp) ---

// Members are added to a set, each a record of its own, without a condition: one that was written
// twice has version 2.
std::unique_ptr<Worker> set_writer(Courier& courier, Evidence& evidence, const std::string& name,
                                   std::uint32_t nodes);

// Sums that all clients know, of what was acknowledged.
inline constexpr std::size_t accounts_count = 10;
inline constexpr std::size_t counters_count = 4;
struct Sums {
  std::array<std::atomic<std::int64_t>, accounts_count> accounts{};
  std::array<std::atomic<std::int64_t>, counters_count> counters{};
};

// Counters are read and written with the next value if nobody else did meanwhile.
std::unique_ptr<Worker> counter_writer(Courier& courier, Evidence& evidence, Sums& sums,
                                       const std::string& name, std::uint64_t seed);
// Entries of a ledger, between accounts.
std::unique_ptr<Worker> ledger_writer(Courier& courier, Evidence& evidence, Sums& sums,
                                      const std::string& name, std::uint64_t seed);
// Transactions over two records, which always hold the same, and a ledger; and looks at the two.
std::unique_ptr<Worker> pair_writer(Courier& courier, Evidence& evidence, Sums& sums,
                                    const std::string& name, std::uint64_t seed);
// Compares counters and accounts with the sums, once for all.
void compare_sums(Courier& courier, Evidence& evidence, const Sums& sums, std::uint32_t nodes);

// What all readers of the feed must agree about at the end.
struct FeedSum {
  std::uint64_t changes = 0;
  std::uint64_t set_changes = 0;  // of the set alone
  Hash128 hash{};
  bool operator==(const FeedSum&) const = default;
};
struct FeedSums {
  std::mutex mutex;
  std::map<std::string, FeedSum> of_reader;
};
// Follows the change feed, page after page.
std::unique_ptr<Worker> feed_reader(Courier& courier, Evidence& evidence, FeedSums& sums,
                                    const std::string& name);

// The collections that the workers use. Errors: unavailable.
Result<void> declare_collections(Courier& courier);

}  // namespace mainstay::torture
