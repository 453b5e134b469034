// The state machine alone, on tables in memory: the floor of the apply step.
#include <benchmark/benchmark.h>

#include "bench/micro/samples.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/record/memory_state.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::bench {
namespace {

void apply_in_memory(benchmark::State& state, MakeCommand make) {
  SeededRandom random{1};
  std::uint64_t number = 0;
  std::uint64_t index = 0;
  record::MemoryState tables;
  record::Declarations declarations;
  const record::ApplyOptions options{limits::retention_window_ms};
  record::apply(tables, declarations, ++index, 1, {1, {sample_declarations()}}, options);
  for (auto _ : state) {
    state.PauseTiming();
    record::LogBatch batch;
    batch.wall_millis = ++index;
    batch.batches.push_back(
        sample_batch(random, number, static_cast<std::size_t>(state.range(0)), make));
    state.ResumeTiming();
    benchmark::DoNotOptimize(record::apply(tables, declarations, index, 1, batch, options));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void record_apply_in_memory(benchmark::State& state) {
  apply_in_memory(state, sample_command);
}
void record_transaction_in_memory(benchmark::State& state) {
  apply_in_memory(state, transaction_command);
}
void record_post_in_memory(benchmark::State& state) {
  apply_in_memory(state, post_command);
}
BENCHMARK(record_apply_in_memory)->Arg(1)->Arg(64);
BENCHMARK(record_transaction_in_memory)->Arg(64);
BENCHMARK(record_post_in_memory)->Arg(64);

}  // namespace
}  // namespace mainstay::bench
