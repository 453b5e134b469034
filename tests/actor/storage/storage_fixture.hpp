// Storage actors over a real store in a temporary directory, on the deterministic scheduler.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <stdlib.h>

#include "actors/storage/applier.hpp"
#include "actors/storage/log_writer.hpp"
#include "actors/storage/snapshots.hpp"
#include "runtime/store/node_store.hpp"
#include "runtime/wire/codec.hpp"
#include "tests/actor/kit/actor_fixture.hpp"

namespace mainstay::storage {

inline consensus::Membership one_member() {
  consensus::Member member;
  member.id = NodeId{1};
  member.incarnation = Incarnation{11};
  return {{member}};
}

// One node's directory, formed, removed at the end.
class TestStore {
 public:
  explicit TestStore(std::uint64_t node) : random_{node} {
    char pattern[] = "/tmp/mainstay-storage-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    store::StoreOptions options;
    options.directory = directory_;
    options.node = NodeId{node};
    options.log_map_bytes = options.record_map_bytes = 256ULL << 20;
    options.journal_bytes = 1 << 20;
    options.background = false;
    node_ = std::move(*store::NodeStore::open(options, random_));
    const auto formed = node_->form(ClusterId{{1, 2}}, one_member());
    EXPECT_TRUE(formed);
  }
  ~TestStore() {
    node_.reset();
    std::filesystem::remove_all(directory_);
  }
  const std::filesystem::path& path() const { return directory_; }
  store::NodeStore& operator*() { return *node_; }
  store::NodeStore* operator->() { return node_.get(); }

 private:
  SeededRandom random_;
  std::filesystem::path directory_;
  std::unique_ptr<store::NodeStore> node_;
};

// An entry that puts one record; its batch comes from `origin` with the entry's index as sequence.
inline consensus::Entry put_entry(consensus::Index index, NodeId origin, BootId boot) {
  record::Batch batch;
  batch.origin = origin;
  batch.origin_boot = boot;
  batch.sequence = index;
  // A collection that needs no declaration.
  record::Command command =
      record::single({record::ActionKind::put, record::system_collection::audit,
                      "k" + std::to_string(index), Bytes{std::string(200, '7')}});
  command.operation = "op-" + std::to_string(index);
  batch.commands.push_back(std::move(command));
  consensus::Entry entry;
  entry.index = index;
  entry.term = 1;
  entry.kind = consensus::EntryKind::batch;
  entry.payload = Bytes{wire::encode_log_batch(1000 + index, {Bytes{wire::encode(batch)}})};
  return entry;
}

inline WritePersist persist_of(std::uint64_t sequence, std::vector<consensus::Entry> entries) {
  WritePersist request;
  request.persist.mark = {sequence, 1, entries.back().index};
  request.persist.entries = std::move(entries);
  return request;
}

class StorageTest : public testing::ActorTest {
 protected:
  StorageTest() {
    listeners->persisted = [this](PersistDone event) { persisted.push_back(event.sequence); };
    listeners->applied = [this](AppliedUpTo event) { applied.push_back(std::move(event)); };
    listeners->outcomes = [this](OwnOutcomes event) { outcomes.push_back(std::move(event)); };
    listeners->copied = [this](SnapshotCopied event) { tell(applier, std::move(event)); };
    listeners->pulled = [this](SnapshotPulled event) { pulled.push_back(std::move(event)); };
  }

  store::FatalHandler fatal() {
    return [this](const Error& error) { failures.push_back(to_string(error)); };
  }

  TestStore store{1};
  metrics::NodeMetrics metrics{"test"};
  std::shared_ptr<Board> board = std::make_shared<Board>();
  std::shared_ptr<Listeners> listeners = std::make_shared<Listeners>();
  caf::actor applier;  // where snapshots that were copied go
  std::vector<std::uint64_t> persisted;
  std::vector<AppliedUpTo> applied;
  std::vector<OwnOutcomes> outcomes;
  std::vector<SnapshotPulled> pulled;
  std::vector<std::string> failures;
};

}  // namespace mainstay::storage
