// A limit for everything: sizes, counts and times, the unit last in each name. Relations between
// limits are checked here, at compile time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mainstay::limits {

inline constexpr std::size_t kib = 1024;
inline constexpr std::size_t mib = 1024 * kib;

// --- records ---
inline constexpr std::size_t collection_name_bytes_max = 64;
// LMDB keys end at 511 bytes; the rest is the table prefix, the collection id and the terminator.
inline constexpr std::size_t record_key_bytes_max = 400;
inline constexpr std::size_t record_value_bytes_max = 1 * mib;
inline constexpr std::size_t operation_id_bytes_max = 128;
inline constexpr std::size_t list_records_max = 1000;
inline constexpr std::size_t transaction_checks_max = 256;  // of records and balances together
inline constexpr std::size_t transaction_actions_max = 256;
inline constexpr std::size_t batch_operations_max = 1000;  // independent writes of one request
inline constexpr std::size_t condition_fields_max = 16;    // compared in one condition
inline constexpr std::size_t pointer_bytes_max = 256;      // of a JSON pointer
inline constexpr std::size_t refusal_bytes_max = 256;      // the detail kept with a refusal
inline constexpr std::size_t collections_max = 4096;
inline constexpr std::size_t declaration_bytes_max = 64 * kib;
inline constexpr std::size_t schema_bytes_max = 48 * kib;
inline constexpr std::size_t index_name_bytes_max = 32;
inline constexpr std::size_t indexes_max = 16;  // of one collection
// taken into indexes that are being built, in one applied entry
inline constexpr std::size_t index_build_records = 256;
inline constexpr std::size_t index_build_bytes = 4 * mib;
// Stored values that are read, parsed and superseded: a small command can ask for a lot of that.
inline constexpr std::size_t command_read_bytes_max = 16 * mib;
inline constexpr std::size_t entry_read_bytes_max = 32 * mib;  // beyond it, commands are busy
inline constexpr std::size_t ledger_dimensions_max = 8;
inline constexpr std::size_t ledger_exceptions_max = 64;
inline constexpr std::size_t balance_key_bytes_max = 400;

// --- replicated log ---
inline constexpr std::size_t batch_commands_max = 1024;
inline constexpr std::size_t batch_bytes_max = 2 * mib;
// entries in one AppendEntries; one larger entry travels alone
inline constexpr std::size_t append_bytes_max = 1 * mib;
inline constexpr std::size_t inflight_appends_max = 256;     // window of one follower
inline constexpr std::size_t inflight_bytes_max = 16 * mib;  // the same in bytes
inline constexpr std::size_t uncommitted_bytes_max = 64 * mib;
// Written to the journal between two checkpoints of the log; what a restart replays at most twice.
inline constexpr std::size_t journal_bytes = 16 * mib;
inline constexpr std::size_t apply_bytes_max = 4 * mib;  // entries in one apply transaction
inline constexpr std::size_t members_max = 16;

// --- stores ---
inline constexpr std::size_t lmdb_key_bytes_max = 511;  // of Debian's build
// newest entries kept decoded in memory for followers
inline constexpr std::size_t log_tail_bytes_max = 32 * mib;
// elections remembered in memory; older ones are read from disk
inline constexpr std::size_t log_term_runs_max = 4096;
// removed from the log's front in one commit
inline constexpr std::size_t compact_entries_max = 8192;
inline constexpr std::size_t record_readers_max = 4096;  // open read views of one node
inline constexpr std::size_t idle_readers_max = 64;      // closed read views kept for reuse
// an installation waits this long for open views
inline constexpr std::uint32_t view_wait_ms_max = 5000;
// a scrub reads so much in one transaction, which pins what was freed since it began
inline constexpr std::size_t scrub_piece_bytes = 16 * mib;
// rows written during one such piece; a scrub that meets more gives up until the next time
inline constexpr std::size_t scrub_changes_max = 262'144;
inline constexpr std::size_t snapshot_id_bytes_max = 128;
inline constexpr std::size_t identity_bytes_max = 64 * kib;  // of identity.json

// --- timers ---
inline constexpr std::uint32_t tick_ms = 10;
inline constexpr std::uint32_t heartbeat_ms = 50;
inline constexpr std::uint32_t election_ms_min = 200;
inline constexpr std::uint32_t election_ms_max = 300;
// a leader whose own write takes longer hands over
inline constexpr std::uint32_t disk_stall_ms_max = 400;
// how often replicas compare their state hashes
inline constexpr std::uint32_t state_check_ms = 1000;

// --- wire ---
inline constexpr std::size_t frame_bytes_max = 8 * mib;
inline constexpr std::size_t frame_messages_max = 1024;
inline constexpr std::size_t address_bytes_max = 256;      // host:port
inline constexpr std::size_t release_bytes_max = 64;       // "0.5.0" and what distributions add
inline constexpr std::size_t frame_text_bytes_max = 4096;  // an error message for people
inline constexpr std::size_t condition_versions_max = 64;  // of one If-None-Match
// a peer that reads slower than this is cut off
inline constexpr std::size_t link_output_bytes_max = 32 * mib;
inline constexpr std::size_t snapshot_chunk_bytes = 256 * kib;
inline constexpr std::size_t snapshot_chunks_in_flight_max = 4;

// --- integration ---
inline constexpr std::size_t mapping_rules_max = 4096;  // of one mapping
inline constexpr std::size_t mapping_depth_max = 24;    // rules inside one another
inline constexpr std::size_t mapping_table_rows_max = 10'000;
inline constexpr std::size_t mapping_outputs_max = 200;  // records and effects of one document
inline constexpr std::size_t mapping_steps_max = 1'000'000;
inline constexpr std::size_t mapping_output_bytes_max = 4 * mib;
inline constexpr std::size_t mapping_unmapped_max = 256;  // reported
inline constexpr std::size_t key_part_bytes_max = 120;    // of a record key made of several parts
inline constexpr std::size_t fingerprint_fields_max = 2048;
inline constexpr std::size_t fingerprint_changes_max = 32;
// so many documents without a change make a field one that is always there
inline constexpr std::uint64_t fingerprint_documents = 50;
inline constexpr std::size_t reconcile_items_max = 2'000'000;  // compared in one run
inline constexpr std::size_t discrepancies_max = 10'000;       // of one run; more is a mistake
inline constexpr std::size_t discrepancy_fields_max = 20;
inline constexpr std::size_t discrepancy_value_bytes_max = 512;  // told of one value

// --- gateway ---
inline constexpr std::size_t gateway_buffer_bytes_max = 64 * mib;
inline constexpr std::size_t gateway_requests_max = 65536;
// feeds that wait for a new revision, on one node
inline constexpr std::size_t gateway_feeds_max = 32768;
// a request's own deadline when it names none
inline constexpr std::uint32_t request_ms_default = 10'000;
inline constexpr std::uint32_t request_ms_max = 60'000;

// --- http ---
inline constexpr std::size_t http_header_bytes_max = 16 * kib;
inline constexpr std::size_t http_body_bytes_max = 2 * mib;
inline constexpr std::size_t http_connections_max = 20'000;

// --- admission ---
// Tokens that this node does not know and looks for once more at a time, and for how long: whoever
// has no token must not make the cluster work.
inline constexpr std::size_t token_looks_max = 32;
inline constexpr std::uint32_t token_look_ms_max = 2000;
// Entries of the audit trail about administrative calls that were denied: so many, then one a
// minute.
inline constexpr std::size_t denial_entries_max = 10;
inline constexpr std::uint32_t denial_entry_ms = 60'000;

// --- operations ---
// how long operation ids, the timeline, superseded versions and tombstones are kept
inline constexpr std::uint64_t retention_window_ms = 48ULL * 3600 * 1000;
// rows that leave with one applied entry, or twice what it adds if that is more: so that what is
// due does not pile up, however large the entries are
inline constexpr std::size_t expire_rows_min = 4096;
inline constexpr std::size_t expire_row_bytes =
    16 * kib;  // a larger version counts as several rows

static_assert(mapping_outputs_max + 8 <= transaction_actions_max,
              "what a document means is committed at once, with the hub's own records");
static_assert(3 * key_part_bytes_max + 2 <= record_key_bytes_max);
static_assert(heartbeat_ms * 4 <= election_ms_min, "a lost heartbeat must not start an election");
static_assert(tick_ms * 2 <= heartbeat_ms);
static_assert(election_ms_min < election_ms_max);
static_assert(record_value_bytes_max + record_key_bytes_max < batch_bytes_max);
static_assert(batch_bytes_max + append_bytes_max < frame_bytes_max);
static_assert(log_tail_bytes_max >= inflight_bytes_max,
              "a window to a healthy follower comes from memory");
static_assert(8 + 1 + collection_name_bytes_max + 1 + record_key_bytes_max + 1 + 8 <=
                  lmdb_key_bytes_max,
              "an expiry's key, and so a record's and a superseded version's");
static_assert(8 + 1 + 1 + operation_id_bytes_max + 1 + 8 <= lmdb_key_bytes_max,
              "the key of an operation's expiry");
static_assert(collection_name_bytes_max + 1 + balance_key_bytes_max <= lmdb_key_bytes_max);
static_assert(frame_bytes_max < link_output_bytes_max);
static_assert(record_value_bytes_max <= http_body_bytes_max);
static_assert(command_read_bytes_max < entry_read_bytes_max, "every command gets its turn");
static_assert(snapshot_chunk_bytes * snapshot_chunks_in_flight_max < link_output_bytes_max);

}  // namespace mainstay::limits
