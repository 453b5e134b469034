// Frames. Schema: schemas/peer.capnp; rules: docs/formats/frame.md.
#include "runtime/wire/frame.hpp"

#include "runtime/base/limits.hpp"
#include "runtime/wire/log_codec.hpp"
#include "runtime/wire/sealed_message.hpp"
#include "schemas/peer.capnp.h"

namespace mainstay::wire {

namespace {

// A refusal that this release does not know is answered like one that may pass.
Errc read_refusal(capnp::Text::Reader name) {
  return errc_of({name.begin(), name.size()}).value_or(Errc::unavailable);
}

// --- words each body takes below its pointer ---

std::size_t body_words(const Hello& hello) {
  return words_of<schema::Hello> + text_words(hello.release) + text_words(hello.peer_address) +
         text_words(hello.api_address);
}
std::size_t body_words(const FormationOffer& offer) {
  return words_of<schema::FormationOffer> + words_below(offer.initial);
}
std::size_t body_words(const JoinRequest& request) {
  return words_of<schema::JoinRequest> + words_below(request.member);
}
std::size_t message_words(const consensus::Message& message) {
  std::size_t words = words_of<schema::Message> + 1;
  for (const auto& entry : message.entries) words += words_below(entry);
  if (message.snapshot != consensus::SnapshotMeta{}) words += words_below(message.snapshot);
  return words;
}
std::size_t body_words(const ConsensusMessages& messages) {
  std::size_t words = words_of<schema::ConsensusMessages> + 1;
  for (const auto& message : messages.messages) words += message_words(message);
  return words;
}
std::size_t body_words(const ProposeRequest& request) {
  return words_of<schema::ProposeRequest> + data_words(request.batch.view());
}
std::size_t body_words(const ProposeReply&) {
  return words_of<schema::ProposeReply> + 4;
}
std::size_t body_words(const SnapshotRequest& request) {
  return words_of<schema::SnapshotRequest> + text_words(request.id);
}
std::size_t body_words(const SnapshotChunk& chunk) {
  return words_of<schema::SnapshotChunk> + text_words(chunk.id) + data_words(chunk.data.view());
}
std::size_t body_words(const StateHashReport&) {
  return words_of<schema::StateHashReport>;
}
std::size_t body_words(const AdminRequest& request) {
  return words_of<schema::AdminRequest> + words_below(request.member);
}
std::size_t body_words(const AdminReply& reply) {
  return words_of<schema::AdminReply> + 4 + text_words(reply.message);
}
std::size_t body_words(const GoAway&) {
  return 0;
}
std::size_t body_words(const ClockReport&) {
  return words_of<schema::ClockReport>;
}

// --- writing ---

void write(schema::Frame::Body::Builder body, const Hello& hello) {
  auto out = body.initHello();
  out.setVersionMin(hello.version_min);
  out.setVersionMax(hello.version_max);
  out.setRelease(text_of(hello.release));
  out.setFormed(hello.formed);
  out.setPeerAddress(text_of(hello.peer_address));
  out.setApiAddress(text_of(hello.api_address));
}

void write(schema::Frame::Body::Builder body, const FormationOffer& offer) {
  auto out = body.initFormationOffer();
  write_hash(out.initCluster(), offer.cluster.words);
  write_membership(out.initInitial(), offer.initial);
}

void write(schema::Frame::Body::Builder body, const JoinRequest& request) {
  write_member(body.initJoinRequest().initMember(), request.member);
}

void write_message(schema::Message::Builder out, const consensus::Message& message) {
  out.setType(static_cast<schema::MessageType>(message.type));
  out.setReject(message.reject);
  out.setForced(message.forced);
  out.setFrom(message.from.value);
  out.setTo(message.to.value);
  out.setFromIncarnation(message.from_incarnation.value);
  out.setToIncarnation(message.to_incarnation.value);
  out.setTerm(message.term);
  out.setIndex(message.index);
  out.setLogTerm(message.log_term);
  out.setCommit(message.commit);
  out.setApplied(message.applied);
  out.setContext(message.context);
  out.setHintIndex(message.hint_index);
  out.setHintTerm(message.hint_term);
  if (!message.entries.empty()) {
    auto entries = out.initEntries(static_cast<unsigned>(message.entries.size()));
    for (unsigned i = 0; i < entries.size(); ++i) write_entry(entries[i], message.entries[i]);
  }
  if (message.snapshot != consensus::SnapshotMeta{})
    write_snapshot(out.initSnapshot(), message.snapshot);
}

void write(schema::Frame::Body::Builder body, const ConsensusMessages& consensus) {
  auto messages =
      body.initConsensus().initMessages(static_cast<unsigned>(consensus.messages.size()));
  for (unsigned i = 0; i < messages.size(); ++i) write_message(messages[i], consensus.messages[i]);
}

void write(schema::Frame::Body::Builder body, const ProposeRequest& request) {
  auto out = body.initProposeRequest();
  out.setId(request.id);
  out.setBatch(data_of(request.batch.view()));
}

void write(schema::Frame::Body::Builder body, const ProposeReply& reply) {
  auto out = body.initProposeReply();
  out.setId(reply.id);
  out.setAccepted(reply.accepted);
  out.setTerm(reply.term);
  out.setIndex(reply.index);
  if (!reply.accepted) out.setRefused(refusal_name(reply.refused));
}

void write(schema::Frame::Body::Builder body, const SnapshotRequest& request) {
  auto out = body.initSnapshotRequest();
  out.setId(text_of(request.id));
  out.setOffset(request.offset);
  out.setBytesMax(request.bytes_max);
}

void write(schema::Frame::Body::Builder body, const SnapshotChunk& chunk) {
  auto out = body.initSnapshotChunk();
  out.setId(text_of(chunk.id));
  out.setOffset(chunk.offset);
  out.setCrc32c(chunk.crc32c);
  out.setRefused(chunk.refused);
  if (!chunk.data.empty()) out.setData(data_of(chunk.data.view()));
}

void write(schema::Frame::Body::Builder body, const StateHashReport& report) {
  auto out = body.initStateHashReport();
  out.setIndex(report.index);
  write_hash(out.initHash(), report.hash);
}

void write(schema::Frame::Body::Builder body, const AdminRequest& request) {
  auto out = body.initAdminRequest();
  out.setId(request.id);
  out.setKind(static_cast<schema::AdminKind>(request.kind));
  write_member(out.initMember(), request.member);
}

void write(schema::Frame::Body::Builder body, const AdminReply& reply) {
  auto out = body.initAdminReply();
  out.setId(reply.id);
  out.setDone(reply.done);
  if (!reply.done) out.setRefused(refusal_name(reply.refused));
  out.setMessage(text_of(reply.message));
}

void write(schema::Frame::Body::Builder body, const GoAway&) {
  body.setGoAway();
}

void write(schema::Frame::Body::Builder body, const ClockReport& report) {
  body.initClockReport().setWallMillis(report.wall_millis);
}

// --- reading ---

Result<Body> read(schema::Hello::Reader in) {
  Hello hello;
  hello.version_min = in.getVersionMin();
  hello.version_max = in.getVersionMax();
  hello.formed = in.getFormed();
  TRY_ASSIGN(hello.release, read_text(in.getRelease(), limits::release_bytes_max, "release"));
  TRY_ASSIGN(hello.peer_address,
             read_text(in.getPeerAddress(), limits::address_bytes_max, "peer address"));
  TRY_ASSIGN(hello.api_address,
             read_text(in.getApiAddress(), limits::address_bytes_max, "api address"));
  return hello;
}

Result<Body> read(schema::FormationOffer::Reader in) {
  FormationOffer offer;
  offer.cluster.words = read_hash(in.getCluster());
  TRY_ASSIGN(offer.initial, read_membership(in.getInitial()));
  return offer;
}

Result<Body> read(schema::JoinRequest::Reader in) {
  JoinRequest request;
  TRY_ASSIGN(request.member, read_member(in.getMember()));
  return request;
}

Result<consensus::Message> read_message(schema::Message::Reader in, const Bytes& frame) {
  if (in.getType() > schema::MessageType::READ_INDEX_REPLY)
    return fail(Errc::wrong_version, "message: this release does not know its type");
  consensus::Message message;
  message.type = static_cast<consensus::MessageType>(in.getType());
  message.reject = in.getReject();
  message.forced = in.getForced();
  message.from = NodeId{in.getFrom()};
  message.to = NodeId{in.getTo()};
  message.from_incarnation = Incarnation{in.getFromIncarnation()};
  message.to_incarnation = Incarnation{in.getToIncarnation()};
  message.term = in.getTerm();
  message.index = in.getIndex();
  message.log_term = in.getLogTerm();
  message.commit = in.getCommit();
  message.applied = in.getApplied();
  message.context = in.getContext();
  message.hint_index = in.getHintIndex();
  message.hint_term = in.getHintTerm();
  const auto entries = in.getEntries();
  message.entries.reserve(entries.size());
  for (const auto reader : entries) {
    TRY_ASSIGN(auto entry, read_entry(reader, frame));
    message.entries.push_back(std::move(entry));
  }
  if (in.hasSnapshot()) {
    TRY_ASSIGN(message.snapshot, read_snapshot(in.getSnapshot()));
  }
  return message;
}

Result<Body> read(schema::ConsensusMessages::Reader in, const Bytes& frame) {
  const auto readers = in.getMessages();
  if (readers.size() > limits::frame_messages_max)
    return fail(Errc::corrupt, "frame: too many messages");
  ConsensusMessages messages;
  messages.messages.reserve(readers.size());
  for (const auto reader : readers) {
    TRY_ASSIGN(auto message, read_message(reader, frame));
    messages.messages.push_back(std::move(message));
  }
  return messages;
}

Result<Body> read(schema::ProposeRequest::Reader in, const Bytes& frame) {
  return ProposeRequest{in.getId(), slice_of(frame, in.getBatch())};
}

Result<Body> read(schema::ProposeReply::Reader in) {
  ProposeReply reply;
  reply.id = in.getId();
  reply.accepted = in.getAccepted();
  reply.term = in.getTerm();
  reply.index = in.getIndex();
  if (!reply.accepted) reply.refused = read_refusal(in.getRefused());
  return reply;
}

Result<Body> read(schema::SnapshotRequest::Reader in) {
  SnapshotRequest request;
  TRY_ASSIGN(request.id, read_text(in.getId(), limits::snapshot_id_bytes_max, "snapshot id"));
  request.offset = in.getOffset();
  request.bytes_max = in.getBytesMax();
  return request;
}

Result<Body> read(schema::SnapshotChunk::Reader in, const Bytes& frame) {
  SnapshotChunk chunk;
  TRY_ASSIGN(chunk.id, read_text(in.getId(), limits::snapshot_id_bytes_max, "snapshot id"));
  chunk.offset = in.getOffset();
  chunk.crc32c = in.getCrc32c();
  chunk.refused = in.getRefused();
  chunk.data = slice_of(frame, in.getData());
  return chunk;
}

Result<Body> read(schema::StateHashReport::Reader in) {
  return StateHashReport{in.getIndex(), read_hash(in.getHash())};
}

Result<Body> read(schema::AdminRequest::Reader in) {
  if (in.getKind() > schema::AdminKind::TRANSFER)
    return fail(Errc::wrong_version, "admin request: this release does not know its kind");
  AdminRequest request;
  request.id = in.getId();
  request.kind = static_cast<AdminRequest::Kind>(in.getKind());
  TRY_ASSIGN(request.member, read_member(in.getMember()));
  return request;
}

Result<Body> read(schema::AdminReply::Reader in) {
  AdminReply reply;
  reply.id = in.getId();
  reply.done = in.getDone();
  if (!reply.done) reply.refused = read_refusal(in.getRefused());
  TRY_ASSIGN(reply.message, read_text(in.getMessage(), limits::frame_text_bytes_max, "message"));
  return reply;
}

Result<Body> read_body(schema::Frame::Body::Reader body, const Bytes& frame) {
  switch (body.which()) {
    case schema::Frame::Body::HELLO:
      return read(body.getHello());
    case schema::Frame::Body::FORMATION_OFFER:
      return read(body.getFormationOffer());
    case schema::Frame::Body::JOIN_REQUEST:
      return read(body.getJoinRequest());
    case schema::Frame::Body::CONSENSUS:
      return read(body.getConsensus(), frame);
    case schema::Frame::Body::PROPOSE_REQUEST:
      return read(body.getProposeRequest(), frame);
    case schema::Frame::Body::PROPOSE_REPLY:
      return read(body.getProposeReply());
    case schema::Frame::Body::SNAPSHOT_REQUEST:
      return read(body.getSnapshotRequest());
    case schema::Frame::Body::SNAPSHOT_CHUNK:
      return read(body.getSnapshotChunk(), frame);
    case schema::Frame::Body::STATE_HASH_REPORT:
      return read(body.getStateHashReport());
    case schema::Frame::Body::ADMIN_REQUEST:
      return read(body.getAdminRequest());
    case schema::Frame::Body::ADMIN_REPLY:
      return read(body.getAdminReply());
    case schema::Frame::Body::GO_AWAY:
      return Body{GoAway{}};
    case schema::Frame::Body::CLOCK_REPORT:
      return ClockReport{body.getClockReport().getWallMillis()};
  }
  return fail(Errc::wrong_version, "frame: this release does not know its body");
}

Result<Frame> read_frame(schema::Frame::Reader in, const Bytes& bytes) {
  Frame frame;
  frame.version = in.getVersion();
  const bool known = frame.version >= protocol_version_min && frame.version <= protocol_version_max;
  // A hello says which versions its sender speaks, so it must be readable whatever the version of
  // its frame.
  if (!known && in.getBody().which() != schema::Frame::Body::HELLO)
    return fail(Errc::wrong_version, "frame: protocol version " + std::to_string(frame.version) +
                                         " is outside of what this release speaks (" +
                                         std::to_string(protocol_version_min) + " to " +
                                         std::to_string(protocol_version_max) + ")");
  frame.cluster.words = read_hash(in.getCluster());
  frame.group = GroupId{in.getGroup()};
  frame.from = NodeId{in.getFrom()};
  frame.from_incarnation = Incarnation{in.getFromIncarnation()};
  frame.from_boot = BootId{in.getFromBoot()};
  frame.to = NodeId{in.getTo()};
  frame.to_incarnation = Incarnation{in.getToIncarnation()};
  TRY_ASSIGN(frame.body, read_body(in.getBody(), bytes));
  return frame;
}

}  // namespace

std::string encode(const Frame& frame) {
  const std::size_t words =
      words_of<schema::Frame> +
      std::visit([](const auto& body) { return body_words(body); }, frame.body);
  return encode_sealed<schema::Frame>(SealKind::frame, words, [&](schema::Frame::Builder out) {
    out.setVersion(frame.version);
    write_hash(out.initCluster(), frame.cluster.words);
    out.setGroup(frame.group.value);
    out.setFrom(frame.from.value);
    out.setFromIncarnation(frame.from_incarnation.value);
    out.setFromBoot(frame.from_boot.value);
    out.setTo(frame.to.value);
    out.setToIncarnation(frame.to_incarnation.value);
    std::visit([&out](const auto& body) { write(out.initBody(), body); }, frame.body);
  });
}

Result<Frame> decode_frame(Bytes bytes) {
  const Bytes message = aligned(std::move(bytes));
  return decode_sealed<schema::Frame, Frame>(
      SealKind::frame, message.view(), limits::frame_bytes_max,
      [&message](schema::Frame::Reader in) { return read_frame(in, message); });
}

}  // namespace mainstay::wire
