// Batches of commands, as they travel and stand in the log. Schema: schemas/record.capnp.
#include "runtime/base/limits.hpp"
#include "runtime/wire/codec.hpp"
#include "runtime/wire/record_words.hpp"

namespace mainstay::wire {

namespace {

constexpr std::size_t batch_sealed_bytes_max = limits::frame_bytes_max;
// Texts whose own limit depends on the state (values of dimensions) or is the proposer's alone: a
// batch that was committed must be readable on every replica, so only its whole size bounds them.
constexpr std::size_t any_text_bytes_max = batch_sealed_bytes_max;

// --- conditions ---

std::size_t condition_words(const record::Condition& condition) {
  return words_of<schema::Condition> + condition.version_is_not.size() +
         list_words<schema::FieldCondition>(condition.fields, [](const auto& field) {
           return text_words(field.pointer) + data_words(field.equals.view());
         });
}

void write_condition(schema::Condition::Builder out, const record::Condition& condition) {
  out.setHasVersionIs(condition.version_is.has_value());
  out.setVersionIs(condition.version_is.value_or(0));
  out.setMustExist(condition.must_exist);
  out.setMustBeAbsent(condition.must_be_absent);
  if (!condition.version_is_not.empty()) {
    auto versions = out.initVersionIsNot(static_cast<unsigned>(condition.version_is_not.size()));
    for (unsigned i = 0; i < versions.size(); ++i) versions.set(i, condition.version_is_not[i]);
  }
  if (condition.fields.empty()) return;
  write_list<schema::FieldCondition>(
      out.initFields(static_cast<unsigned>(condition.fields.size())), condition.fields,
      [](schema::FieldCondition::Builder field, const record::Condition::Field& value) {
        field.setPointer(text_of(value.pointer));
        field.setEquals(data_of(value.equals.view()));
      });
}

Result<record::Condition::Field> read_field(schema::FieldCondition::Reader in,
                                            const Bytes& message) {
  record::Condition::Field field;
  TRY_ASSIGN(field.pointer, read_text(in.getPointer(), any_text_bytes_max, "pointer"));
  field.equals = slice_of(message, in.getEquals());
  return field;
}

Result<record::Condition> read_condition(schema::Condition::Reader in, const Bytes& message) {
  record::Condition condition;
  if (in.getHasVersionIs()) condition.version_is = in.getVersionIs();
  condition.must_exist = in.getMustExist();
  condition.must_be_absent = in.getMustBeAbsent();
  const auto versions = in.getVersionIsNot();
  if (versions.size() > limits::condition_versions_max)
    return fail(Errc::corrupt, "condition: too many versions");
  for (const record::Version version : versions) condition.version_is_not.push_back(version);
  TRY_ASSIGN(condition.fields,
             read_list<record::Condition::Field>(
                 in.getFields(), limits::condition_fields_max, "condition's fields",
                 [&message](auto field) { return read_field(field, message); }));
  return condition;
}

// --- the parts of a command ---

std::size_t check_words(const record::RecordCheck& check) {
  return text_words(check.collection) + text_words(check.key) + condition_words(check.condition);
}

void write_check(schema::RecordCheck::Builder out, const record::RecordCheck& check) {
  out.setCollection(text_of(check.collection));
  out.setKey(text_of(check.key));
  write_condition(out.initCondition(), check.condition);
}

Result<record::RecordCheck> read_check(schema::RecordCheck::Reader in, const Bytes& message) {
  record::RecordCheck check;
  TRY_ASSIGN(check.collection,
             read_text(in.getCollection(), limits::collection_name_bytes_max, "collection"));
  TRY_ASSIGN(check.key, read_text(in.getKey(), limits::record_key_bytes_max, "key"));
  TRY_ASSIGN(check.condition, read_condition(in.getCondition(), message));
  return check;
}

std::size_t balance_words(const record::BalanceCheck& check) {
  return text_words(check.collection) + words_of<schema::Decimal> +
         list_words<schema::Dimension>(check.dimensions, [](const auto& dimension) {
           return text_words(dimension.first) + text_words(dimension.second);
         });
}

void write_balance(schema::BalanceCheck::Builder out, const record::BalanceCheck& check) {
  out.setCollection(text_of(check.collection));
  write_list<schema::Dimension>(
      out.initDimensions(static_cast<unsigned>(check.dimensions.size())), check.dimensions,
      [](schema::Dimension::Builder dimension, const record::Dimensions::value_type& value) {
        dimension.setName(text_of(value.first));
        dimension.setValue(text_of(value.second));
      });
  write_decimal(out.initAtLeast(), check.at_least);
}

Result<record::Dimensions::value_type> read_dimension(schema::Dimension::Reader in) {
  record::Dimensions::value_type dimension;
  TRY_ASSIGN(dimension.first, read_text(in.getName(), any_text_bytes_max, "dimension"));
  TRY_ASSIGN(dimension.second, read_text(in.getValue(), any_text_bytes_max, "dimension's value"));
  return dimension;
}

Result<record::BalanceCheck> read_balance(schema::BalanceCheck::Reader in) {
  record::BalanceCheck check;
  TRY_ASSIGN(check.collection,
             read_text(in.getCollection(), limits::collection_name_bytes_max, "collection"));
  TRY_ASSIGN(check.dimensions, read_list<record::Dimensions::value_type>(
                                   in.getDimensions(), limits::ledger_dimensions_max,
                                   "balance's dimensions", read_dimension));
  TRY_ASSIGN(check.at_least, read_decimal(in.getAtLeast()));
  return check;
}

std::size_t action_words(const record::Action& action) {
  return text_words(action.collection) + text_words(action.key) + data_words(action.value.view());
}

void write_action(schema::Action::Builder out, const record::Action& action) {
  out.setKind(static_cast<schema::ActionKind>(action.kind));
  out.setCollection(text_of(action.collection));
  out.setKey(text_of(action.key));
  if (!action.value.empty()) out.setValue(data_of(action.value.view()));
}

Result<record::ActionKind> read_kind(schema::ActionKind kind) {
  if (kind > schema::ActionKind::UNDECLARE)
    return fail(Errc::wrong_version, "action: this release does not know its kind");
  return static_cast<record::ActionKind>(kind);
}

static_assert(static_cast<int>(schema::ActionKind::UNDECLARE) ==
              static_cast<int>(record::ActionKind::undeclare));

Result<record::Action> read_action(schema::Action::Reader in, const Bytes& message) {
  record::Action action;
  TRY_ASSIGN(action.kind, read_kind(in.getKind()));
  TRY_ASSIGN(action.collection,
             read_text(in.getCollection(), limits::collection_name_bytes_max, "collection"));
  TRY_ASSIGN(action.key, read_text(in.getKey(), limits::record_key_bytes_max, "key"));
  action.value = slice_of(message, in.getValue());
  if (action.value.size() > limits::record_value_bytes_max)
    return fail(Errc::corrupt, "action: the value is too large");
  return action;
}

// --- commands ---

// Below its struct.
std::size_t command_words(const record::Command& command) {
  return text_words(command.operation) +
         list_words<schema::RecordCheck>(command.checks, check_words) +
         list_words<schema::BalanceCheck>(command.balances, balance_words) +
         list_words<schema::Action>(command.actions, action_words);
}

void write_command(schema::Command::Builder out, const record::Command& command) {
  const auto size = [](const auto& items) { return static_cast<unsigned>(items.size()); };
  out.setKind(static_cast<schema::CommandKind>(command.kind));
  write_hash(out.initRequestHash(), command.request_hash);
  out.setOperation(text_of(command.operation));
  if (!command.checks.empty())
    write_list<schema::RecordCheck>(out.initChecks(size(command.checks)), command.checks,
                                    write_check);
  if (!command.balances.empty())
    write_list<schema::BalanceCheck>(out.initBalances(size(command.balances)), command.balances,
                                     write_balance);
  if (!command.actions.empty())
    write_list<schema::Action>(out.initActions(size(command.actions)), command.actions,
                               write_action);
}

Result<record::CommandKind> read_kind(schema::CommandKind kind) {
  if (kind > schema::CommandKind::FENCE)
    return fail(Errc::wrong_version, "command: this release does not know its kind");
  return static_cast<record::CommandKind>(kind);
}

static_assert(static_cast<int>(schema::CommandKind::FENCE) ==
              static_cast<int>(record::CommandKind::fence));

Result<record::Command> read_command(schema::Command::Reader in, const Bytes& message) {
  record::Command command;
  TRY_ASSIGN(command.kind, read_kind(in.getKind()));
  command.request_hash = read_hash(in.getRequestHash());
  TRY_ASSIGN(command.operation,
             read_text(in.getOperation(), limits::operation_id_bytes_max, "operation id"));
  TRY_ASSIGN(command.checks, read_list<record::RecordCheck>(
                                 in.getChecks(), limits::transaction_checks_max, "command's checks",
                                 [&message](auto check) { return read_check(check, message); }));
  TRY_ASSIGN(command.balances,
             read_list<record::BalanceCheck>(in.getBalances(), limits::transaction_checks_max,
                                             "command's balance checks", read_balance));
  TRY_ASSIGN(command.actions,
             read_list<record::Action>(
                 in.getActions(), limits::transaction_actions_max, "command's actions",
                 [&message](auto action) { return read_action(action, message); }));
  return command;
}

// --- batches ---

Result<record::Batch> read_batch(schema::Batch::Reader in, const Bytes& message) {
  record::Batch batch;
  batch.origin = NodeId{in.getOrigin()};
  batch.origin_boot = BootId{in.getOriginBoot()};
  batch.sequence = in.getSequence();
  TRY_ASSIGN(batch.commands,
             read_list<record::Command>(
                 in.getCommands(), limits::batch_commands_max, "batch's commands",
                 [&message](auto command) { return read_command(command, message); }));
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

}  // namespace

std::string encode(const record::Batch& batch) {
  const std::size_t words =
      words_of<schema::Batch> + 1 + list_words<schema::Command>(batch.commands, command_words);
  return encode_sealed<schema::Batch>(SealKind::batch, words, [&](schema::Batch::Builder out) {
    out.setOrigin(batch.origin.value);
    out.setOriginBoot(batch.origin_boot.value);
    out.setSequence(batch.sequence);
    write_list<schema::Command>(out.initCommands(static_cast<unsigned>(batch.commands.size())),
                                batch.commands, write_command);
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

}  // namespace mainstay::wire
