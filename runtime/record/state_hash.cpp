// docs/formats/state-hash.md has the same grammar; changing it means a new cluster version, since
// replicas of both releases compare hashes.
//
//   text      := u32 length, then the bytes
//   version   := text(collection) text(key) u64 version  u64 revision  u64 created_revision
//                u64 stamp.millis  u32 stamp.counter  u32 origin_region  u8 tombstone
//                u64 size of the value  u64 u64 XXH3-128 of the value
//   record    := 01 version        history := 03 version
//   operation := 02 text(operation id) u64 u64 request hash  text(name of the refusal, "" when
//                done)  u64 revision  text(detail) u8 part  u32 position  u64 found_version
//                u32 results, each: u64 version  u8 created  u8 changed;  u64 recorded_millis
//   commit    := 04 u64 revision  u64 stamp.millis  u32 stamp.counter  text(operation id)
//                u32 changes, each: u8 kind (0 put, 1 remove)  text(collection) text(key)
//                u64 version  u64 previous
//   balance   := 05 text(collection) text(position) u64 u64 units  u8 scale  u64 revision
//   hash      := XXH3-128 of that, seed 0; integers are little endian (negative units in two's
//                complement), 128-bit values their high half first
#include "runtime/record/state_hash.hpp"

namespace mainstay::record {

namespace {

// Rows are short except for the value, which is hashed by itself so that it is never copied.
class Fields {
 public:
  explicit Fields(char tag) {
    bytes_.reserve(192);
    bytes_.push_back(tag);
  }

  Fields& text(std::string_view value) {
    number(value.size(), 4);
    bytes_ += value;
    return *this;
  }
  Fields& u64(std::uint64_t value) { return number(value, 8); }
  Fields& u32(std::uint32_t value) { return number(value, 4); }
  Fields& u8(std::uint8_t value) { return number(value, 1); }
  Fields& flag(bool value) { return number(value ? 1 : 0, 1); }
  Fields& hash(const Hash128& value) { return u64(value[0]).u64(value[1]); }

  void set_tag(char tag) { bytes_[0] = tag; }

  Hash128 digest() const { return xxh3_128(bytes_); }

 private:
  Fields& number(std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i)
      bytes_.push_back(static_cast<char>(value >> (8 * i) & 0xffu));
    return *this;
  }

  std::string bytes_;
};

void add_version(Fields& fields, std::string_view collection, std::string_view key,
                 const Record& record) {
  fields.text(collection).text(key);
  fields.u64(record.version).u64(record.revision).u64(record.created_revision);
  fields.u64(record.stamp.millis).u32(record.stamp.counter).u32(record.origin_region);
  fields.flag(record.tombstone);
  fields.u64(record.value.size()).hash(xxh3_128(record.value.view()));
}

constexpr char record_tag = 1;
constexpr char operation_tag = 2;
constexpr char history_tag = 3;
constexpr char commit_tag = 4;
constexpr char balance_tag = 5;

Hash128 version_hash(char tag, std::string_view collection, std::string_view key,
                     const Record& record) {
  Fields fields{tag};
  add_version(fields, collection, key, record);
  return fields.digest();
}

}  // namespace

Hash128 hash_of(std::string_view collection, std::string_view key, const Record& record) {
  return version_hash(record_tag, collection, key, record);
}

Hash128 hash_of_history(std::string_view collection, std::string_view key, const Record& record) {
  return version_hash(history_tag, collection, key, record);
}

MovedHashes moved_hashes(std::string_view collection, std::string_view key, const Record& record) {
  Fields fields{record_tag};
  add_version(fields, collection, key, record);
  const Hash128 as_record = fields.digest();
  fields.set_tag(history_tag);
  return {as_record, fields.digest()};
}

Hash128 hash_of(std::string_view operation, const Operation& value) {
  const Outcome& outcome = value.outcome;
  Fields fields{operation_tag};
  fields.text(operation).hash(value.request_hash);
  fields.text(outcome.refused ? to_string(*outcome.refused) : std::string_view{});
  fields.u64(outcome.revision).text(outcome.detail);
  fields.u8(static_cast<std::uint8_t>(outcome.part)).u32(outcome.position);
  fields.u64(outcome.found_version);
  fields.u32(static_cast<std::uint32_t>(outcome.results.size()));
  for (const ActionResult& result : outcome.results)
    fields.u64(result.version).flag(result.created).flag(result.changed);
  fields.u64(value.recorded_millis);
  return fields.digest();
}

Hash128 hash_of(const Commit& commit) {
  Fields fields{commit_tag};
  fields.u64(commit.revision).u64(commit.stamp.millis).u32(commit.stamp.counter);
  fields.text(commit.operation).u32(static_cast<std::uint32_t>(commit.changes.size()));
  for (const Change& change : commit.changes) {
    fields.u8(static_cast<std::uint8_t>(change.kind)).text(change.collection).text(change.key);
    fields.u64(change.version).u64(change.previous);
  }
  return fields.digest();
}

Hash128 hash_of(std::string_view collection, std::string_view position, const Balance& balance) {
  const auto units = static_cast<unsigned __int128>(balance.quantity.units());
  Fields fields{balance_tag};
  fields.text(collection).text(position);
  fields.u64(static_cast<std::uint64_t>(units >> 64)).u64(static_cast<std::uint64_t>(units));
  fields.u8(static_cast<std::uint8_t>(balance.quantity.scale())).u64(balance.revision);
  return fields.digest();
}

std::optional<Hash128> full_hash(const StateReader& state, const std::function<bool()>& go_on) {
  Hash128 sum{};
  bool whole = true;
  const auto take = [&](const Hash128& hash) {
    sum = add(sum, hash);
    return whole = go_on();
  };
  state.scan_all_records(
      [&](std::string_view collection, std::string_view key, const Record& record) {
        return take(hash_of(collection, key, record));
      });
  if (!whole) return std::nullopt;
  state.scan_all_history(
      [&](std::string_view collection, std::string_view key, const Record& record) {
        return take(hash_of_history(collection, key, record));
      });
  if (!whole) return std::nullopt;
  state.scan_all_operations([&](std::string_view operation, const Operation& value) {
    return take(hash_of(operation, value));
  });
  if (!whole) return std::nullopt;
  state.scan_commits(0, [&](const Commit& commit) { return take(hash_of(commit)); });
  if (!whole) return std::nullopt;
  state.scan_all_balances(
      [&](std::string_view collection, std::string_view position, const Balance& balance) {
        return take(hash_of(collection, position, balance));
      });
  return whole ? std::optional{sum} : std::nullopt;
}

Hash128 full_hash(const StateReader& state) {
  return *full_hash(state, [] { return true; });
}

}  // namespace mainstay::record
