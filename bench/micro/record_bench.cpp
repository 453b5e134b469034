// The state machine alone, on tables in memory: the floor of the apply step.
#include <benchmark/benchmark.h>

#include "bench/micro/samples.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/record/memory_state.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::bench {
namespace {

void record_apply_in_memory(benchmark::State& state) {
  SeededRandom random{1};
  std::uint64_t number = 0;
  std::uint64_t index = 0;
  record::MemoryState tables;
  const record::ApplyOptions options{limits::dedup_retention_ms, limits::tombstone_retention_ms};
  for (auto _ : state) {
    state.PauseTiming();
    record::LogBatch batch;
    batch.wall_millis = ++index;
    batch.batches.push_back(sample_batch(random, number, static_cast<std::size_t>(state.range(0))));
    state.ResumeTiming();
    benchmark::DoNotOptimize(record::apply(tables, index, 1, batch, options));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(record_apply_in_memory)->Arg(1)->Arg(64);

}  // namespace
}  // namespace mainstay::bench
