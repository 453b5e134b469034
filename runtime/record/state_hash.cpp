// docs/formats/state-hash.md has the same grammar; changing it means a new cluster version, since
// replicas of both releases compare hashes.
//
//   text    := length as 4 bytes, then the bytes
//   record  := 01 text(collection) text(key) u64 version  u64 revision  u64 created_revision
//              u64 stamp.millis  u32 stamp.counter  u32 origin_region  u8 tombstone
//              u64 size of the value  u64 u64 XXH3-128 of the value
//   operation := 02 text(operation id) u64 u64 request hash  text(name of the refusal, "" when
//   done)
//              u64 version  u64 revision  u8 created  u64 recorded_millis
//   hash    := XXH3-128 of that, seed 0; integers are little endian, 128-bit values their high half
//   first
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
  Fields& flag(bool value) { return number(value ? 1 : 0, 1); }
  Fields& hash(const Hash128& value) { return u64(value[0]).u64(value[1]); }

  Hash128 digest() const { return xxh3_128(bytes_); }

 private:
  Fields& number(std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i)
      bytes_.push_back(static_cast<char>(value >> (8 * i) & 0xffu));
    return *this;
  }

  std::string bytes_;
};

}  // namespace

Hash128 hash_of(std::string_view collection, std::string_view key, const Record& record) {
  Fields fields{1};
  fields.text(collection).text(key);
  fields.u64(record.version).u64(record.revision).u64(record.created_revision);
  fields.u64(record.stamp.millis).u32(record.stamp.counter).u32(record.origin_region);
  fields.flag(record.tombstone);
  fields.u64(record.value.size()).hash(xxh3_128(record.value.view()));
  return fields.digest();
}

Hash128 hash_of(std::string_view operation, const Operation& value) {
  const Outcome& outcome = value.outcome;
  Fields fields{2};
  fields.text(operation).hash(value.request_hash);
  fields.text(outcome.refused ? to_string(*outcome.refused) : std::string_view{});
  fields.u64(outcome.version).u64(outcome.revision).flag(outcome.created);
  fields.u64(value.recorded_millis);
  return fields.digest();
}

std::optional<Hash128> full_hash(const StateReader& state, const std::function<bool()>& go_on) {
  Hash128 sum{};
  bool whole = true;
  state.scan_all_records(
      [&](std::string_view collection, std::string_view key, const Record& record) {
        sum = add(sum, hash_of(collection, key, record));
        return whole = go_on();
      });
  if (!whole) return std::nullopt;
  state.scan_all_operations([&](std::string_view operation, const Operation& value) {
    sum = add(sum, hash_of(operation, value));
    return whole = go_on();
  });
  return whole ? std::optional{sum} : std::nullopt;
}

Hash128 full_hash(const StateReader& state) {
  return *full_hash(state, [] { return true; });
}

}  // namespace mainstay::record
