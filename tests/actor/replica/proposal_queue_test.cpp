#include "actors/replica/proposal_queue.hpp"

#include <string>

#include <gtest/gtest.h>

namespace mainstay::replica {
namespace {

Proposal proposal(std::uint64_t id, std::size_t bytes, std::size_t commands = 1) {
  return Proposal{NodeId{}, id, Bytes{std::string(bytes, 'x')}, commands};
}

TEST(ProposalQueueTest, AnEntryTakesAllThatFitsInOrder) {
  ProposalQueue queue;
  for (std::uint64_t id = 1; id <= 3; ++id) ASSERT_TRUE(queue.push(proposal(id, 10)));
  const auto entry = queue.take_entry();
  ASSERT_EQ(entry.size(), 3u);
  EXPECT_EQ(entry[0].id, 1u);
  EXPECT_EQ(entry[2].id, 3u);
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.take_entry().empty());
}

TEST(ProposalQueueTest, AnEntryEndsAtTheLimitsOfBytesAndCommands) {
  ProposalQueue queue;
  queue.push(proposal(1, limits::batch_bytes_max - 10));
  queue.push(proposal(2, 11));
  queue.push(proposal(3, 1, limits::batch_commands_max));
  EXPECT_EQ(queue.take_entry().size(), 1u);
  EXPECT_EQ(queue.take_entry().size(), 1u);
  EXPECT_EQ(queue.take_entry().size(), 1u);
}

TEST(ProposalQueueTest, WhatIsPutBackComesFirst) {
  ProposalQueue queue;
  queue.push(proposal(1, 10));
  auto entry = queue.take_entry();
  queue.push(proposal(2, 10));
  queue.put_back(std::move(entry));
  EXPECT_EQ(queue.take_entry()[0].id, 1u);
}

TEST(ProposalQueueTest, ItsBytesAreBounded) {
  ProposalQueue queue;
  std::size_t taken = 0;
  while (taken < 1000 && queue.push(proposal(1, limits::mib))) ++taken;
  EXPECT_EQ(taken, limits::gateway_buffer_bytes_max / limits::mib);
}

}  // namespace
}  // namespace mainstay::replica
