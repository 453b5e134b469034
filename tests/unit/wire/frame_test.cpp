#include "runtime/wire/frame.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/wire/sealed_message.hpp"
#include "schemas/peer.capnp.h"
#include "tests/unit/wire/samples.hpp"

namespace mainstay::wire {
namespace {

Frame frame_of(Body body) {
  Frame frame;
  frame.cluster.words = {1, 2};
  frame.from = NodeId{1};
  frame.from_incarnation = Incarnation{11};
  frame.from_boot = BootId{111};
  frame.to = NodeId{2};
  frame.to_incarnation = Incarnation{22};
  frame.body = std::move(body);
  return frame;
}

template <class T>
T through_bytes(const T& body) {
  const auto decoded = decode_frame(Bytes{encode(frame_of(body))});
  EXPECT_TRUE(decoded) << to_string(decoded.error());
  return std::get<T>(decoded->body);
}

const consensus::Member member{NodeId{4}, Incarnation{44}, consensus::MemberRole::learner,
                               true,      "peer:1",        "api:2"};

TEST(Frame, EnvelopeKeepsEveryField) {
  Frame frame = frame_of(GoAway{});
  frame.group = GroupId{9};
  const auto decoded = decode_frame(Bytes{encode(frame)});
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(decoded->version, protocol_version_max);
  EXPECT_EQ(decoded->cluster, frame.cluster);
  EXPECT_EQ(decoded->group, frame.group);
  EXPECT_EQ(decoded->from, frame.from);
  EXPECT_EQ(decoded->from_incarnation, frame.from_incarnation);
  EXPECT_EQ(decoded->from_boot, frame.from_boot);
  EXPECT_EQ(decoded->to, frame.to);
  EXPECT_EQ(decoded->to_incarnation, frame.to_incarnation);
  EXPECT_TRUE(std::holds_alternative<GoAway>(decoded->body));
}

TEST(Frame, HelloKeepsEveryField) {
  const Hello hello = through_bytes(Hello{1, 5, "0.5.0", true, "peer:1", "api:2"});
  EXPECT_EQ(hello.version_min, 1u);
  EXPECT_EQ(hello.version_max, 5u);
  EXPECT_EQ(hello.release, "0.5.0");
  EXPECT_TRUE(hello.formed);
  EXPECT_EQ(hello.peer_address, "peer:1");
  EXPECT_EQ(hello.api_address, "api:2");
}

TEST(Frame, ClockReportKeepsEveryField) {
  EXPECT_EQ(through_bytes(ClockReport{1'700'000'000'123}).wall_millis, 1'700'000'000'123u);
}

TEST(Frame, FormationAndJoinKeepEveryField) {
  FormationOffer offer;
  offer.cluster.words = {7, 8};
  offer.initial.members = {member};
  const FormationOffer decoded = through_bytes(offer);
  EXPECT_EQ(decoded.cluster, offer.cluster);
  EXPECT_EQ(decoded.initial, offer.initial);
  EXPECT_EQ(through_bytes(JoinRequest{member}).member, member);
}

consensus::Message full_message() {
  consensus::Message message;
  message.type = consensus::MessageType::append;
  message.from = NodeId{1};
  message.to = NodeId{2};
  message.from_incarnation = Incarnation{11};
  message.to_incarnation = Incarnation{22};
  message.term = 3;
  message.index = 4;
  message.log_term = 5;
  message.commit = 6;
  message.applied = 7;
  message.context = 8;
  message.reject = true;
  message.forced = true;
  message.hint_index = 9;
  message.hint_term = 10;
  message.entries = {{5, 3, consensus::EntryKind::batch, Bytes{"payload"}, nullptr},
                     {6, 3, consensus::EntryKind::noop, {}, nullptr}};
  message.snapshot = {10, 3, {{member}}, "snap", 4096, {5, 6}};
  return message;
}

void expect_same(const consensus::Message& a, const consensus::Message& b) {
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.from, b.from);
  EXPECT_EQ(a.to, b.to);
  EXPECT_EQ(a.from_incarnation, b.from_incarnation);
  EXPECT_EQ(a.to_incarnation, b.to_incarnation);
  EXPECT_EQ(a.term, b.term);
  EXPECT_EQ(a.index, b.index);
  EXPECT_EQ(a.log_term, b.log_term);
  EXPECT_EQ(a.commit, b.commit);
  EXPECT_EQ(a.applied, b.applied);
  EXPECT_EQ(a.context, b.context);
  EXPECT_EQ(a.reject, b.reject);
  EXPECT_EQ(a.forced, b.forced);
  EXPECT_EQ(a.hint_index, b.hint_index);
  EXPECT_EQ(a.hint_term, b.hint_term);
  EXPECT_EQ(a.snapshot, b.snapshot);
  ASSERT_EQ(a.entries.size(), b.entries.size());
  for (std::size_t i = 0; i < a.entries.size(); ++i) {
    EXPECT_EQ(a.entries[i].index, b.entries[i].index);
    EXPECT_EQ(a.entries[i].term, b.entries[i].term);
    EXPECT_EQ(a.entries[i].kind, b.entries[i].kind);
    EXPECT_EQ(a.entries[i].payload, b.entries[i].payload);
  }
}

TEST(Frame, ConsensusMessagesKeepEveryField) {
  const ConsensusMessages decoded =
      through_bytes(ConsensusMessages{{full_message(), consensus::Message{}}});
  ASSERT_EQ(decoded.messages.size(), 2u);
  expect_same(decoded.messages[0], full_message());
  expect_same(decoded.messages[1], consensus::Message{});
}

TEST(Frame, EntryPayloadsShareTheFramesBytes) {
  const Bytes bytes{encode(frame_of(ConsensusMessages{{full_message()}}))};
  const auto decoded = decode_frame(bytes);
  ASSERT_TRUE(decoded);
  const auto payload =
      std::get<ConsensusMessages>(decoded->body).messages[0].entries[0].payload.view();
  EXPECT_GE(payload.data(), bytes.view().data());
  EXPECT_LT(payload.data(), bytes.view().data() + bytes.size());
}

TEST(Frame, EveryMessageTypeTravels) {
  for (unsigned type = 0; type <= 12; ++type) {
    consensus::Message message;
    message.type = static_cast<consensus::MessageType>(type);
    const auto decoded = through_bytes(ConsensusMessages{{message}});
    EXPECT_EQ(decoded.messages[0].type, message.type);
  }
}

TEST(Frame, ProposalsKeepEveryField) {
  const ProposeRequest request = through_bytes(ProposeRequest{5, Bytes{"batch"}});
  EXPECT_EQ(request.id, 5u);
  EXPECT_EQ(request.batch.view(), "batch");
  const ProposeReply accepted = through_bytes(ProposeReply{5, true, Errc::not_leader, 6, 7});
  EXPECT_TRUE(accepted.accepted);
  EXPECT_EQ(accepted.id, 5u);
  EXPECT_EQ(accepted.term, 6u);
  EXPECT_EQ(accepted.index, 7u);
  EXPECT_EQ(through_bytes(ProposeReply{5, false, Errc::busy, 0, 0}).refused, Errc::busy);
}

TEST(Frame, SnapshotTransferKeepsEveryField) {
  const SnapshotRequest request = through_bytes(SnapshotRequest{"id", 1ULL << 40, 65536});
  EXPECT_EQ(request.id, "id");
  EXPECT_EQ(request.offset, 1ULL << 40);
  EXPECT_EQ(request.bytes_max, 65536u);
  const SnapshotChunk chunk =
      through_bytes(SnapshotChunk{"id", 7, 0xdeadbeef, Bytes{"data"}, true});
  EXPECT_EQ(chunk.id, "id");
  EXPECT_EQ(chunk.offset, 7u);
  EXPECT_EQ(chunk.crc32c, 0xdeadbeef);
  EXPECT_EQ(chunk.data.view(), "data");
  EXPECT_TRUE(chunk.refused);
}

TEST(Frame, ReportsAndAdministrationKeepEveryField) {
  const StateHashReport report = through_bytes(StateHashReport{3, {4, 5}});
  EXPECT_EQ(report.index, 3u);
  EXPECT_EQ(report.hash, (Hash128{4, 5}));
  for (unsigned kind = 0; kind <= 3; ++kind) {
    const AdminRequest request =
        through_bytes(AdminRequest{6, static_cast<AdminRequest::Kind>(kind), member});
    EXPECT_EQ(request.id, 6u);
    EXPECT_EQ(static_cast<unsigned>(request.kind), kind);
    EXPECT_EQ(request.member, member);
  }
  const AdminReply reply = through_bytes(AdminReply{6, false, Errc::conflict, "one at a time"});
  EXPECT_EQ(reply.id, 6u);
  EXPECT_FALSE(reply.done);
  EXPECT_EQ(reply.refused, Errc::conflict);
  EXPECT_EQ(reply.message, "one at a time");
  EXPECT_TRUE(through_bytes(AdminReply{6, true, Errc::not_leader, ""}).done);
}

TEST(Frame, ForeignProtocolVersionIsRefusedExceptInAHello) {
  Frame frame = frame_of(GoAway{});
  frame.version = protocol_version_max + 1;
  EXPECT_EQ(decode_frame(Bytes{encode(frame)}).error().code, Errc::wrong_version);
  frame.body = Hello{2, 2, "9.0.0", false, "", ""};
  const auto decoded = decode_frame(Bytes{encode(frame)});
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_EQ(std::get<Hello>(decoded->body).version_min, 2u);
}

TEST(Frame, AnyFlippedBitIsFound) {
  for_each_flipped_bit(encode(frame_of(ConsensusMessages{{full_message()}})),
                       [](const std::string& bad, std::size_t bit) {
                         ASSERT_FALSE(decode_frame(Bytes{bad})) << "bit " << bit;
                       });
}

TEST(Frame, KindsOfALaterReleaseAreAWrongVersion) {
  const auto refusal = [](auto fill) {
    const std::string bytes =
        encode_sealed<schema::Frame>(SealKind::frame, 64, [&fill](schema::Frame::Builder out) {
          out.setVersion(protocol_version_max);
          fill(out.initBody());
        });
    return decode_frame(Bytes{bytes}).error().code;
  };
  EXPECT_EQ(refusal([](schema::Frame::Body::Builder body) {
              body.initConsensus().initMessages(1)[0].setType(static_cast<schema::MessageType>(13));
            }),
            Errc::wrong_version);
  EXPECT_EQ(refusal([](schema::Frame::Body::Builder body) {
              body.initAdminRequest().setKind(static_cast<schema::AdminKind>(4));
            }),
            Errc::wrong_version);
}

TEST(Frame, RefusalOfALaterReleaseReadsAsUnavailable) {
  const std::string bytes =
      encode_sealed<schema::Frame>(SealKind::frame, 64, [](schema::Frame::Builder out) {
        out.setVersion(protocol_version_max);
        out.initBody().initProposeReply().setRefused("quota_of_2031_exceeded");
      });
  const auto decoded = decode_frame(Bytes{bytes});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<ProposeReply>(decoded->body).refused, Errc::unavailable);
}

TEST(Frame, LargerThanAllowedIsRefusedBeforeAnythingIsRead) {
  const std::string huge(limits::frame_bytes_max + 8, '\0');
  EXPECT_EQ(decode_frame(Bytes{huge}).error().code, Errc::too_large);
}

TEST(Frame, TextsBeyondTheLimitsAreCorrupt) {
  const Frame frame = frame_of(Hello{1, 1, std::string(1000, 'r'), false, "", ""});
  EXPECT_EQ(decode_frame(Bytes{encode(frame)}).error().code, Errc::corrupt);
}

TEST(Frame, TheSameValueGivesTheSameBytes) {
  const Frame frame = frame_of(ConsensusMessages{{full_message()}});
  EXPECT_EQ(encode(frame), encode(frame));
}

}  // namespace
}  // namespace mainstay::wire
