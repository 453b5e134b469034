#include "runtime/wire/sealed_message.hpp"

#include <cstdlib>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "runtime/wire/codec.hpp"
#include "schemas/record.capnp.h"
#include "tests/unit/wire/samples.hpp"

namespace mainstay::wire {
namespace {

// The same cases at every run; RC_PARAMS in the environment asks for others.
const int fixed_seed = setenv("RC_PARAMS", "seed=20261122 max_success=200", 0);

constexpr std::size_t any_size = 1 << 20;

std::string batch_with_room(std::size_t words) {
  return encode_sealed<schema::Batch>(SealKind::batch, words, [](schema::Batch::Builder out) {
    out.setSequence(7);
    auto commands = out.initCommands(100);
    for (auto command : commands) {
      auto action = command.initActions(1)[0];
      action.setKey("a key of some length");
      action.setValue(data_of(std::string(500, 'v')));
    }
  });
}

TEST(SealedMessage, BytesDoNotDependOnTheGuessedRoom) {
  const std::string expected = batch_with_room(100'000);
  for (const std::size_t words : {0, 1, 3, 100, 1000, 7500})
    ASSERT_EQ(batch_with_room(words), expected) << words;
  EXPECT_TRUE(decode_batch(Bytes{expected}));
}

// Reads value and its size only, as a decoder would.
Result<std::size_t> value_bytes(const std::string& bytes) {
  return decode_sealed<schema::Record, std::size_t>(
      SealKind::record, bytes, any_size,
      [](schema::Record::Reader in) -> Result<std::size_t> { return in.getValue().size(); });
}

std::string record_bytes() {
  return encode(record::Record{Bytes{"value"}, 1, 2, 3, {}, 0, false});
}

void put_word(std::string& bytes, std::size_t offset, std::uint64_t word) {
  std::memcpy(bytes.data() + offset, &word, sizeof word);
  close_seal(SealKind::record, bytes);
}

TEST(SealedMessage, MoreThanOneSegmentIsCorrupt) {
  std::string bytes = record_bytes();
  put_word(bytes, seal_bytes, 1);
  EXPECT_EQ(value_bytes(bytes).error().code, Errc::corrupt);
}

TEST(SealedMessage, TableThatDoesNotFitTheSizeIsCorrupt) {
  std::string bytes = record_bytes();
  const std::uint64_t words = (bytes.size() - message_offset) / 8;
  put_word(bytes, seal_bytes, (words + 1) << 32);
  EXPECT_EQ(value_bytes(bytes).error().code, Errc::corrupt);
  put_word(bytes, seal_bytes, (words - 1) << 32);
  EXPECT_EQ(value_bytes(bytes).error().code, Errc::corrupt);
  put_word(bytes, seal_bytes, words << 32);
  EXPECT_EQ(value_bytes(bytes).value(), 5u);
}

TEST(SealedMessage, PointerOutOfTheMessageIsCorrupt) {
  std::string bytes = record_bytes();
  put_word(bytes, message_offset, 0x0001000400ffff00);  // root struct far behind the end
  EXPECT_EQ(value_bytes(bytes).error().code, Errc::corrupt);
}

// A small message that says the same megabytes again and again.
TEST(SealedMessage, PointersThatAliasEachOtherEndAtTheTraversalLimit) {
  const std::string good =
      encode_sealed<schema::LogBatch>(SealKind::log_batch, 64, [](schema::LogBatch::Builder out) {
        auto batches = out.initBatches(200);
        batches.set(199, data_of(std::string(4000, 'x')));
      });
  std::string bytes = good;
  // Each list element is a pointer word; point all of them at the data of the last, counted from
  // the word behind the pointer.
  const std::size_t list = bytes.size() - 4000 - 200 * 8;
  for (std::size_t i = 0; i < 199; ++i) {
    std::uint64_t last = 0;
    std::memcpy(&last, bytes.data() + list + 199 * 8, 8);
    const std::uint64_t aliased = last + (static_cast<std::uint64_t>(199 - i) << 2);
    std::memcpy(bytes.data() + list + i * 8, &aliased, 8);
  }
  close_seal(SealKind::log_batch, bytes);
  const auto total = decode_sealed<schema::LogBatch, std::size_t>(
      SealKind::log_batch, bytes, any_size, [](schema::LogBatch::Reader in) -> Result<std::size_t> {
        std::size_t sum = 0;
        for (const auto data : in.getBatches()) sum += data.size();
        return sum;
      });
  ASSERT_FALSE(total) << *total;
  EXPECT_EQ(total.error().code, Errc::corrupt);
  EXPECT_THAT(total.error().message, testing::HasSubstr("limit"));
}

std::string random_text() {
  return *rc::gen::resize(60, rc::gen::arbitrary<std::string>());
}

record::RecordCheck random_check() {
  record::RecordCheck check{random_text(), random_text(), {}};
  if (*rc::gen::arbitrary<bool>())
    check.condition.version_is = *rc::gen::arbitrary<std::uint64_t>();
  check.condition.version_is_not =
      *rc::gen::resize(20, rc::gen::arbitrary<std::vector<std::uint64_t>>());
  check.condition.must_exist = *rc::gen::arbitrary<bool>();
  check.condition.must_be_absent = *rc::gen::arbitrary<bool>();
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    check.condition.fields.push_back({random_text(), Bytes{random_text()}});
  return check;
}

record::BalanceCheck random_balance() {
  record::BalanceCheck check;
  check.collection = random_text();
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
    check.dimensions.emplace_back(random_text(), random_text());
  check.at_least = Decimal{*rc::gen::arbitrary<std::int64_t>(), *rc::gen::inRange(0U, 19U)};
  return check;
}

record::Action random_action() {
  return {static_cast<record::ActionKind>(*rc::gen::inRange(0, 6)), random_text(), random_text(),
          Bytes{*rc::gen::arbitrary<std::string>()}};
}

record::Command random_command() {
  record::Command command;
  command.kind = static_cast<record::CommandKind>(*rc::gen::inRange(0, 2));
  command.operation = random_text();
  command.request_hash = {*rc::gen::arbitrary<std::uint64_t>(), 7};
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) command.checks.push_back(random_check());
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) command.balances.push_back(random_balance());
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) command.actions.push_back(random_action());
  return command;
}

TEST(SealedMessage, AnyBatchComesBackAsItWas) {
  EXPECT_TRUE(rc::check("decode(encode(batch)) == batch, also at an odd address", [] {
    record::Batch batch{NodeId{*rc::gen::arbitrary<std::uint64_t>()}, BootId{2}, 3, {}};
    const int commands = *rc::gen::inRange(0, 20);
    for (int i = 0; i < commands; ++i) batch.commands.push_back(random_command());
    const std::string bytes = encode(batch);
    const auto decoded = decode_batch(Bytes{bytes});
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == batch);
    RC_ASSERT(encode(*decoded) == bytes);
    const auto odd = decode_batch(Bytes{"123" + bytes}.slice(3, bytes.size()));
    RC_ASSERT(odd.has_value());
    RC_ASSERT(*odd == batch);
  }));
}

}  // namespace
}  // namespace mainstay::wire
