#include "tests/compat/samples.hpp"

#include "runtime/wire/codec.hpp"
#include "runtime/wire/frame.hpp"

namespace mainstay::compat {

namespace {

using consensus::EntryKind;
using consensus::MemberRole;

// --- values ---

consensus::Member member(std::uint64_t id, MemberRole role) {
  const std::string host = "node-" + std::to_string(id) + ".plant.example";
  return {NodeId{id},     Incarnation{0x1111'1111'1111'1111 * id},
          role,           role == MemberRole::learner,
          host + ":7400", host + ":7401"};
}

consensus::Membership membership() {
  return {{member(1, MemberRole::voter), member(2, MemberRole::voter), member(3, MemberRole::voter),
           member(4, MemberRole::learner)}};
}

consensus::SnapshotMeta snapshot() {
  return {987'654'321,           42,          membership(),
          "000000003ade68b1-42", 123'456'789, {0x0123456789abcdef, 0xfedcba9876543210}};
}

record::Command put_command() {
  record::Command command;
  command.operation = "0f8fad5b-d9cb-469f-a165-70867728950e";
  command.request_hash = {0x0011223344556677, 0x8899aabbccddeeff};
  command.checks = {{"work-orders", "2026/\xc3\xb6l-4711", {}}};
  command.checks[0].condition.version_is = 7;
  command.checks[0].condition.must_exist = true;
  command.actions = {{record::ActionKind::put, "work-orders", "2026/\xc3\xb6l-4711",
                      Bytes{R"({"material":"\u00f6l","quantity":"12.500","unit":"kg"})"}}};
  return command;
}

record::Command remove_command() {
  record::Command command;
  command.operation = "n1.77.1";
  command.request_hash = {1, 2};
  command.checks = {{"stock", "bin-9", {}}};
  command.checks[0].condition.version_is_not = {1, 2, 3'000'000'000'000};
  command.checks[0].condition.must_be_absent = true;
  command.actions = {{record::ActionKind::remove, "stock", "bin-9", {}}};
  return command;
}

record::Command plain_command() {
  record::Command command = put_command();
  command.checks.clear();
  return command;
}

record::Command fence_command() {
  record::Command command;
  command.kind = record::CommandKind::fence;
  command.operation = "n1.77.2";
  return command;
}

// Everything that a command can hold.
record::Command transaction_command() {
  using Kind = record::ActionKind;
  record::Command command = put_command();
  command.operation = "n1.77.3";
  command.checks[0].condition.fields = {{"/material", Bytes{R"("\u00f6l")"}},
                                        {"/lots/0", Bytes{"1.50"}}};
  command.checks.push_back(remove_command().checks[0]);
  command.balances = {
      {"moves", {{"item", "4711"}, {"location", "R1"}, {"unit", "kg"}}, Decimal{12'500, 3}},
      {"moves", {{"item", "4712"}, {"location", "R1"}, {"unit", "kg"}}, Decimal{-1, 0}}};
  command.actions.push_back({Kind::patch, "work-orders", "2", Bytes{R"({"done":null})"}});
  command.actions.push_back(
      {Kind::post, "moves", "e-1",
       Bytes{R"({"quantity":"5.000","item":"4711","unit":"kg","from":{"location":"R1"},)"
             R"("to":{"location":"R2"}})"}});
  command.actions.push_back(
      {Kind::declare, "_collections", "moves", Bytes{R"({"kind":"ledger"})"}});
  command.actions.push_back({Kind::undeclare, "_collections", "old", {}});
  return command;
}

record::Batch batch() {
  return {NodeId{2}, BootId{0xdeadbeefcafef00d}, 99, {put_command(), remove_command()}};
}

record::Batch batch_of_all() {
  return {NodeId{2}, BootId{0xdeadbeefcafef00d}, 100, {transaction_command(), fence_command()}};
}

std::string log_batch_bytes() {
  const record::Batch other{NodeId{3}, BootId{5}, 1, {plain_command()}};
  return wire::encode_log_batch(1'795'000'000'123,
                                {Bytes{wire::encode(batch())}, Bytes{wire::encode(other)}});
}

consensus::Entry entry(EntryKind kind) {
  consensus::Entry value;
  value.index = 1'000'000'007;
  value.term = 43;
  value.kind = kind;
  if (kind == EntryKind::batch) value.payload = Bytes{log_batch_bytes()};
  if (kind == EntryKind::membership)
    value.membership = std::make_shared<const consensus::Membership>(membership());
  return value;
}

consensus::Message message(consensus::MessageType type) {
  consensus::Message value;
  value.type = type;
  value.from = NodeId{1};
  value.to = NodeId{2};
  value.from_incarnation = Incarnation{0x1111111111111111};
  value.to_incarnation = Incarnation{0x2222222222222222};
  value.term = 43;
  value.index = 1'000'000'006;
  value.log_term = 42;
  value.commit = 1'000'000'001;
  value.applied = 999'999'999;
  value.context = 77;
  value.reject = true;
  value.forced = true;
  value.hint_index = 1'000'000'000;
  value.hint_term = 41;
  return value;
}

wire::ConsensusMessages appends() {
  consensus::Message append = message(consensus::MessageType::append);
  append.entries = {entry(EntryKind::batch), entry(EntryKind::membership)};
  consensus::Message pull = message(consensus::MessageType::snapshot);
  pull.snapshot = snapshot();
  return {{append, pull}};
}

// Every type once.
wire::ConsensusMessages one_of_each() {
  wire::ConsensusMessages all;
  for (unsigned type = 0; type <= 12; ++type)
    all.messages.push_back(message(static_cast<consensus::MessageType>(type)));
  return all;
}

wire::Frame frame(wire::Body body) {
  wire::Frame value;
  value.version = 1;
  value.cluster.words = {0x0102030405060708, 0x090a0b0c0d0e0f10};
  value.group = GroupId{1};
  value.from = NodeId{1};
  value.from_incarnation = Incarnation{0x1111111111111111};
  value.from_boot = BootId{0xabcdef};
  value.to = NodeId{2};
  value.to_incarnation = Incarnation{0x2222222222222222};
  value.body = std::move(body);
  return value;
}

// --- samples ---

template <class Decode>
std::function<Result<std::string>(const Bytes&)> through(Decode decode) {
  return [decode](const Bytes& bytes) -> Result<std::string> {
    TRY_ASSIGN(auto value, decode(bytes));
    return wire::encode(value);
  };
}

template <class T, class Decode>
Sample owned(std::string name, const T& value, Decode decode) {
  return {std::move(name), wire::encode(value), through(decode)};
}

template <class T, class Decode>
Sample viewed(std::string name, const T& value, Decode decode) {
  return {std::move(name), wire::encode(value),
          through([decode](const Bytes& bytes) { return decode(bytes.view()); })};
}

Sample framed(std::string name, wire::Body body) {
  return owned("frame-" + std::move(name), frame(std::move(body)), wire::decode_frame);
}

Result<std::string> read_and_write_log_batch(const Bytes& bytes) {
  TRY_ASSIGN(const record::LogBatch log_batch, wire::decode_log_batch(bytes));
  std::vector<Bytes> batches;
  for (const auto& part : log_batch.batches) batches.emplace_back(wire::encode(part));
  return wire::encode_log_batch(log_batch.wall_millis, batches);
}

void add_log_values(std::vector<Sample>& samples) {
  samples.push_back(owned("batch", batch(), wire::decode_batch));
  samples.push_back(owned("batch-all-parts", batch_of_all(), wire::decode_batch));
  samples.push_back({"log-batch", log_batch_bytes(), read_and_write_log_batch});
  samples.push_back(owned("entry-noop", entry(EntryKind::noop), wire::decode_entry));
  samples.push_back(owned("entry-batch", entry(EntryKind::batch), wire::decode_entry));
  samples.push_back(owned("entry-membership", entry(EntryKind::membership), wire::decode_entry));
  samples.push_back(owned("entry-check", entry(EntryKind::check), wire::decode_entry));
  samples.push_back(
      viewed("hard-state", consensus::HardState{43, NodeId{2}}, wire::decode_hard_state));
  samples.push_back(viewed("membership", membership(), wire::decode_membership));
  samples.push_back(viewed("snapshot-meta", snapshot(), wire::decode_snapshot_meta));
}

record::Operation done_operation() {
  record::Operation row;
  row.request_hash = {0x0011223344556677, 0x8899aabbccddeeff};
  row.recorded_millis = 1'795'000'000'123;
  row.outcome.revision = 5000;
  row.outcome.results = {{7, true, true}, {1, false, false}};
  return row;
}

record::Operation refused_operation() {
  record::Operation row;
  row.request_hash = {1, 2};
  row.recorded_millis = 1'795'000'000'124;
  row.outcome.refused = Errc::precondition_failed;
  row.outcome.detail = "the record's version is 6, not 7";
  row.outcome.part = record::Part::check;
  row.outcome.position = 1;
  row.outcome.found_version = 6;
  return row;
}

record::Commit commit() {
  record::Commit row;
  row.revision = 5000;
  row.stamp = {1'795'000'000'123, 8};
  row.operation = "0f8fad5b-d9cb-469f-a165-70867728950e";
  row.changes = {{record::ChangeKind::put, "work-orders", "2026/\xc3\xb6l-4711", 7, 4999},
                 {record::ChangeKind::remove, "stock", "bin-9", 2, 4000}};
  return row;
}

record::Collection collection() {
  record::Collection row;
  row.id = 9;
  row.declared = 4000;
  row.live = 100'000;
  row.tombstones = 17;
  row.bytes = 123'456'789;
  row.next_index = 4;
  row.indexes = {{1, "by-item", true, ""}, {3, "by-lot", false, "2026/\xc3\xb6l-4711"}};
  return row;
}

void add_rows(std::vector<Sample>& samples) {
  const record::Record live{Bytes{R"({"a":[1,2,3]})"}, 7, 5000, 4000,
                            {1'795'000'000'123, 8},    3, false};
  samples.push_back(viewed("record", live, wire::decode_record));
  const record::Record tombstone{{}, 8, 5001, 4000, {1'795'000'000'124, 0}, 3, true};
  samples.push_back(viewed("record-tombstone", tombstone, wire::decode_record));
  samples.push_back(viewed("operation", done_operation(), wire::decode_operation));
  samples.push_back(viewed("operation-refused", refused_operation(), wire::decode_operation));
  samples.push_back(viewed("commit", commit(), wire::decode_commit));
  samples.push_back(viewed("collection", collection(), wire::decode_collection));
  const record::Balance balance{Decimal{12'345'678'901'234'567, 3}, 5000};
  samples.push_back(viewed("balance", balance, wire::decode_balance));
  const record::Balance below{Decimal{-1, 18}, 5001};
  samples.push_back(viewed("balance-below-zero", below, wire::decode_balance));
  record::Counters counters;
  counters.applied_index = 987'654'321;
  counters.applied_term = 42;
  counters.revision = 5001;
  counters.floor = 17;
  counters.stamp = {1'795'000'000'124, 3};
  counters.hash = {0x0123456789abcdef, 0xfedcba9876543210};
  counters.live_records = 1000;
  counters.tombstones = 20;
  counters.operations = 345;
  counters.history = 678;
  counters.balances = 90;
  counters.next_collection = 12;
  samples.push_back(viewed("counters", counters, wire::decode_counters));
}

void add_frames(std::vector<Sample>& samples) {
  samples.push_back(framed("hello", wire::Hello{1, 3, "0.5.0", true, "node-1.plant.example:7400",
                                                "node-1.plant.example:7401"}));
  samples.push_back(
      framed("formation-offer", wire::FormationOffer{ClusterId{{0x0102, 0x0304}}, membership()}));
  samples.push_back(framed("join-request", wire::JoinRequest{member(4, MemberRole::learner)}));
  samples.push_back(framed("consensus-appends", appends()));
  samples.push_back(framed("consensus-each-type", one_of_each()));
  samples.push_back(
      framed("propose-request", wire::ProposeRequest{5, Bytes{wire::encode(batch())}}));
  samples.push_back(
      framed("propose-reply", wire::ProposeReply{5, true, Errc::not_leader, 43, 1'000'000'007}));
  samples.push_back(
      framed("propose-reply-refused", wire::ProposeReply{6, false, Errc::storage_full, 43, 0}));
  samples.push_back(
      framed("snapshot-request", wire::SnapshotRequest{"000000003ade68b1-42", 1'048'576, 262'144}));
  samples.push_back(
      framed("snapshot-chunk", wire::SnapshotChunk{"000000003ade68b1-42", 1'048'576, 0xdeadbeef,
                                                   Bytes{"a piece of a file"}, false}));
  samples.push_back(framed("snapshot-chunk-refused",
                           wire::SnapshotChunk{"000000003ade68b1-42", 1'048'576, 0, {}, true}));
  samples.push_back(framed("state-hash-report", wire::StateHashReport{1'000'000'007, {3, 4}}));
  samples.push_back(
      framed("admin-request", wire::AdminRequest{8, wire::AdminRequest::Kind::promote_member,
                                                 member(4, MemberRole::learner)}));
  samples.push_back(framed("admin-reply", wire::AdminReply{8, true, Errc::not_leader, "done"}));
  samples.push_back(
      framed("admin-reply-refused",
             wire::AdminReply{9, false, Errc::conflict, "another membership change is under way"}));
  samples.push_back(framed("go-away", wire::GoAway{}));
  samples.push_back(framed("clock-report", wire::ClockReport{1'700'000'000'123}));
}

}  // namespace

std::vector<Sample> all_samples() {
  std::vector<Sample> samples;
  add_log_values(samples);
  add_rows(samples);
  add_frames(samples);
  return samples;
}

}  // namespace mainstay::compat
