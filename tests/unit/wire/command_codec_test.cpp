#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/wire/codec.hpp"
#include "runtime/wire/sealed_message.hpp"
#include "schemas/record.capnp.h"
#include "tests/unit/wire/samples.hpp"

namespace mainstay::wire {
namespace {

TEST(CommandCodec, BatchKeepsEveryField) {
  const record::Batch batch = sample_batch();
  const auto decoded = decode_batch(Bytes{encode(batch)});
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(*decoded, batch);
}

TEST(CommandCodec, BatchValuesShareTheBytesTheyCameIn) {
  const Bytes bytes{encode(sample_batch())};
  const auto decoded = decode_batch(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(lies_in(decoded->commands[0].actions[0].value.view(), bytes.view()));
}

TEST(CommandCodec, BytesAtAnOddAddressAreReadToo) {
  const std::string encoded = encode(sample_batch());
  const Bytes shifted{"x" + encoded};
  const auto decoded = decode_batch(shifted.slice(1, encoded.size()));
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(*decoded, sample_batch());
}

TEST(CommandCodec, LogBatchEmbedsBatchesAsTheyCame) {
  const std::string inner = encode(sample_batch());
  const Bytes bytes{encode_log_batch(1234, {Bytes{inner}, Bytes{inner}})};
  EXPECT_THAT(std::string{bytes.view()}, testing::HasSubstr(inner));
  const auto decoded = decode_log_batch(bytes);
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(*decoded, (record::LogBatch{1234, {sample_batch(), sample_batch()}}));
  EXPECT_TRUE(lies_in(decoded->batches[1].commands[0].actions[0].value.view(), bytes.view()));
}

TEST(CommandCodec, LogBatchWithADamagedBatchIsCorrupt) {
  std::string inner = encode(sample_batch());
  inner.back() = static_cast<char>(inner.back() ^ 1);
  EXPECT_EQ(decode_log_batch(Bytes{encode_log_batch(1234, {Bytes{inner}})}).error().code,
            Errc::corrupt);
}

TEST(CommandCodec, EveryTruncationIsCorrupt) {
  const std::string good = encode(sample_batch());
  for (std::size_t size = 0; size < good.size(); ++size)
    ASSERT_EQ(decode_batch(Bytes{good.substr(0, size)}).error().code, Errc::corrupt) << size;
}

// A batch that `change` made too large somewhere.
template <class Change>
Errc refusal_of(Change change) {
  record::Batch batch{NodeId{1}, BootId{1}, 1, {transaction()}};
  change(batch.commands[0]);
  const auto decoded = decode_batch(Bytes{encode(batch)});
  return decoded ? Errc::internal : decoded.error().code;
}

TEST(CommandCodec, FieldsBeyondTheLimitsAreCorrupt) {
  using record::Command;
  const std::string name(limits::collection_name_bytes_max + 1, 'n');
  const std::string key(limits::record_key_bytes_max + 1, 'k');
  const Bytes value{std::string(limits::record_value_bytes_max + 1, 'v')};
  EXPECT_EQ(refusal_of([](Command&) {}), Errc::internal) << "nothing is wrong with it";
  EXPECT_EQ(refusal_of([&](Command& c) { c.operation = key; }), Errc::corrupt);
  EXPECT_EQ(refusal_of([&](Command& c) { c.actions[0].collection = name; }), Errc::corrupt);
  EXPECT_EQ(refusal_of([&](Command& c) { c.actions[0].key = key; }), Errc::corrupt);
  EXPECT_EQ(refusal_of([&](Command& c) { c.actions[0].value = value; }), Errc::corrupt);
  EXPECT_EQ(refusal_of([&](Command& c) { c.checks[0].collection = name; }), Errc::corrupt);
  EXPECT_EQ(refusal_of([&](Command& c) { c.checks[0].key = key; }), Errc::corrupt);
  EXPECT_EQ(refusal_of([&](Command& c) { c.balances[0].collection = name; }), Errc::corrupt);
}

TEST(CommandCodec, ListsBeyondTheLimitsAreCorrupt) {
  using record::Command;
  EXPECT_EQ(refusal_of([](Command& c) {
              c.checks[0].condition.version_is_not.assign(limits::condition_versions_max + 1, 1);
            }),
            Errc::corrupt);
  EXPECT_EQ(refusal_of([](Command& c) {
              c.checks[0].condition.fields.assign(limits::condition_fields_max + 1, {});
            }),
            Errc::corrupt);
  EXPECT_EQ(refusal_of([](Command& c) {
              c.checks.assign(limits::transaction_checks_max + 1, c.checks[0]);
            }),
            Errc::corrupt);
  EXPECT_EQ(refusal_of([](Command& c) {
              c.balances.assign(limits::transaction_checks_max + 1, c.balances[0]);
            }),
            Errc::corrupt);
  EXPECT_EQ(refusal_of([](Command& c) {
              c.balances[0].dimensions.assign(limits::ledger_dimensions_max + 1, {});
            }),
            Errc::corrupt);
  EXPECT_EQ(refusal_of([](Command& c) {
              c.actions.assign(limits::transaction_actions_max + 1, c.actions[0]);
            }),
            Errc::corrupt);
  record::Batch batch = sample_batch();
  batch.commands.assign(limits::batch_commands_max + 1, batch.commands[0]);
  EXPECT_EQ(decode_batch(Bytes{encode(batch)}).error().code, Errc::corrupt);
}

TEST(CommandCodec, TheLargestBatchIsAccepted) {
  record::Batch batch{NodeId{1}, BootId{1}, 1, {}};
  batch.commands.assign(limits::batch_commands_max, put("operation", std::string(2000, 'v')));
  const auto decoded = decode_batch(Bytes{encode(batch)});
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(*decoded, batch);
}

Errc refusal_of_kinds(schema::CommandKind command, schema::ActionKind action) {
  const std::string bytes =
      encode_sealed<schema::Batch>(SealKind::batch, 64, [&](schema::Batch::Builder out) {
        auto only = out.initCommands(1)[0];
        only.setKind(command);
        only.initActions(1)[0].setKind(action);
      });
  const auto decoded = decode_batch(Bytes{bytes});
  return decoded ? Errc::internal : decoded.error().code;
}

TEST(CommandCodec, KindsOfALaterReleaseAreAWrongVersion) {
  const auto transaction_kind = schema::CommandKind::TRANSACTION;
  const auto put_kind = schema::ActionKind::PUT;
  EXPECT_EQ(refusal_of_kinds(transaction_kind, put_kind), Errc::internal);
  EXPECT_EQ(refusal_of_kinds(static_cast<schema::CommandKind>(2), put_kind), Errc::wrong_version);
  EXPECT_EQ(refusal_of_kinds(transaction_kind, static_cast<schema::ActionKind>(6)),
            Errc::wrong_version);
}

TEST(CommandCodec, DecimalsKeepSignAndAllDigitsAndNoMore) {
  Decimal::Units most = 1;
  for (unsigned i = 0; i < Decimal::digits_max; ++i) most *= 10;
  const auto through = [](Decimal value) {
    record::Batch batch{NodeId{1}, BootId{1}, 1, {transaction()}};
    batch.commands[0].balances[0].at_least = value;
    return decode_batch(Bytes{encode(batch)});
  };
  for (const Decimal::Units units : {most - 1, 1 - most, Decimal::Units{-1}}) {
    const auto decoded = through(Decimal{units, Decimal::scale_max});
    ASSERT_TRUE(decoded) << to_string(decoded.error());
    EXPECT_EQ(decoded->commands[0].balances[0].at_least.units(), units);
    EXPECT_EQ(decoded->commands[0].balances[0].at_least.scale(), Decimal::scale_max);
  }
  EXPECT_EQ(through(Decimal{most, 0}).error().code, Errc::corrupt);
  EXPECT_EQ(through(Decimal{-most, 0}).error().code, Errc::corrupt);
  EXPECT_EQ(through(Decimal{1, Decimal::scale_max + 1}).error().code, Errc::corrupt);
}

}  // namespace
}  // namespace mainstay::wire
