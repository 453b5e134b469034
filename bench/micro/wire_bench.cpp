// Encoding and decoding: what each command costs on its way through the codecs.
#include <benchmark/benchmark.h>

#include "bench/micro/samples.hpp"
#include "runtime/wire/codec.hpp"
#include "runtime/wire/frame.hpp"

namespace mainstay::bench {
namespace {

void count_commands(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void wire_encode_batch(benchmark::State& state) {
  SeededRandom random{1};
  std::uint64_t number = 0;
  const auto batch = sample_batch(random, number, static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(wire::encode(batch));
  count_commands(state);
}
BENCHMARK(wire_encode_batch)->Arg(1)->Arg(64);

void wire_decode_log_batch(benchmark::State& state) {
  SeededRandom random{1};
  std::uint64_t number = 0;
  const auto batch = sample_batch(random, number, static_cast<std::size_t>(state.range(0)));
  const Bytes payload{wire::encode_log_batch(1, {Bytes{wire::encode(batch)}})};
  for (auto _ : state) {
    auto decoded = wire::decode_log_batch(payload);
    if (!decoded) state.SkipWithError(decoded.error().message.c_str());
    benchmark::DoNotOptimize(decoded);
  }
  count_commands(state);
}
BENCHMARK(wire_decode_log_batch)->Arg(1)->Arg(64);

// An append of one entry with so many commands, as the leader sends it and the follower takes it.
void wire_append_frame(benchmark::State& state) {
  SeededRandom random{1};
  std::uint64_t number = 0;
  const auto batch = sample_batch(random, number, static_cast<std::size_t>(state.range(0)));
  consensus::Message append;
  append.type = consensus::MessageType::append;
  append.from = NodeId{1};
  append.to = NodeId{2};
  append.entries.push_back({1, 1, consensus::EntryKind::batch,
                            Bytes{wire::encode_log_batch(1, {Bytes{wire::encode(batch)}})},
                            nullptr});
  wire::Frame frame;
  frame.from = NodeId{1};
  frame.to = NodeId{2};
  frame.body = wire::ConsensusMessages{{append}};
  for (auto _ : state) {
    auto decoded = wire::decode_frame(Bytes{wire::encode(frame)});
    if (!decoded) state.SkipWithError(decoded.error().message.c_str());
    benchmark::DoNotOptimize(decoded);
  }
  count_commands(state);
}
BENCHMARK(wire_append_frame)->Arg(1)->Arg(64);

}  // namespace
}  // namespace mainstay::bench
