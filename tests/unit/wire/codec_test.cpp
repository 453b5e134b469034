#include "runtime/wire/codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"

namespace mainstay::wire {
namespace {

record::Command put(std::string operation, std::string value) {
  record::Command command;
  command.operation = std::move(operation);
  command.request_hash = {1, 2};
  command.kind = record::CommandKind::put;
  command.collection = "orders";
  command.key = "A-1";
  command.value = Bytes{std::move(value)};
  return command;
}

record::Batch sample_batch() {
  record::Batch batch{NodeId{3}, BootId{77}, 5, {put("op-1", R"({"a":1})")}};
  record::Command remove;
  remove.operation = "op-2";
  remove.kind = record::CommandKind::remove;
  remove.collection = "stock";
  remove.key = "x";
  remove.condition.version_is = 0;
  remove.condition.must_exist = true;
  remove.condition.version_is_not = {7, 9};
  batch.commands.push_back(remove);
  return batch;
}

consensus::Membership three_members() {
  consensus::Membership membership;
  for (std::uint64_t id = 1; id <= 3; ++id)
    membership.members.push_back(
        {NodeId{id}, Incarnation{id * 11},
         id == 3 ? consensus::MemberRole::learner : consensus::MemberRole::voter, id == 3, "host:1",
         "host:2"});
  return membership;
}

bool lies_in(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

TEST(Codec, BatchKeepsEveryField) {
  const record::Batch batch = sample_batch();
  const auto decoded = decode_batch(Bytes{encode(batch)});
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(*decoded, batch);
}

TEST(Codec, BatchValuesShareTheBytesTheyCameIn) {
  const Bytes bytes{encode(sample_batch())};
  const auto decoded = decode_batch(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(lies_in(decoded->commands[0].value.view(), bytes.view()));
}

TEST(Codec, BytesAtAnOddAddressAreReadToo) {
  const std::string encoded = encode(sample_batch());
  const Bytes shifted{"x" + encoded};
  const auto decoded = decode_batch(shifted.slice(1, encoded.size()));
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(*decoded, sample_batch());
}

TEST(Codec, LogBatchEmbedsBatchesAsTheyCame) {
  const std::string inner = encode(sample_batch());
  const Bytes bytes{encode_log_batch(1234, {Bytes{inner}, Bytes{inner}})};
  EXPECT_THAT(std::string{bytes.view()}, testing::HasSubstr(inner));
  const auto decoded = decode_log_batch(bytes);
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(*decoded, (record::LogBatch{1234, {sample_batch(), sample_batch()}}));
  EXPECT_TRUE(lies_in(decoded->batches[1].commands[0].value.view(), bytes.view()));
}

TEST(Codec, EntryKeepsPayloadAndMembership) {
  consensus::Entry entry{9, 4, consensus::EntryKind::batch, Bytes{"payload"}, nullptr};
  const Bytes bytes{encode(entry)};
  const auto decoded = decode_entry(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->index, 9u);
  EXPECT_EQ(decoded->term, 4u);
  EXPECT_EQ(decoded->kind, consensus::EntryKind::batch);
  EXPECT_TRUE(lies_in(decoded->payload.view(), bytes.view()));
  EXPECT_EQ(decoded->payload.view(), "payload");

  entry.kind = consensus::EntryKind::membership;
  entry.payload = {};
  entry.membership = std::make_shared<const consensus::Membership>(three_members());
  const auto change = decode_entry(Bytes{encode(entry)});
  ASSERT_TRUE(change);
  EXPECT_EQ(*change->membership, three_members());
}

TEST(Codec, EntryWhoseKindAndMembershipDisagreeIsCorrupt) {
  const consensus::Entry entry{9, 4, consensus::EntryKind::membership, {}, nullptr};
  EXPECT_EQ(decode_entry(Bytes{encode(entry)}).error().code, Errc::corrupt);
}

TEST(Codec, UnsortedMembershipIsCorrupt) {
  consensus::Membership membership = three_members();
  std::swap(membership.members[0], membership.members[1]);
  EXPECT_EQ(decode_membership(encode(membership)).error().code, Errc::corrupt);
}

TEST(Codec, LogStoreValuesKeepEveryField) {
  const consensus::HardState state{7, NodeId{2}};
  EXPECT_EQ(decode_hard_state(encode(state)).value(), state);
  EXPECT_EQ(decode_membership(encode(three_members())).value(), three_members());
  const consensus::SnapshotMeta snapshot{10, 3, three_members(), "snap-10", 4096, {5, 6}};
  EXPECT_EQ(decode_snapshot_meta(encode(snapshot)).value(), snapshot);
}

TEST(Codec, RecordStoreValuesKeepEveryField) {
  const record::Record row{Bytes{R"({"n":1})"}, 3, 44, 40, {1700000000000, 9}, 2, false};
  EXPECT_EQ(decode_record(encode(row)).value(), row);
  const record::Record tombstone{{}, 4, 45, 40, {1700000000001, 0}, 2, true};
  EXPECT_EQ(decode_record(encode(tombstone)).value(), tombstone);
  const record::Operation done{{1, 2}, {std::nullopt, 3, 44, true, false}, 17};
  EXPECT_EQ(decode_operation(encode(done)).value(), done);
  const record::Operation refused{{1, 2}, {Errc::precondition_failed, 3, 0, false, false}, 17};
  EXPECT_EQ(decode_operation(encode(refused)).value(), refused);
  const record::Counters counters{1, 2, 3, {4, 5}, {6, 7}, 8, 9, 10};
  EXPECT_EQ(decode_counters(encode(counters)).value(), counters);
}

TEST(Codec, ReplayedIsNotStored) {
  const record::Operation row{{1, 2}, {std::nullopt, 3, 44, true, true}, 17};
  EXPECT_FALSE(decode_operation(encode(row))->outcome.replayed);
}

TEST(Codec, AnyFlippedBitOfADurableValueIsFound) {
  const std::string good =
      encode(record::Operation{{1, 2}, {Errc::not_found, 3, 4, false, false}, 5});
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    const auto decoded = decode_operation(bad);
    ASSERT_FALSE(decoded) << "bit " << bit;
    ASSERT_EQ(decoded.error().code, Errc::corrupt) << "bit " << bit;
  }
}

TEST(Codec, EveryTruncationIsCorrupt) {
  const std::string good = encode(sample_batch());
  for (std::size_t size = 0; size < good.size(); ++size)
    ASSERT_EQ(decode_batch(Bytes{good.substr(0, size)}).error().code, Errc::corrupt) << size;
}

TEST(Codec, OneKindIsNotTakenForAnother) {
  const auto decoded = decode_operation(encode(record::Counters{}));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::corrupt);
  EXPECT_THAT(decoded.error().message, testing::HasSubstr("kind"));
}

TEST(Codec, FieldsBeyondTheLimitsAreCorrupt) {
  record::Batch batch = sample_batch();
  batch.commands[0].key = std::string(limits::record_key_bytes_max + 1, 'k');
  EXPECT_EQ(decode_batch(Bytes{encode(batch)}).error().code, Errc::corrupt);
  batch = sample_batch();
  batch.commands.assign(limits::batch_commands_max + 1, batch.commands[0]);
  EXPECT_EQ(decode_batch(Bytes{encode(batch)}).error().code, Errc::corrupt);
}

TEST(Codec, TheLargestBatchIsAccepted) {
  record::Batch batch{NodeId{1}, BootId{1}, 1, {}};
  batch.commands.assign(limits::batch_commands_max, put("operation", std::string(2000, 'v')));
  const auto decoded = decode_batch(Bytes{encode(batch)});
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(*decoded, batch);
}

}  // namespace
}  // namespace mainstay::wire
