// What the store's tests share: a data directory of their own, entries to put into it, and a fatal
// handler that throws.
#pragma once

#include <filesystem>

#include <gtest/gtest.h>

#include "runtime/base/random.hpp"
#include "runtime/store/node_store.hpp"

namespace mainstay::store {

// Thrown where the daemon would end.
struct Stopped {
  Error error;
};

inline constexpr ClusterId test_cluster{{1, 2}};

consensus::Membership members(std::initializer_list<std::uint64_t> ids);
consensus::Entry noop(consensus::Index index, consensus::Term term);
consensus::Entry opaque(consensus::Index index, consensus::Term term, std::string payload);
consensus::Entry membership_entry(consensus::Index index, consensus::Term term,
                                  consensus::Membership membership);
consensus::Entry check_entry(consensus::Index index, consensus::Term term);
// The collection of these commands; it is there without being declared.
inline constexpr const char* orders = record::system_collection::audit;
// One record command; `operation` is its identity.
record::Command put(const std::string& operation, const std::string& key, const std::string& value);
record::Command remove(const std::string& operation, const std::string& key);
record::Command command_of(const std::string& operation, std::vector<record::Action> actions);
consensus::Entry batch_entry(consensus::Index index, consensus::Term term,
                             const std::vector<record::Command>& commands,
                             std::uint64_t wall_millis = 1'700'000'000'000);
// Equal in every field, payload and membership compared by value.
bool same(const consensus::Entry& a, const consensus::Entry& b);

consensus::Persist appends(std::vector<consensus::Entry> entries);

// Every row of every table, the counters at the end: equal for equal states.
std::vector<std::string> rows_of(const record::StateReader& state);

// Every byte pattern's places in a file.
std::vector<std::size_t> find_all(const std::string& content, const std::string& pattern);
std::string read_whole(const std::filesystem::path& path);
void write_whole(const std::filesystem::path& path, const std::string& content);

// A directory that goes with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

StoreOptions test_options(const std::filesystem::path& directory);

class StoreTest : public ::testing::Test {
 protected:
  // Opens the node's directory, which must succeed; formed() also binds it to test_cluster.
  void open();
  void formed();
  void close() { node_.reset(); }
  void reopen();
  // The error that open() meets.
  Error refused();

  LogStore& log() { return node_->log(); }
  RecordStore& records() { return node_->records(); }
  Result<void> write(const consensus::Persist& persist) { return log().write({&persist}); }
  // Appends and applies.
  ApplyResult run(const std::vector<consensus::Entry>& entries);
  std::optional<std::string> value_of(const std::string& key);

  TemporaryDirectory directory_;
  StoreOptions options_ = test_options(directory_.path() / "node");
  SeededRandom random_{7};
  std::unique_ptr<NodeStore> node_;
};

}  // namespace mainstay::store
