// The one thing that travels between nodes: a frame. Its envelope says who speaks to whom, in which
// cluster and protocol version, and carries a checksum of the body. Schema: schemas/peer.capnp;
// formats: docs/formats/frame.md.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/consensus/message.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::wire {

// Protocol versions this program speaks. A connection uses the highest version both sides know.
inline constexpr std::uint32_t protocol_version_min = 1;
inline constexpr std::uint32_t protocol_version_max = 1;

// First frame in each direction on a new connection.
struct Hello {
  std::uint32_t version_min = protocol_version_min;
  std::uint32_t version_max = protocol_version_max;
  std::string release;  // "0.5.0"
  // the node belongs to a formed cluster (ClusterId of the envelope is set)
  bool formed = false;
  std::string peer_address;  // as this node advertises itself
  std::string api_address;
};

// Forming a cluster from empty nodes (runtime/consensus/formation.hpp): the coordinator's offer.
struct FormationOffer {
  ClusterId cluster;
  consensus::Membership initial;
};

// A node without a place asks the leader (through anyone) to be taken in as a learner.
struct JoinRequest {
  consensus::Member member;
};

struct ConsensusMessages {
  std::vector<consensus::Message> messages;
};

// A batch of commands for the leader; the body is an encoded record::Batch. Answered by
// ProposeReply with the same id.
struct ProposeRequest {
  std::uint64_t id = 0;
  Bytes batch;
};
struct ProposeReply {
  std::uint64_t id = 0;
  bool accepted = false;  // appended by the leader at (term, index): not yet committed
  Errc refused = Errc::not_leader;
  std::uint64_t term = 0;
  std::uint64_t index = 0;
};

// A piece of a snapshot file. Answered by SnapshotChunk; `data` empty and `refused` set when the
// source does not hold it any more.
struct SnapshotRequest {
  std::string id;
  std::uint64_t offset = 0;
  std::uint32_t bytes_max = 0;
};
struct SnapshotChunk {
  std::string id;
  std::uint64_t offset = 0;
  std::uint32_t crc32c = 0;
  Bytes data;
  bool refused = false;
};

// State hash at an applied check entry.
struct StateHashReport {
  std::uint64_t index = 0;
  Hash128 hash{};
};

// Administration that only the leader can do, forwarded by the node that was asked.
struct AdminRequest {
  enum class Kind : std::uint8_t {
    add_member = 0,
    remove_member = 1,
    promote_member = 2,
    transfer = 3
  };
  std::uint64_t id = 0;
  Kind kind = Kind::transfer;
  consensus::Member member;  // add: whole; remove, promote, transfer: id (0: any)
};
struct AdminReply {
  std::uint64_t id = 0;
  bool done = false;
  Errc refused = Errc::not_leader;
  std::string message;
};

// The sender stops soon: connections and leadership go elsewhere.
struct GoAway {};

// The sender's wall clock when it sent this, so that clocks which differ are noticed.
struct ClockReport {
  std::uint64_t wall_millis = 0;
};

using Body = std::variant<Hello, FormationOffer, JoinRequest, ConsensusMessages, ProposeRequest,
                          ProposeReply, SnapshotRequest, SnapshotChunk, StateHashReport,
                          AdminRequest, AdminReply, GoAway, ClockReport>;

struct Frame {
  std::uint32_t version = protocol_version_max;
  ClusterId cluster;  // zero before formation
  GroupId group = first_group;
  NodeId from;
  Incarnation from_incarnation;
  BootId from_boot;
  // none in the dialler's first Hello when it does not know the other's incarnation yet:
  // to_incarnation is then zero
  NodeId to;
  Incarnation to_incarnation;
  Body body;
};

std::string encode(const Frame& frame);

// Any bytes are safe to give. Errors: corrupt (checksum, structure), wrong_version (outside our
// window), too_large.
Result<Frame> decode_frame(Bytes bytes);

}  // namespace mainstay::wire
