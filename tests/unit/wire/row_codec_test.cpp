#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/wire/codec.hpp"
#include "runtime/wire/sealed_message.hpp"
#include "schemas/record.capnp.h"
#include "tests/unit/wire/samples.hpp"

namespace mainstay::wire {
namespace {

record::Operation done_row() {
  record::Operation row;
  row.request_hash = {1, 2};
  row.recorded_millis = 17;
  row.outcome.revision = 44;
  row.outcome.results = {{3, true, true}, {1, false, false}, {9, true, false}};
  return row;
}

record::Operation refused_row() {
  record::Operation row;
  row.request_hash = {~0ULL, 2};
  row.recorded_millis = 18;
  row.outcome.refused = Errc::precondition_failed;
  row.outcome.detail = "at '/price': is less than the minimum 0";
  row.outcome.part = record::Part::check;
  row.outcome.position = 255;
  row.outcome.found_version = 6;
  return row;
}

record::Commit commit_row() {
  record::Commit row;
  row.revision = 44;
  row.stamp = {1'700'000'000'000, 9};
  row.operation = "op-1";
  row.changes = {{record::ChangeKind::put, "orders", "A-1", 3, 40},
                 {record::ChangeKind::remove, "stock", "x", 8, 43},
                 {record::ChangeKind::put, "orders", "A-2", 1, 0}};
  return row;
}

record::Collection collection_row() {
  record::Collection row;
  row.id = 4'000'000'000;
  row.declared = 5;
  row.live = 6;
  row.tombstones = 7;
  row.bytes = 1ULL << 40;
  row.next_index = 65'535;
  row.indexes = {{1, "by-item", true, ""}, {65'534, "by-lot", false, "A-4711"}};
  return row;
}

record::Counters counters_row() {
  record::Counters row;
  row.applied_index = 1;
  row.applied_term = 2;
  row.revision = 3;
  row.floor = 4;
  row.stamp = {5, 6};
  row.hash = {7, 8};
  row.live_records = 9;
  row.tombstones = 10;
  row.operations = 11;
  row.history = 12;
  row.balances = 13;
  row.next_collection = 14;
  return row;
}

TEST(RowCodec, RowsKeepEveryField) {
  const record::Record row{Bytes{R"({"n":1})"}, 3, 44, 40, {1700000000000, 9}, 2, false};
  EXPECT_EQ(decode_record(encode(row)).value(), row);
  const record::Record tombstone{{}, 4, 45, 40, {1700000000001, 0}, 2, true};
  EXPECT_EQ(decode_record(encode(tombstone)).value(), tombstone);
  EXPECT_EQ(decode_operation(encode(done_row())).value(), done_row());
  EXPECT_EQ(decode_operation(encode(refused_row())).value(), refused_row());
  EXPECT_EQ(decode_commit(encode(commit_row())).value(), commit_row());
  EXPECT_EQ(decode_collection(encode(collection_row())).value(), collection_row());
  EXPECT_EQ(decode_counters(encode(counters_row())).value(), counters_row());
}

TEST(RowCodec, BalancesKeepQuantityScaleAndRevision) {
  for (const std::int64_t units : {0L, 1L, -1L, 123'456'789'012L}) {
    const record::Balance row{Decimal{units, 3}, 44};
    const auto decoded = decode_balance(encode(row));
    ASSERT_TRUE(decoded) << to_string(decoded.error());
    EXPECT_EQ(decoded->quantity.units(), units);
    EXPECT_EQ(decoded->quantity.scale(), 3U) << "1.500 is not stored as 1.5";
    EXPECT_EQ(decoded->revision, 44U);
  }
}

TEST(RowCodec, EveryPartOfACommandCanBeRefused) {
  using record::Part;
  for (const Part part : {Part::whole, Part::check, Part::balance, Part::action}) {
    record::Operation row = refused_row();
    row.outcome.part = part;
    EXPECT_EQ(decode_operation(encode(row)).value(), row);
  }
}

TEST(RowCodec, RecordsAreCopiedOutOfThePage) {
  std::string page = encode(record::Record{Bytes{"value"}, 1, 1, 1, {}, 0, false});
  const auto decoded = decode_record(page);
  page.assign(page.size(), '\0');
  EXPECT_EQ(decoded->value.view(), "value");
}

TEST(RowCodec, ReplayedIsNotStored) {
  record::Operation row = done_row();
  row.outcome.replayed = true;
  EXPECT_FALSE(decode_operation(encode(row))->outcome.replayed);
}

template <class Decode>
void expect_every_flip_found(const std::string& good, Decode decode) {
  for_each_flipped_bit(good, [&](const std::string& bad, std::size_t bit) {
    const auto decoded = decode(bad);
    ASSERT_FALSE(decoded) << "bit " << bit;
    ASSERT_EQ(decoded.error().code, Errc::corrupt) << "bit " << bit;
  });
  for (std::size_t size = 0; size < good.size(); ++size)
    ASSERT_EQ(decode(good.substr(0, size)).error().code, Errc::corrupt) << size;
}

TEST(RowCodec, AnyFlippedBitAndAnyTruncationOfARowIsFound) {
  expect_every_flip_found(encode(refused_row()), decode_operation);
  expect_every_flip_found(encode(commit_row()), decode_commit);
  expect_every_flip_found(encode(collection_row()), decode_collection);
  expect_every_flip_found(encode(record::Balance{Decimal{-1, 3}, 44}), decode_balance);
  expect_every_flip_found(encode(counters_row()), decode_counters);
}

TEST(RowCodec, ARowOfAnotherTableIsCorrupt) {
  EXPECT_EQ(decode_commit(encode(collection_row())).error().code, Errc::corrupt);
  EXPECT_EQ(decode_balance(encode(commit_row())).error().code, Errc::corrupt);
}

TEST(RowCodec, FieldsBeyondTheLimitsAreCorrupt) {
  record::Operation operation = refused_row();
  operation.outcome.detail = std::string(limits::refusal_bytes_max + 1, 'd');
  EXPECT_EQ(decode_operation(encode(operation)).error().code, Errc::corrupt);
  operation = done_row();
  operation.outcome.results.assign(limits::transaction_actions_max + 1, {});
  EXPECT_EQ(decode_operation(encode(operation)).error().code, Errc::corrupt);
  record::Commit commit = commit_row();
  commit.changes.assign(limits::transaction_actions_max + 1, commit.changes[0]);
  EXPECT_EQ(decode_commit(encode(commit)).error().code, Errc::corrupt);
}

TEST(RowCodec, TheLargestRowsAreAccepted) {
  const record::Record record{
      Bytes{std::string(limits::record_value_bytes_max, 'v')}, 1, 1, 1, {}, 0, false};
  EXPECT_EQ(decode_record(encode(record)).value(), record);
  record::Commit commit;
  commit.operation = std::string(limits::operation_id_bytes_max, 'o');
  commit.changes.assign(
      limits::transaction_actions_max,
      {record::ChangeKind::put, std::string(limits::collection_name_bytes_max, 'c'),
       std::string(limits::record_key_bytes_max, 'k'), ~0ULL, ~0ULL});
  EXPECT_EQ(decode_commit(encode(commit)).value(), commit);
}

TEST(RowCodec, WhatALaterReleaseAddsIsAWrongVersion) {
  const std::string refusal = encode_sealed<schema::Operation>(
      SealKind::operation, 64,
      [](schema::Operation::Builder out) { out.setRefused("quota_of_2031_exceeded"); });
  EXPECT_EQ(decode_operation(refusal).error().code, Errc::wrong_version);
  const std::string part = encode_sealed<schema::Operation>(
      SealKind::operation, 64,
      [](schema::Operation::Builder out) { out.setPart(static_cast<schema::Part>(4)); });
  EXPECT_EQ(decode_operation(part).error().code, Errc::wrong_version);
  const std::string change =
      encode_sealed<schema::Commit>(SealKind::commit, 64, [](schema::Commit::Builder out) {
        out.initChanges(1)[0].setKind(static_cast<schema::ChangeKind>(2));
      });
  EXPECT_EQ(decode_commit(change).error().code, Errc::wrong_version);
}

}  // namespace
}  // namespace mainstay::wire
