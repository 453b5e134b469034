// A bounded number of seeds for every change; mainstay-sim runs as many as wanted.
#include <iostream>
#include <sstream>

#include <gtest/gtest.h>

#include "runtime/base/log.hpp"
#include "tests/harness/replay_recording.hpp"
#include "tests/sim/runner.hpp"

namespace mainstay::sim {
namespace {

RunSummary run_seeds(RunOptions options) {
  start_logging({LogLevel::error, false});
  options.jobs = 2;
  RunSummary summary = run(options, &std::cout);
  std::cout << closing_line(summary) << std::endl;
  return summary;
}

TEST(Simulator, ThreeToSevenNodes) {
  RunOptions options;
  options.seeds = 300;
  const RunSummary summary = run_seeds(options);
  EXPECT_EQ(summary.failures, 0u);
  EXPECT_EQ(summary.seeds, options.seeds);
  // The nemesis must not keep the cluster from working: a simulation in which nothing happens
  // proves nothing.
  EXPECT_GT(summary.acknowledged, 20 * options.seeds);
  EXPECT_GT(summary.faults, 10 * options.seeds);
  EXPECT_GT(summary.changes, 40 * options.seeds);
  EXPECT_GT(summary.quarantines, 0u);
  EXPECT_LT(summary.undecided, options.seeds / 10);
}

TEST(Simulator, LivenessAtEverySize) {
  for (const std::uint32_t nodes : {3u, 4u, 5u, 7u}) {
    RunOptions options;
    options.first = 1'000'000;
    options.seeds = 40;
    options.nodes = nodes;
    options.liveness = true;
    EXPECT_EQ(run_seeds(options).failures, 0u) << nodes << " nodes";
  }
}

TEST(Simulator, SameSeedSameTrace) {
  RunOptions options;
  options.first = 2'000'000;
  options.seeds = 60;
  options.twice = true;
  EXPECT_EQ(run_seeds(options).failures, 0u);
}

TEST(Simulator, OtherSeedOtherTrace) {
  EXPECT_NE(harness::run_seed({1, 0, false, nullptr}).trace_hash,
            harness::run_seed({2, 0, false, nullptr}).trace_hash);
}

// What a node recorded of its inputs, through bytes and back, makes a fresh core end where that
// node ended.
TEST(InputRing, RecordingReplays) {
  harness::Simulation simulation{{3, 3, false, nullptr}};
  ASSERT_FALSE(harness::run(simulation).failed);
  std::size_t replayed = 0;
  for (const NodeId id : simulation.node_ids()) {
    const std::string bytes = consensus::encode(simulation.node(id).recording());
    const auto recording = consensus::decode_recording(bytes);
    ASSERT_TRUE(recording.has_value());
    EXPECT_EQ(consensus::encode(*recording), bytes);
    std::ostringstream text;
    const consensus::Status status = harness::replay(*recording, text);
    EXPECT_EQ(status.term, simulation.node(id).core().term());
    EXPECT_EQ(status.last, simulation.node(id).core().status().last);
    replayed += text.str().size() > 1000 ? 1 : 0;
    std::string broken = bytes;
    broken[broken.size() / 2] ^= 1;
    EXPECT_FALSE(consensus::decode_recording(broken).has_value());
  }
  EXPECT_GT(replayed, 0u);
}

}  // namespace
}  // namespace mainstay::sim
