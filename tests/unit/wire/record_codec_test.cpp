#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/wire/codec.hpp"
#include "runtime/wire/sealed_message.hpp"
#include "schemas/record.capnp.h"
#include "tests/unit/wire/samples.hpp"

namespace mainstay::wire {
namespace {

TEST(RecordCodec, BatchKeepsEveryField) {
  const record::Batch batch = sample_batch();
  const auto decoded = decode_batch(Bytes{encode(batch)});
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(*decoded, batch);
}

TEST(RecordCodec, BatchValuesShareTheBytesTheyCameIn) {
  const Bytes bytes{encode(sample_batch())};
  const auto decoded = decode_batch(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(lies_in(decoded->commands[0].value.view(), bytes.view()));
}

TEST(RecordCodec, BytesAtAnOddAddressAreReadToo) {
  const std::string encoded = encode(sample_batch());
  const Bytes shifted{"x" + encoded};
  const auto decoded = decode_batch(shifted.slice(1, encoded.size()));
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(*decoded, sample_batch());
}

TEST(RecordCodec, LogBatchEmbedsBatchesAsTheyCame) {
  const std::string inner = encode(sample_batch());
  const Bytes bytes{encode_log_batch(1234, {Bytes{inner}, Bytes{inner}})};
  EXPECT_THAT(std::string{bytes.view()}, testing::HasSubstr(inner));
  const auto decoded = decode_log_batch(bytes);
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(*decoded, (record::LogBatch{1234, {sample_batch(), sample_batch()}}));
  EXPECT_TRUE(lies_in(decoded->batches[1].commands[0].value.view(), bytes.view()));
}

TEST(RecordCodec, LogBatchWithADamagedBatchIsCorrupt) {
  std::string inner = encode(sample_batch());
  inner.back() = static_cast<char>(inner.back() ^ 1);
  EXPECT_EQ(decode_log_batch(Bytes{encode_log_batch(1234, {Bytes{inner}})}).error().code,
            Errc::corrupt);
}

TEST(RecordCodec, RowsKeepEveryField) {
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

TEST(RecordCodec, RecordsAreCopiedOutOfThePage) {
  std::string page = encode(record::Record{Bytes{"value"}, 1, 1, 1, {}, 0, false});
  const auto decoded = decode_record(page);
  page.assign(page.size(), '\0');
  EXPECT_EQ(decoded->value.view(), "value");
}

TEST(RecordCodec, ReplayedIsNotStored) {
  const record::Operation row{{1, 2}, {std::nullopt, 3, 44, true, true}, 17};
  EXPECT_FALSE(decode_operation(encode(row))->outcome.replayed);
}

TEST(RecordCodec, AnyFlippedBitOfARowIsFound) {
  const std::string good =
      encode(record::Operation{{1, 2}, {Errc::not_found, 3, 4, false, false}, 5});
  for_each_flipped_bit(good, [](const std::string& bad, std::size_t bit) {
    const auto decoded = decode_operation(bad);
    ASSERT_FALSE(decoded) << "bit " << bit;
    ASSERT_EQ(decoded.error().code, Errc::corrupt) << "bit " << bit;
  });
}

TEST(RecordCodec, EveryTruncationIsCorrupt) {
  const std::string good = encode(sample_batch());
  for (std::size_t size = 0; size < good.size(); ++size)
    ASSERT_EQ(decode_batch(Bytes{good.substr(0, size)}).error().code, Errc::corrupt) << size;
}

TEST(RecordCodec, FieldsBeyondTheLimitsAreCorrupt) {
  const auto refusal = [](const record::Batch& batch) {
    return decode_batch(Bytes{encode(batch)}).error().code;
  };
  record::Batch batch = sample_batch();
  batch.commands[0].key = std::string(limits::record_key_bytes_max + 1, 'k');
  EXPECT_EQ(refusal(batch), Errc::corrupt);
  batch = sample_batch();
  batch.commands[0].value = Bytes{std::string(limits::record_value_bytes_max + 1, 'v')};
  EXPECT_EQ(refusal(batch), Errc::corrupt);
  batch = sample_batch();
  batch.commands[0].condition.version_is_not.assign(limits::condition_versions_max + 1, 1);
  EXPECT_EQ(refusal(batch), Errc::corrupt);
  batch = sample_batch();
  batch.commands.assign(limits::batch_commands_max + 1, batch.commands[0]);
  EXPECT_EQ(refusal(batch), Errc::corrupt);
}

TEST(RecordCodec, TheLargestBatchIsAccepted) {
  record::Batch batch{NodeId{1}, BootId{1}, 1, {}};
  batch.commands.assign(limits::batch_commands_max, put("operation", std::string(2000, 'v')));
  const auto decoded = decode_batch(Bytes{encode(batch)});
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(*decoded, batch);
}

TEST(RecordCodec, CommandKindOfALaterReleaseIsAWrongVersion) {
  const std::string bytes =
      encode_sealed<schema::Batch>(SealKind::batch, 64, [](schema::Batch::Builder out) {
        out.initCommands(1)[0].setKind(static_cast<schema::CommandKind>(2));
      });
  EXPECT_EQ(decode_batch(Bytes{bytes}).error().code, Errc::wrong_version);
}

TEST(RecordCodec, RefusalOfALaterReleaseIsAWrongVersion) {
  const std::string bytes = encode_sealed<schema::Operation>(
      SealKind::operation, 64,
      [](schema::Operation::Builder out) { out.setRefused("quota_of_2031_exceeded"); });
  EXPECT_EQ(decode_operation(bytes).error().code, Errc::wrong_version);
}

}  // namespace
}  // namespace mainstay::wire
