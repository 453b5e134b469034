// Parts of log values that frames carry too. Only for the .cpp files of this folder (see
// sealed_message.hpp).
#pragma once

#include "runtime/consensus/types.hpp"
#include "runtime/wire/sealed_message.hpp"
#include "schemas/log.capnp.h"

namespace mainstay::wire {

// Words below the pointer, the struct itself included.
std::size_t words_below(const consensus::Member& member);
std::size_t words_below(const consensus::Membership& membership);
std::size_t words_below(const consensus::Entry& entry);
std::size_t words_below(const consensus::SnapshotMeta& snapshot);

void write_member(schema::Member::Builder out, const consensus::Member& member);
void write_membership(schema::Membership::Builder out, const consensus::Membership& membership);
void write_entry(schema::Entry::Builder out, const consensus::Entry& entry);
void write_snapshot(schema::SnapshotMeta::Builder out, const consensus::SnapshotMeta& snapshot);

// Errors: corrupt, wrong_version (an enum value of a later release). Payloads share `message`.
Result<consensus::Member> read_member(schema::Member::Reader in);
Result<consensus::Membership> read_membership(schema::Membership::Reader in);
Result<consensus::Entry> read_entry(schema::Entry::Reader in, const Bytes& message);
Result<consensus::SnapshotMeta> read_snapshot(schema::SnapshotMeta::Reader in);

}  // namespace mainstay::wire
