// The rows of the record store. Schema: schemas/record.capnp.
#include "runtime/base/limits.hpp"
#include "runtime/wire/codec.hpp"
#include "runtime/wire/record_words.hpp"

namespace mainstay::wire {

namespace {

// A row holds one value and a few short fields, or a transaction's list of changes.
constexpr std::size_t row_bytes_max = limits::record_value_bytes_max + 4 * limits::kib;
constexpr std::size_t change_bytes_max =
    64 + limits::collection_name_bytes_max + limits::record_key_bytes_max;
static_assert(limits::transaction_actions_max * change_bytes_max < row_bytes_max);
// A dropped index keeps its state until its rows are gone, so there can be more than are declared.
constexpr std::size_t collection_indexes_max = 16 * limits::indexes_max;

// Every row is read from a copy: it aligns the message and outlives the database page.
template <class Schema, class Row, class Read>
Result<Row> decode_row(SealKind kind, std::string_view bytes, Read read) {
  const Bytes message{std::string{bytes}};
  return decode_sealed<Schema, Row>(
      kind, message.view(), row_bytes_max,
      [&message, &read](typename Schema::Reader in) { return read(in, message); });
}

// --- records ---

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

// --- operations ---

// A refusal this release does not know means that it cannot repeat the answer: stop.
Result<std::optional<Errc>> read_refusal(capnp::Text::Reader name) {
  if (name.size() == 0) return std::optional<Errc>{};
  const std::optional<Errc> code = errc_of({name.begin(), name.size()});
  if (!code) return fail(Errc::wrong_version, "operation: this release does not know its refusal");
  return code;
}

Result<record::Part> read_part(schema::Part part) {
  if (part > schema::Part::ACTION)
    return fail(Errc::wrong_version, "operation: this release does not know what was refused");
  return static_cast<record::Part>(part);
}

static_assert(static_cast<int>(schema::Part::ACTION) == static_cast<int>(record::Part::action));

Result<record::ActionResult> read_result(schema::ActionResult::Reader in) {
  return record::ActionResult{in.getVersion(), in.getCreated(), in.getChanged()};
}

Result<record::Outcome> read_outcome(schema::Operation::Reader in) {
  record::Outcome outcome;
  outcome.revision = in.getRevision();
  TRY_ASSIGN(outcome.results,
             read_list<record::ActionResult>(in.getResults(), limits::transaction_actions_max,
                                             "operation's results", read_result));
  TRY_ASSIGN(outcome.refused, read_refusal(in.getRefused()));
  TRY_ASSIGN(outcome.detail, read_text(in.getDetail(), limits::refusal_bytes_max, "detail"));
  TRY_ASSIGN(outcome.part, read_part(in.getPart()));
  outcome.position = in.getPosition();
  outcome.found_version = in.getFoundVersion();
  return outcome;
}

Result<record::Operation> read_operation(schema::Operation::Reader in, const Bytes&) {
  record::Operation row;
  row.request_hash = read_hash(in.getRequestHash());
  row.recorded_millis = in.getRecordedMillis();
  TRY_ASSIGN(row.outcome, read_outcome(in));
  return row;
}

void write_outcome(schema::Operation::Builder out, const record::Outcome& outcome) {
  out.setRevision(outcome.revision);
  if (!outcome.results.empty())
    write_list<schema::ActionResult>(
        out.initResults(static_cast<unsigned>(outcome.results.size())), outcome.results,
        [](schema::ActionResult::Builder result, const record::ActionResult& value) {
          result.setVersion(value.version);
          result.setCreated(value.created);
          result.setChanged(value.changed);
        });
  if (outcome.refused) out.setRefused(refusal_name(*outcome.refused));
  if (!outcome.detail.empty()) out.setDetail(text_of(outcome.detail));
  out.setPart(static_cast<schema::Part>(outcome.part));
  out.setPosition(outcome.position);
  out.setFoundVersion(outcome.found_version);
}

// --- the timeline ---

Result<record::ChangeKind> read_kind(schema::ChangeKind kind) {
  if (kind > schema::ChangeKind::REMOVE)
    return fail(Errc::wrong_version, "commit: this release does not know a change's kind");
  return static_cast<record::ChangeKind>(kind);
}

static_assert(static_cast<int>(schema::ChangeKind::REMOVE) ==
              static_cast<int>(record::ChangeKind::remove));

Result<record::Change> read_change(schema::Change::Reader in) {
  record::Change change;
  TRY_ASSIGN(change.kind, read_kind(in.getKind()));
  TRY_ASSIGN(change.collection,
             read_text(in.getCollection(), limits::collection_name_bytes_max, "collection"));
  TRY_ASSIGN(change.key, read_text(in.getKey(), limits::record_key_bytes_max, "key"));
  change.version = in.getVersion();
  change.previous = in.getPrevious();
  return change;
}

void write_change(schema::Change::Builder out, const record::Change& change) {
  out.setKind(static_cast<schema::ChangeKind>(change.kind));
  out.setCollection(text_of(change.collection));
  out.setKey(text_of(change.key));
  out.setVersion(change.version);
  out.setPrevious(change.previous);
}

Result<record::Commit> read_commit(schema::Commit::Reader in, const Bytes&) {
  record::Commit row;
  row.revision = in.getRevision();
  row.stamp = {in.getStampMillis(), in.getStampCounter()};
  TRY_ASSIGN(row.operation,
             read_text(in.getOperation(), limits::operation_id_bytes_max, "operation id"));
  TRY_ASSIGN(row.changes,
             read_list<record::Change>(in.getChanges(), limits::transaction_actions_max,
                                       "commit's changes", read_change));
  return row;
}

// --- collections, balances, counters ---

Result<record::IndexState> read_index(schema::IndexState::Reader in) {
  record::IndexState index;
  index.id = in.getId();
  TRY_ASSIGN(index.name, read_text(in.getName(), limits::record_key_bytes_max, "index"));
  index.ready = in.getReady();
  TRY_ASSIGN(index.built_to, read_text(in.getBuiltTo(), limits::record_key_bytes_max, "key"));
  return index;
}

void write_index(schema::IndexState::Builder out, const record::IndexState& index) {
  out.setId(index.id);
  out.setName(text_of(index.name));
  out.setReady(index.ready);
  if (!index.built_to.empty()) out.setBuiltTo(text_of(index.built_to));
}

Result<record::Collection> read_collection(schema::Collection::Reader in, const Bytes&) {
  record::Collection row;
  row.id = in.getId();
  row.declared = in.getDeclared();
  row.live = in.getLive();
  row.tombstones = in.getTombstones();
  row.bytes = in.getBytes();
  row.next_index = in.getNextIndex();
  TRY_ASSIGN(row.indexes, read_list<record::IndexState>(in.getIndexes(), collection_indexes_max,
                                                        "collection's indexes", read_index));
  return row;
}

Result<record::Balance> read_balance(schema::Balance::Reader in, const Bytes&) {
  record::Balance row;
  TRY_ASSIGN(row.quantity, read_decimal(in.getQuantity()));
  row.revision = in.getRevision();
  return row;
}

Result<record::Counters> read_counters(schema::Counters::Reader in, const Bytes&) {
  record::Counters row;
  row.applied_index = in.getAppliedIndex();
  row.applied_term = in.getAppliedTerm();
  row.revision = in.getRevision();
  row.floor = in.getFloor();
  row.stamp = {in.getStampMillis(), in.getStampCounter()};
  row.hash = read_hash(in.getHash());
  row.live_records = in.getLiveRecords();
  row.tombstones = in.getTombstones();
  row.operations = in.getOperations();
  row.history = in.getHistory();
  row.balances = in.getBalances();
  row.next_collection = in.getNextCollection();
  return row;
}

void write_counters(schema::Counters::Builder out, const record::Counters& row) {
  out.setAppliedIndex(row.applied_index);
  out.setAppliedTerm(row.applied_term);
  out.setRevision(row.revision);
  out.setFloor(row.floor);
  out.setStampMillis(row.stamp.millis);
  out.setStampCounter(row.stamp.counter);
  write_hash(out.initHash(), row.hash);
  out.setLiveRecords(row.live_records);
  out.setTombstones(row.tombstones);
  out.setOperations(row.operations);
  out.setHistory(row.history);
  out.setBalances(row.balances);
  out.setNextCollection(row.next_collection);
}

}  // namespace

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
  return decode_row<schema::Record, record::Record>(SealKind::record, bytes, read_record);
}

std::string encode(const record::Operation& row) {
  const std::size_t words =
      words_of<schema::Operation> + 4 + text_words(row.outcome.detail) +
      list_words<schema::ActionResult>(row.outcome.results, [](const auto&) { return 0U; });
  return encode_sealed<schema::Operation>(SealKind::operation, words,
                                          [&](schema::Operation::Builder out) {
                                            write_hash(out.initRequestHash(), row.request_hash);
                                            out.setRecordedMillis(row.recorded_millis);
                                            write_outcome(out, row.outcome);
                                          });
}

Result<record::Operation> decode_operation(std::string_view bytes) {
  return decode_row<schema::Operation, record::Operation>(SealKind::operation, bytes,
                                                          read_operation);
}

std::string encode(const record::Commit& row) {
  const auto below = [](const record::Change& change) {
    return text_words(change.collection) + text_words(change.key);
  };
  const std::size_t words = words_of<schema::Commit> + text_words(row.operation) +
                            list_words<schema::Change>(row.changes, below);
  return encode_sealed<schema::Commit>(SealKind::commit, words, [&](schema::Commit::Builder out) {
    out.setRevision(row.revision);
    out.setStampMillis(row.stamp.millis);
    out.setStampCounter(row.stamp.counter);
    out.setOperation(text_of(row.operation));
    write_list<schema::Change>(out.initChanges(static_cast<unsigned>(row.changes.size())),
                               row.changes, write_change);
  });
}

Result<record::Commit> decode_commit(std::string_view bytes) {
  return decode_row<schema::Commit, record::Commit>(SealKind::commit, bytes, read_commit);
}

std::string encode(const record::Collection& row) {
  const auto below = [](const record::IndexState& index) {
    return text_words(index.name) + text_words(index.built_to);
  };
  const std::size_t words =
      words_of<schema::Collection> + list_words<schema::IndexState>(row.indexes, below);
  return encode_sealed<schema::Collection>(
      SealKind::collection, words, [&](schema::Collection::Builder out) {
        out.setId(row.id);
        out.setDeclared(row.declared);
        out.setLive(row.live);
        out.setTombstones(row.tombstones);
        out.setBytes(row.bytes);
        out.setNextIndex(row.next_index);
        if (!row.indexes.empty())
          write_list<schema::IndexState>(out.initIndexes(static_cast<unsigned>(row.indexes.size())),
                                         row.indexes, write_index);
      });
}

Result<record::Collection> decode_collection(std::string_view bytes) {
  return decode_row<schema::Collection, record::Collection>(SealKind::collection, bytes,
                                                            read_collection);
}

std::string encode(const record::Balance& row) {
  const std::size_t words = words_of<schema::Balance> + words_of<schema::Decimal>;
  return encode_sealed<schema::Balance>(SealKind::balance, words,
                                        [&](schema::Balance::Builder out) {
                                          write_decimal(out.initQuantity(), row.quantity);
                                          out.setRevision(row.revision);
                                        });
}

Result<record::Balance> decode_balance(std::string_view bytes) {
  return decode_row<schema::Balance, record::Balance>(SealKind::balance, bytes, read_balance);
}

std::string encode(const record::Counters& row) {
  return encode_sealed<schema::Counters>(
      SealKind::counters, words_of<schema::Counters>,
      [&](schema::Counters::Builder out) { write_counters(out, row); });
}

Result<record::Counters> decode_counters(std::string_view bytes) {
  return decode_row<schema::Counters, record::Counters>(SealKind::counters, bytes, read_counters);
}

}  // namespace mainstay::wire
