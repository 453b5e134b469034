// Bytes of everything durable. Schema: schemas/log.capnp and schemas/record.capnp. Encoding the
// same value gives the same bytes; decoders take any bytes and answer `corrupt` for what is not
// theirs. Values of unknown newer kinds answer `wrong_version`: stop, never skip.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/consensus/types.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::wire {

// Log entry payloads. A LogBatch embeds encoded Batches as they came from the accepting nodes,
// without re-encoding them.
std::string encode(const record::Batch& batch);
Result<record::Batch> decode_batch(Bytes bytes);  // values share `bytes`
std::string encode_log_batch(std::uint64_t wall_millis, const std::vector<Bytes>& encoded_batches);
Result<record::LogBatch> decode_log_batch(Bytes bytes);  // values share `bytes`

// Log store values.
std::string encode(const consensus::Entry& entry);
Result<consensus::Entry> decode_entry(Bytes bytes);  // payload shares `bytes`
std::string encode(const consensus::HardState& state);
Result<consensus::HardState> decode_hard_state(std::string_view bytes);
std::string encode(const consensus::Membership& membership);
Result<consensus::Membership> decode_membership(std::string_view bytes);
std::string encode(const consensus::SnapshotMeta& snapshot);
Result<consensus::SnapshotMeta> decode_snapshot_meta(std::string_view bytes);

// Record store values. Decoders copy out of the database page; the values of a decoded row share
// that one copy.
std::string encode(const record::Record& record);
Result<record::Record> decode_record(std::string_view bytes);
std::string encode(const record::Operation& operation);
Result<record::Operation> decode_operation(std::string_view bytes);
std::string encode(const record::Commit& commit);
Result<record::Commit> decode_commit(std::string_view bytes);
std::string encode(const record::Collection& collection);
Result<record::Collection> decode_collection(std::string_view bytes);
std::string encode(const record::Balance& balance);
Result<record::Balance> decode_balance(std::string_view bytes);
std::string encode(const record::Counters& counters);
Result<record::Counters> decode_counters(std::string_view bytes);

}  // namespace mainstay::wire
