// The two stores on a real disk (the directory for temporary files): durable commits of the log,
// apply transactions of the records.
#include <filesystem>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "bench/micro/samples.hpp"
#include "runtime/store/node_store.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::bench {
namespace {

// A formed single-node store in a fresh directory, removed at the end.
class StoreBench : public benchmark::Fixture {
 public:
  void SetUp(const benchmark::State&) override {
    index_ = 0;
    number_ = 0;
    directory_ =
        std::filesystem::temp_directory_path() / fmt::format("mainstay-micro-{}", random_.next());
    store::StoreOptions options;
    options.directory = directory_;
    options.node = NodeId{1};
    auto opened = store::NodeStore::open(options, random_);
    ASSERT_MSG(opened.has_value(), "the store opens");
    store_ = std::move(*opened);
    consensus::Member self;
    self.id = NodeId{1};
    self.incarnation = store_->identity().incarnation;
    ASSERT_MSG(store_->form(ClusterId{{1, 2}}, consensus::Membership{{self}}).has_value(),
               "the store forms");
  }

  void TearDown(const benchmark::State&) override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

 protected:
  consensus::Entry next_entry(std::size_t commands) {
    const auto batch = sample_batch(random_, number_, commands);
    consensus::Entry entry;
    entry.index = ++index_;
    entry.term = 1;
    entry.kind = consensus::EntryKind::batch;
    entry.payload = Bytes{wire::encode_log_batch(index_, {Bytes{wire::encode(batch)}})};
    return entry;
  }

  SeededRandom random_{static_cast<std::uint64_t>(::getpid())};
  std::filesystem::path directory_;
  std::unique_ptr<store::NodeStore> store_;
  std::uint64_t number_ = 0;
  consensus::Index index_ = 0;
};

BENCHMARK_DEFINE_F(StoreBench, log_durable_commit)(benchmark::State& state) {
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    state.PauseTiming();
    consensus::Persist persist;
    persist.mark = {++sequence, 1, index_ + 1};
    if (sequence == 1) persist.hard_state = consensus::HardState{1, NodeId{1}};
    persist.entries.push_back(next_entry(static_cast<std::size_t>(state.range(0))));
    state.ResumeTiming();
    if (auto written = store_->log().write({&persist}); !written) {
      state.SkipWithError(written.error().message.c_str());
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_REGISTER_F(StoreBench, log_durable_commit)->Arg(1)->Arg(64)->Arg(256)->UseRealTime();

BENCHMARK_DEFINE_F(StoreBench, record_apply)(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    const auto entry = next_entry(static_cast<std::size_t>(state.range(0)));
    state.ResumeTiming();
    if (auto applied = store_->records().apply({&entry, 1}); !applied) {
      state.SkipWithError(applied.error().message.c_str());
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_REGISTER_F(StoreBench, record_apply)->Arg(1)->Arg(64)->Arg(256)->UseRealTime();

BENCHMARK_DEFINE_F(StoreBench, record_read)(benchmark::State& state) {
  for (int i = 0; i < 100; ++i) {
    const auto entry = next_entry(256);
    if (!store_->records().apply({&entry, 1})) state.SkipWithError("apply failed");
  }
  for (auto _ : state) {
    auto view = store_->records().read();
    if (!view) state.SkipWithError(view.error().message.c_str());
    benchmark::DoNotOptimize(
        (*view)->state().find_record("bench", fmt::format("k{:08}", random_.between(0, 99'999))));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_REGISTER_F(StoreBench, record_read)->UseRealTime();

}  // namespace
}  // namespace mainstay::bench
