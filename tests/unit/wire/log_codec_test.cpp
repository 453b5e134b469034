#include "runtime/wire/log_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/wire/codec.hpp"
#include "tests/unit/wire/samples.hpp"

namespace mainstay::wire {
namespace {

TEST(LogCodec, EntryKeepsPayloadAndMembership) {
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

TEST(LogCodec, EntryWhoseKindAndMembershipDisagreeIsCorrupt) {
  consensus::Entry entry{9, 4, consensus::EntryKind::membership, {}, nullptr};
  EXPECT_EQ(decode_entry(Bytes{encode(entry)}).error().code, Errc::corrupt);
  entry.kind = consensus::EntryKind::noop;
  entry.membership = std::make_shared<const consensus::Membership>(three_members());
  EXPECT_EQ(decode_entry(Bytes{encode(entry)}).error().code, Errc::corrupt);
}

TEST(LogCodec, EntryKindOfALaterReleaseIsAWrongVersion) {
  const std::string bytes = encode_sealed<schema::Entry>(
      SealKind::entry, 16,
      [](schema::Entry::Builder out) { out.setKind(static_cast<schema::EntryKind>(4)); });
  EXPECT_EQ(decode_entry(Bytes{bytes}).error().code, Errc::wrong_version);
}

TEST(LogCodec, RoleOfALaterReleaseIsAWrongVersion) {
  const std::string bytes = encode_sealed<schema::Membership>(
      SealKind::membership, 64, [](schema::Membership::Builder out) {
        out.initMembers(1)[0].setRole(static_cast<schema::MemberRole>(2));
      });
  EXPECT_EQ(decode_membership(bytes).error().code, Errc::wrong_version);
}

TEST(LogCodec, MembershipThatIsNotSortedOrTooLargeIsCorrupt) {
  consensus::Membership membership = three_members();
  std::swap(membership.members[0], membership.members[1]);
  EXPECT_EQ(decode_membership(encode(membership)).error().code, Errc::corrupt);
  membership = three_members();
  membership.members[1] = membership.members[0];
  EXPECT_EQ(decode_membership(encode(membership)).error().code, Errc::corrupt);
  membership = {};
  for (std::uint64_t id = 1; id <= limits::members_max + 1; ++id) {
    membership.members.push_back(three_members().members[0]);
    membership.members.back().id = NodeId{id};
  }
  EXPECT_EQ(decode_membership(encode(membership)).error().code, Errc::corrupt);
  membership.members.pop_back();
  EXPECT_EQ(decode_membership(encode(membership)).value(), membership);
}

TEST(LogCodec, SmallValuesKeepEveryField) {
  const consensus::HardState state{7, NodeId{2}};
  EXPECT_EQ(decode_hard_state(encode(state)).value(), state);
  EXPECT_EQ(decode_membership(encode(three_members())).value(), three_members());
  const consensus::SnapshotMeta snapshot{10, 3, three_members(), "snap-10", 4096, {5, 6}};
  EXPECT_EQ(decode_snapshot_meta(encode(snapshot)).value(), snapshot);
}

TEST(LogCodec, FieldsThatALaterReleaseAddedAreIgnored) {
  // A hard state with more fields than this release knows: the first two stand where ours do.
  struct Later {
    static std::string hard_state() {
      return encode_sealed<schema::SnapshotMeta>(SealKind::hard_state, 64,
                                                 [](schema::SnapshotMeta::Builder out) {
                                                   out.setIndex(7);
                                                   out.setTerm(2);
                                                   out.setBytes(999);
                                                   out.setId("new");
                                                 });
    }
  };
  const consensus::HardState expected{7, NodeId{2}};
  EXPECT_EQ(decode_hard_state(Later::hard_state()).value(), expected);
}

}  // namespace
}  // namespace mainstay::wire
