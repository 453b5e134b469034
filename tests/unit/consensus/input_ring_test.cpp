// What a dying process writes of the ring; what a recording is good for: tests/sim/sim_test.cpp.
#include "runtime/consensus/input_ring.hpp"

#include <gtest/gtest.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

void append(void* to, std::string_view piece) {
  *static_cast<std::string*>(to) += piece;
}

// Ten times what the ring keeps.
void fill(InputRing& ring) {
  Cluster cluster{3};
  cluster.elect(1);
  SeededRandom source{1};
  const auto random = ring.recorded(source);
  for (int i = 0; i < 100; ++i) {
    if (ring.wants_checkpoint())
      ring.checkpoint(cluster[1].options, *cluster[1].core, cluster[1].disk);
    Message message;
    message.entries.resize(3);
    message.entries[1].membership = std::make_shared<const Membership>(voters(3));
    message.snapshot.id = std::string(5'000, 's');  // longer than the writer's buffer
    ring.step(message);
    random->next();
  }
}

TEST(InputRing, LastWordsAreTheRecording) {
  for (const std::size_t inputs_max : {20U, 1000U}) {  // with an older half, and without
    InputRing ring{inputs_max};
    fill(ring);
    const std::string recorded = encode(ring.recording());
    std::string written;
    ASSERT_TRUE(ring.last_words(append, &written));
    EXPECT_EQ(written, recorded);
    const auto read = decode_recording(written);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(encode(*read), recorded);
  }
}

TEST(InputRing, NothingIsWrittenBeforeTheFirstCheckpoint) {
  std::string written;
  EXPECT_FALSE(InputRing{}.last_words(append, &written));
  EXPECT_EQ(written, "");
}

TEST(InputRing, AChangeThatNeverEndsIsNotLookedAt) {
  ChangeGate gate;
  const ChangeGate::Pass pass{gate};  // of the thread that died
  EXPECT_FALSE(gate.close());
}

TEST(InputRing, WhatEndsInTimeIsWaitedFor) {
  ChangeGate gate;
  { const ChangeGate::Pass pass{gate}; }
  EXPECT_TRUE(gate.close());
}

TEST(InputRing, BeginsAnew) {
  InputRing ring{20};
  fill(ring);
  ring.clear();
  EXPECT_TRUE(ring.wants_checkpoint());
  EXPECT_TRUE(ring.recording().inputs.empty());
}

}  // namespace
}  // namespace mainstay::consensus::testing
