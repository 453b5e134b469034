// Values of the log store. Schema: schemas/log.capnp.
#include "runtime/wire/log_codec.hpp"

#include "runtime/base/limits.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::wire {

namespace {

// Memberships, snapshot descriptions and hard states are small; entries carry a payload.
constexpr std::size_t small_bytes_max = 64 * limits::kib;
constexpr std::size_t entry_bytes_max = limits::frame_bytes_max + small_bytes_max;

static_assert(limits::members_max * (2 * limits::address_bytes_max + 128) < small_bytes_max);

Result<consensus::MemberRole> read_role(schema::MemberRole role) {
  switch (role) {
    case schema::MemberRole::LEARNER:
      return consensus::MemberRole::learner;
    case schema::MemberRole::VOTER:
      return consensus::MemberRole::voter;
  }
  return fail(Errc::wrong_version, "member: this release does not know its role");
}

Result<consensus::EntryKind> read_kind(schema::EntryKind kind) {
  switch (kind) {
    case schema::EntryKind::NOOP:
      return consensus::EntryKind::noop;
    case schema::EntryKind::BATCH:
      return consensus::EntryKind::batch;
    case schema::EntryKind::MEMBERSHIP:
      return consensus::EntryKind::membership;
    case schema::EntryKind::CHECK:
      return consensus::EntryKind::check;
  }
  return fail(Errc::wrong_version, "log entry: this release does not know its kind");
}

}  // namespace

std::size_t words_below(const consensus::Member& member) {
  return words_of<schema::Member> + text_words(member.peer_address) +
         text_words(member.api_address);
}

std::size_t words_below(const consensus::Membership& membership) {
  std::size_t words = words_of<schema::Membership> + 1;
  for (const auto& member : membership.members) words += words_below(member);
  return words;
}

std::size_t words_below(const consensus::Entry& entry) {
  return words_of<schema::Entry> + data_words(entry.payload.view()) +
         (entry.membership != nullptr ? words_below(*entry.membership) : 0);
}

std::size_t words_below(const consensus::SnapshotMeta& snapshot) {
  return words_of<schema::SnapshotMeta> + text_words(snapshot.id) +
         words_below(snapshot.membership);
}

void write_member(schema::Member::Builder out, const consensus::Member& member) {
  out.setId(member.id.value);
  out.setIncarnation(member.incarnation.value);
  out.setRole(static_cast<schema::MemberRole>(member.role));
  out.setAutoPromote(member.auto_promote);
  out.setPeerAddress(text_of(member.peer_address));
  out.setApiAddress(text_of(member.api_address));
}

void write_membership(schema::Membership::Builder out, const consensus::Membership& membership) {
  auto members = out.initMembers(static_cast<unsigned>(membership.members.size()));
  for (unsigned i = 0; i < members.size(); ++i) write_member(members[i], membership.members[i]);
}

void write_entry(schema::Entry::Builder out, const consensus::Entry& entry) {
  out.setIndex(entry.index);
  out.setTerm(entry.term);
  out.setKind(static_cast<schema::EntryKind>(entry.kind));
  if (!entry.payload.empty()) out.setPayload(data_of(entry.payload.view()));
  if (entry.membership != nullptr) write_membership(out.initMembership(), *entry.membership);
}

void write_snapshot(schema::SnapshotMeta::Builder out, const consensus::SnapshotMeta& snapshot) {
  out.setIndex(snapshot.index);
  out.setTerm(snapshot.term);
  out.setBytes(snapshot.bytes);
  write_hash(out.initChecksum(), snapshot.checksum);
  out.setId(text_of(snapshot.id));
  write_membership(out.initMembership(), snapshot.membership);
}

Result<consensus::Member> read_member(schema::Member::Reader in) {
  consensus::Member member;
  member.id = NodeId{in.getId()};
  member.incarnation = Incarnation{in.getIncarnation()};
  TRY_ASSIGN(member.role, read_role(in.getRole()));
  member.auto_promote = in.getAutoPromote();
  TRY_ASSIGN(member.peer_address,
             read_text(in.getPeerAddress(), limits::address_bytes_max, "peer address"));
  TRY_ASSIGN(member.api_address,
             read_text(in.getApiAddress(), limits::address_bytes_max, "api address"));
  return member;
}

Result<consensus::Membership> read_membership(schema::Membership::Reader in) {
  consensus::Membership membership;
  const auto members = in.getMembers();
  if (members.size() > limits::members_max)
    return fail(Errc::corrupt, "membership: too many members");
  for (const auto reader : members) {
    TRY_ASSIGN(auto member, read_member(reader));
    if (!membership.members.empty() && !(membership.members.back().id < member.id))
      return fail(Errc::corrupt, "membership: members are not sorted by id");
    membership.members.push_back(std::move(member));
  }
  return membership;
}

Result<consensus::Entry> read_entry(schema::Entry::Reader in, const Bytes& message) {
  consensus::Entry entry;
  entry.index = in.getIndex();
  entry.term = in.getTerm();
  TRY_ASSIGN(entry.kind, read_kind(in.getKind()));
  entry.payload = slice_of(message, in.getPayload());
  if (in.hasMembership()) {
    TRY_ASSIGN(auto membership, read_membership(in.getMembership()));
    entry.membership = std::make_shared<const consensus::Membership>(std::move(membership));
  }
  if ((entry.kind == consensus::EntryKind::membership) != (entry.membership != nullptr))
    return fail(Errc::corrupt, "log entry: kind and membership do not fit");
  return entry;
}

Result<consensus::SnapshotMeta> read_snapshot(schema::SnapshotMeta::Reader in) {
  consensus::SnapshotMeta snapshot;
  snapshot.index = in.getIndex();
  snapshot.term = in.getTerm();
  snapshot.bytes = in.getBytes();
  snapshot.checksum = read_hash(in.getChecksum());
  TRY_ASSIGN(snapshot.id, read_text(in.getId(), limits::snapshot_id_bytes_max, "snapshot id"));
  TRY_ASSIGN(snapshot.membership, read_membership(in.getMembership()));
  return snapshot;
}

std::string encode(const consensus::Entry& entry) {
  return encode_sealed<schema::Entry>(SealKind::entry, words_below(entry),
                                      [&](schema::Entry::Builder out) { write_entry(out, entry); });
}

Result<consensus::Entry> decode_entry(Bytes bytes) {
  const Bytes message = aligned(std::move(bytes));
  return decode_sealed<schema::Entry, consensus::Entry>(
      SealKind::entry, message.view(), entry_bytes_max,
      [&message](schema::Entry::Reader in) { return read_entry(in, message); });
}

std::string encode(const consensus::HardState& state) {
  return encode_sealed<schema::HardState>(SealKind::hard_state, words_of<schema::HardState>,
                                          [&](schema::HardState::Builder out) {
                                            out.setTerm(state.term);
                                            out.setVote(state.vote.value);
                                          });
}

Result<consensus::HardState> decode_hard_state(std::string_view bytes) {
  const Bytes message{std::string{bytes}};
  return decode_sealed<schema::HardState, consensus::HardState>(
      SealKind::hard_state, message.view(), small_bytes_max,
      [](schema::HardState::Reader in) -> Result<consensus::HardState> {
        return consensus::HardState{in.getTerm(), NodeId{in.getVote()}};
      });
}

std::string encode(const consensus::Membership& membership) {
  return encode_sealed<schema::Membership>(
      SealKind::membership, words_below(membership),
      [&](schema::Membership::Builder out) { write_membership(out, membership); });
}

Result<consensus::Membership> decode_membership(std::string_view bytes) {
  const Bytes message{std::string{bytes}};
  return decode_sealed<schema::Membership, consensus::Membership>(
      SealKind::membership, message.view(), small_bytes_max, read_membership);
}

std::string encode(const consensus::SnapshotMeta& snapshot) {
  return encode_sealed<schema::SnapshotMeta>(
      SealKind::snapshot_meta, words_below(snapshot),
      [&](schema::SnapshotMeta::Builder out) { write_snapshot(out, snapshot); });
}

Result<consensus::SnapshotMeta> decode_snapshot_meta(std::string_view bytes) {
  const Bytes message{std::string{bytes}};
  return decode_sealed<schema::SnapshotMeta, consensus::SnapshotMeta>(
      SealKind::snapshot_meta, message.view(), small_bytes_max, read_snapshot);
}

}  // namespace mainstay::wire
