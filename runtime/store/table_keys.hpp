// Keys of the record store's tables, built without allocating. Private to runtime/store; the
// grammar is on top of record_store.cpp, the static_asserts that every key fits are in limits.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "runtime/base/limits.hpp"
#include "runtime/record/index_key.hpp"
#include "runtime/record/types.hpp"
#include "runtime/store/byte_order.hpp"

namespace mainstay::store {

// No collection name, record key or index value contains it.
inline constexpr char separator = '\0';

// What is longer than any row's key is cut: it matches no row, and sorts the same, either way.
class TableKey {
 public:
  TableKey& text(std::string_view bytes) {
    const std::size_t taken = std::min(bytes.size(), bytes_.size() - size_);
    if (taken != 0) std::memcpy(bytes_.data() + size_, bytes.data(), taken);
    size_ += taken;
    return *this;
  }
  TableKey& end() { return text({&separator, 1}); }
  template <class Number>
  TableKey& big(Number value) {
    char bytes[sizeof value];
    for (std::size_t i = 0; i < sizeof value; ++i)
      bytes[i] = static_cast<char>(value >> (8 * (sizeof value - 1 - i)) & 0xff);
    return text({bytes, sizeof bytes});
  }

  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, limits::lmdb_key_bytes_max> bytes_;
  std::size_t size_ = 0;
};

// records: also a prefix of a record's key. balances: the same with a position.
inline TableKey row_key(std::string_view collection, std::string_view key) {
  TableKey whole;
  whole.text(collection).end().text(key);
  return whole;
}

inline TableKey history_key(std::string_view collection, std::string_view key,
                            record::Revision revision) {
  TableKey whole;
  whole.text(collection).end().text(key).end().big(revision);
  return whole;
}

inline TableKey commit_key(record::Revision revision) {
  TableKey whole;
  whole.big(revision);
  return whole;
}

inline TableKey index_prefix(std::uint32_t collection, std::uint16_t index) {
  TableKey whole;
  whole.big(collection).big(index);
  return whole;
}

static_assert(4 + 2 + record::index_value_bytes_max + 1 + limits::record_key_bytes_max <=
              limits::lmdb_key_bytes_max);

inline TableKey index_row_key(std::uint32_t collection, std::uint16_t index, std::string_view value,
                              std::string_view key) {
  TableKey whole = index_prefix(collection, index);
  whole.text(value).end().text(key);
  return whole;
}

inline TableKey expiry_key(const record::Expiry& expiry) {
  TableKey whole;
  whole.big(expiry.due_millis).big(static_cast<std::uint8_t>(expiry.kind));
  whole.text(expiry.collection).end().text(expiry.key).end().big(expiry.revision);
  return whole;
}

}  // namespace mainstay::store
