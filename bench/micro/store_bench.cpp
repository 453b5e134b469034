// The two stores on a real disk (the directory for temporary files): durable commits of the log,
// apply transactions of the records.
#include <filesystem>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "bench/micro/samples.hpp"
#include "runtime/api/access.hpp"
#include "runtime/store/node_store.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::bench {
namespace {

// A formed single-node store in a fresh directory, removed at the end.
class StoreBench : public benchmark::Fixture {
 public:
  using benchmark::Fixture::SetUp;
  using benchmark::Fixture::TearDown;
  void SetUp(benchmark::State& state) override {
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
    consensus::Persist declared;
    declared.entries = {entry_of(sample_declarations())};
    ASSERT_MSG(store_->log().write({&declared}).has_value(), "the log takes the first entry");
    apply(state, declared.entries.front());
  }

  void TearDown(benchmark::State&) override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

 protected:
  consensus::Entry next_entry(std::size_t commands, MakeCommand make = sample_command) {
    return entry_of(sample_batch(random_, number_, commands, make));
  }

  void apply(benchmark::State& state, const consensus::Entry& entry) {
    const auto applied = store_->records().apply({&entry, 1});
    if (!applied) return state.SkipWithError(applied.error().message.c_str());
    for (const auto& batch : applied->outcomes)
      for (const auto& outcome : batch.outcomes)
        if (outcome.refused) return state.SkipWithError(outcome.detail.c_str());
  }

  void apply_each(benchmark::State& state, MakeCommand make) {
    for (auto _ : state) {
      state.PauseTiming();
      const auto entry = next_entry(static_cast<std::size_t>(state.range(0)), make);
      state.ResumeTiming();
      apply(state, entry);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
  }

  consensus::Entry entry_of(const record::Batch& batch) {
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
  apply_each(state, sample_command);
}
BENCHMARK_REGISTER_F(StoreBench, record_apply)->Arg(1)->Arg(64)->Arg(256)->UseRealTime();

BENCHMARK_DEFINE_F(StoreBench, record_insert)(benchmark::State& state) {
  apply_each(state, insert_command);
}
BENCHMARK_REGISTER_F(StoreBench, record_insert)->Arg(64)->UseRealTime();

BENCHMARK_DEFINE_F(StoreBench, record_overwrite)(benchmark::State& state) {
  apply_each(state, overwrite_command);
}
BENCHMARK_REGISTER_F(StoreBench, record_overwrite)->Arg(64)->UseRealTime();

BENCHMARK_DEFINE_F(StoreBench, record_transaction)(benchmark::State& state) {
  apply_each(state, transaction_command);
}
BENCHMARK_REGISTER_F(StoreBench, record_transaction)->Arg(64)->UseRealTime();

BENCHMARK_DEFINE_F(StoreBench, record_post)(benchmark::State& state) {
  apply_each(state, post_command);
}
BENCHMARK_REGISTER_F(StoreBench, record_post)->Arg(64)->UseRealTime();

BENCHMARK_DEFINE_F(StoreBench, record_read)(benchmark::State& state) {
  for (int i = 0; i < 100; ++i) apply(state, next_entry(256));
  for (auto _ : state) {
    auto view = store_->records().read();
    if (!view) state.SkipWithError(view.error().message.c_str());
    benchmark::DoNotOptimize(
        (*view)->state().find_record("bench", fmt::format("k{:08}", random_.between(0, 99'999))));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_REGISTER_F(StoreBench, record_read)->UseRealTime();

// What the token of each request costs: a view, the token's row and its JSON, one SHA-256.
BENCHMARK_DEFINE_F(StoreBench, token_look_up)(benchmark::State& state) {
  for (int i = 0; i < 100; ++i) apply(state, next_entry(256));
  const std::string text = "mst_abcd0123_" + std::string(api::token_secret_size, 'x');
  const api::TokenRecord kept{"bench", api::hash_of_token(text), api::Role::writer, {}, "", {}};
  record::Command command =
      record::single({record::ActionKind::put, record::system_collection::tokens, "abcd0123",
                      Bytes{api::to_json(kept)}});
  command.operation = "token";
  record::Batch batch;
  batch.commands.push_back(std::move(command));
  apply(state, entry_of(batch));
  for (auto _ : state) {
    auto view = store_->records().read();
    if (!view || !api::authenticate((*view)->state(), text, {})) state.SkipWithError("not let in");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_REGISTER_F(StoreBench, token_look_up)->UseRealTime();

}  // namespace
}  // namespace mainstay::bench
