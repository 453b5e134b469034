// Batches of commands and the rows of the record store. Schema: schemas/record.capnp.
#include "runtime/base/limits.hpp"
#include "runtime/wire/codec.hpp"
#include "runtime/wire/sealed_message.hpp"
#include "schemas/record.capnp.h"

namespace mainstay::wire {

namespace {

// Rows hold one value and a few short fields.
constexpr std::size_t row_bytes_max = limits::record_value_bytes_max + 4 * limits::kib;
constexpr std::size_t batch_sealed_bytes_max = limits::frame_bytes_max;

// --- commands ---

std::size_t condition_words(const record::Condition& condition) {
  if (condition == record::Condition{}) return 0;
  return words_of<schema::Condition> + condition.version_is_not.size();
}

std::size_t command_words(const record::Command& command) {
  return words_of<schema::Command> + text_words(command.operation) +
         text_words(command.collection) + text_words(command.key) +
         data_words(command.value.view()) + condition_words(command.condition);
}

void write_condition(schema::Condition::Builder out, const record::Condition& condition) {
  out.setHasVersionIs(condition.version_is.has_value());
  out.setVersionIs(condition.version_is.value_or(0));
  out.setMustExist(condition.must_exist);
  out.setMustBeAbsent(condition.must_be_absent);
  if (condition.version_is_not.empty()) return;
  auto versions = out.initVersionIsNot(static_cast<unsigned>(condition.version_is_not.size()));
  for (unsigned i = 0; i < versions.size(); ++i) versions.set(i, condition.version_is_not[i]);
}

Result<record::Condition> read_condition(schema::Condition::Reader in) {
  record::Condition condition;
  if (in.getHasVersionIs()) condition.version_is = in.getVersionIs();
  condition.must_exist = in.getMustExist();
  condition.must_be_absent = in.getMustBeAbsent();
  const auto versions = in.getVersionIsNot();
  if (versions.size() > limits::condition_versions_max)
    return fail(Errc::corrupt, "condition: too many versions");
  for (const record::Version version : versions) condition.version_is_not.push_back(version);
  return condition;
}

void write_command(schema::Command::Builder out, const record::Command& command) {
  out.setKind(static_cast<schema::CommandKind>(command.kind));
  write_hash(out.initRequestHash(), command.request_hash);
  out.setOperation(text_of(command.operation));
  out.setCollection(text_of(command.collection));
  out.setKey(text_of(command.key));
  if (!command.value.empty()) out.setValue(data_of(command.value.view()));
  if (command.condition != record::Condition{})
    write_condition(out.initCondition(), command.condition);
}

Result<record::CommandKind> read_kind(schema::CommandKind kind) {
  switch (kind) {
    case schema::CommandKind::PUT:
      return record::CommandKind::put;
    case schema::CommandKind::REMOVE:
      return record::CommandKind::remove;
  }
  return fail(Errc::wrong_version, "command: this release does not know its kind");
}

Result<record::Command> read_command(schema::Command::Reader in, const Bytes& message) {
  record::Command command;
  TRY_ASSIGN(command.kind, read_kind(in.getKind()));
  command.request_hash = read_hash(in.getRequestHash());
  TRY_ASSIGN(command.operation,
             read_text(in.getOperation(), limits::operation_id_bytes_max, "operation id"));
  TRY_ASSIGN(command.collection,
             read_text(in.getCollection(), limits::collection_name_bytes_max, "collection"));
  TRY_ASSIGN(command.key, read_text(in.getKey(), limits::record_key_bytes_max, "key"));
  command.value = slice_of(message, in.getValue());
  if (command.value.size() > limits::record_value_bytes_max)
    return fail(Errc::corrupt, "command: the value is too large");
  if (in.hasCondition()) {
    TRY_ASSIGN(command.condition, read_condition(in.getCondition()));
  }
  return command;
}

Result<record::Batch> read_batch(schema::Batch::Reader in, const Bytes& message) {
  record::Batch batch;
  batch.origin = NodeId{in.getOrigin()};
  batch.origin_boot = BootId{in.getOriginBoot()};
  batch.sequence = in.getSequence();
  const auto commands = in.getCommands();
  if (commands.size() > limits::batch_commands_max)
    return fail(Errc::corrupt, "batch: too many commands");
  batch.commands.reserve(commands.size());
  for (const auto command : commands) {
    TRY_ASSIGN(auto value, read_command(command, message));
    batch.commands.push_back(std::move(value));
  }
  return batch;
}

Result<record::LogBatch> read_log_batch(schema::LogBatch::Reader in, const Bytes& message) {
  record::LogBatch log_batch;
  log_batch.wall_millis = in.getWallMillis();
  for (const auto sealed : in.getBatches()) {
    TRY_ASSIGN(auto batch, decode_batch(slice_of(message, sealed)));
    log_batch.batches.push_back(std::move(batch));
  }
  return log_batch;
}

// --- rows ---

// The Outcome of a row; a refusal this release does not know means that it cannot repeat the
// answer: stop.
Result<std::optional<Errc>> read_refusal(capnp::Text::Reader name) {
  if (name.size() == 0) return std::optional<Errc>{};
  const std::optional<Errc> code = errc_of({name.begin(), name.size()});
  if (!code) return fail(Errc::wrong_version, "operation: this release does not know its refusal");
  return code;
}

Result<record::Record> read_record(schema::Record::Reader in, const Bytes& message) {
  record::Record row;
  row.value = slice_of(message, in.getValue());
  if (row.value.size() > limits::record_value_bytes_max)
    return fail(Errc::corrupt, "record: the value is too large");
  row.version = in.getVersion();
  row.revision = in.getRevision();
  row.created_revision = in.getCreatedRevision();
  row.stamp = {in.getStampMillis(), in.getStampCounter()};
  row.origin_region = in.getOriginRegion();
  row.tombstone = in.getTombstone();
  return row;
}

Result<record::Operation> read_operation(schema::Operation::Reader in) {
  record::Operation row;
  row.request_hash = read_hash(in.getRequestHash());
  row.recorded_millis = in.getRecordedMillis();
  row.outcome.version = in.getVersion();
  row.outcome.revision = in.getRevision();
  row.outcome.created = in.getCreated();
  TRY_ASSIGN(row.outcome.refused, read_refusal(in.getRefused()));
  return row;
}

Result<record::Counters> read_counters(schema::Counters::Reader in) {
  record::Counters row;
  row.applied_index = in.getAppliedIndex();
  row.applied_term = in.getAppliedTerm();
  row.revision = in.getRevision();
  row.stamp = {in.getStampMillis(), in.getStampCounter()};
  row.hash = read_hash(in.getHash());
  row.live_records = in.getLiveRecords();
  row.tombstones = in.getTombstones();
  row.operations = in.getOperations();
  return row;
}

}  // namespace

std::string encode(const record::Batch& batch) {
  std::size_t words = words_of<schema::Batch> + 1;
  for (const auto& command : batch.commands) words += command_words(command);
  return encode_sealed<schema::Batch>(SealKind::batch, words, [&](schema::Batch::Builder out) {
    out.setOrigin(batch.origin.value);
    out.setOriginBoot(batch.origin_boot.value);
    out.setSequence(batch.sequence);
    auto commands = out.initCommands(static_cast<unsigned>(batch.commands.size()));
    for (unsigned i = 0; i < commands.size(); ++i) write_command(commands[i], batch.commands[i]);
  });
}

Result<record::Batch> decode_batch(Bytes bytes) {
  const Bytes message = aligned(std::move(bytes));
  return decode_sealed<schema::Batch, record::Batch>(
      SealKind::batch, message.view(), batch_sealed_bytes_max,
      [&message](schema::Batch::Reader in) { return read_batch(in, message); });
}

std::string encode_log_batch(std::uint64_t wall_millis, const std::vector<Bytes>& encoded_batches) {
  std::size_t words = words_of<schema::LogBatch> + encoded_batches.size();
  for (const Bytes& batch : encoded_batches) words += data_words(batch.view());
  return encode_sealed<schema::LogBatch>(
      SealKind::log_batch, words, [&](schema::LogBatch::Builder out) {
        out.setWallMillis(wall_millis);
        auto batches = out.initBatches(static_cast<unsigned>(encoded_batches.size()));
        for (unsigned i = 0; i < batches.size(); ++i)
          batches.set(i, data_of(encoded_batches[i].view()));
      });
}

Result<record::LogBatch> decode_log_batch(Bytes bytes) {
  const Bytes message = aligned(std::move(bytes));
  return decode_sealed<schema::LogBatch, record::LogBatch>(
      SealKind::log_batch, message.view(), batch_sealed_bytes_max,
      [&message](schema::LogBatch::Reader in) { return read_log_batch(in, message); });
}

std::string encode(const record::Record& row) {
  const std::size_t words = words_of<schema::Record> + data_words(row.value.view());
  return encode_sealed<schema::Record>(SealKind::record, words, [&](schema::Record::Builder out) {
    out.setVersion(row.version);
    out.setRevision(row.revision);
    out.setCreatedRevision(row.created_revision);
    out.setStampMillis(row.stamp.millis);
    out.setStampCounter(row.stamp.counter);
    out.setOriginRegion(row.origin_region);
    out.setTombstone(row.tombstone);
    if (!row.value.empty()) out.setValue(data_of(row.value.view()));
  });
}

Result<record::Record> decode_record(std::string_view bytes) {
  // One copy serves both: it aligns the message and outlives the database page.
  const Bytes message{std::string{bytes}};
  return decode_sealed<schema::Record, record::Record>(
      SealKind::record, message.view(), row_bytes_max,
      [&message](schema::Record::Reader in) { return read_record(in, message); });
}

std::string encode(const record::Operation& row) {
  const std::size_t words = words_of<schema::Operation> + 4;
  return encode_sealed<schema::Operation>(SealKind::operation, words,
                                          [&](schema::Operation::Builder out) {
                                            write_hash(out.initRequestHash(), row.request_hash);
                                            out.setRecordedMillis(row.recorded_millis);
                                            out.setVersion(row.outcome.version);
                                            out.setRevision(row.outcome.revision);
                                            out.setCreated(row.outcome.created);
                                            if (row.outcome.refused)
                                              out.setRefused(refusal_name(*row.outcome.refused));
                                          });
}

Result<record::Operation> decode_operation(std::string_view bytes) {
  const Bytes message{std::string{bytes}};
  return decode_sealed<schema::Operation, record::Operation>(SealKind::operation, message.view(),
                                                             row_bytes_max, read_operation);
}

std::string encode(const record::Counters& row) {
  return encode_sealed<schema::Counters>(SealKind::counters, words_of<schema::Counters>,
                                         [&](schema::Counters::Builder out) {
                                           out.setAppliedIndex(row.applied_index);
                                           out.setAppliedTerm(row.applied_term);
                                           out.setRevision(row.revision);
                                           out.setStampMillis(row.stamp.millis);
                                           out.setStampCounter(row.stamp.counter);
                                           write_hash(out.initHash(), row.hash);
                                           out.setLiveRecords(row.live_records);
                                           out.setTombstones(row.tombstones);
                                           out.setOperations(row.operations);
                                         });
}

Result<record::Counters> decode_counters(std::string_view bytes) {
  const Bytes message{std::string{bytes}};
  return decode_sealed<schema::Counters, record::Counters>(SealKind::counters, message.view(),
                                                           row_bytes_max, read_counters);
}

}  // namespace mainstay::wire
