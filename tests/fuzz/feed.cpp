#include "tests/fuzz/feed.hpp"

#include "runtime/wire/codec.hpp"
#include "runtime/wire/frame.hpp"

namespace mainstay::fuzz {

namespace {

using wire::SealKind;

constexpr std::size_t table_bytes = 8;  // Cap'n Proto's segment table behind the seal

std::string write(const record::LogBatch& log_batch) {
  std::vector<Bytes> batches;
  for (const auto& batch : log_batch.batches) batches.emplace_back(wire::encode(batch));
  return wire::encode_log_batch(log_batch.wall_millis, batches);
}

template <class T>
std::string write(const T& value) {
  return wire::encode(value);
}

template <class Decode>
bool accepts(std::string_view bytes, Decode decode) {
  const auto value = decode(Bytes{std::string{bytes}});
  if (!value) return false;
  const std::string written = write(*value);
  const auto again = decode(Bytes{written});
  ASSERT_MSG(again.has_value(), "what was accepted must be readable once written");
  ASSERT_MSG(write(*again) == written, "what was accepted must not change on the way");
  return true;
}

// Decoders of rows take a view.
template <class Decode>
auto by_view(Decode decode) {
  return [decode](const Bytes& bytes) { return decode(bytes.view()); };
}

}  // namespace

bool feed(SealKind kind, std::string_view bytes) {
  switch (kind) {
    case SealKind::frame:
      return accepts(bytes, wire::decode_frame);
    case SealKind::batch:
      return accepts(bytes, wire::decode_batch);
    case SealKind::log_batch:
      return accepts(bytes, wire::decode_log_batch);
    case SealKind::entry:
      return accepts(bytes, wire::decode_entry);
    case SealKind::hard_state:
      return accepts(bytes, by_view(wire::decode_hard_state));
    case SealKind::membership:
      return accepts(bytes, by_view(wire::decode_membership));
    case SealKind::snapshot_meta:
      return accepts(bytes, by_view(wire::decode_snapshot_meta));
    case SealKind::record:
      return accepts(bytes, by_view(wire::decode_record));
    case SealKind::operation:
      return accepts(bytes, by_view(wire::decode_operation));
    case SealKind::counters:
      return accepts(bytes, by_view(wire::decode_counters));
    case SealKind::commit:
      return accepts(bytes, by_view(wire::decode_commit));
    case SealKind::collection:
      return accepts(bytes, by_view(wire::decode_collection));
    case SealKind::balance:
      return accepts(bytes, by_view(wire::decode_balance));
  }
  return false;
}

bool feed_resealed(SealKind kind, std::string_view bytes) {
  std::string sealed{bytes};
  sealed.resize(sealed.size() / 8 * 8);
  const std::size_t header = wire::seal_bytes + table_bytes;
  if (sealed.size() < header) sealed.resize(header, '\0');
  const std::size_t words = (sealed.size() - header) / 8;
  for (std::size_t i = 0; i < table_bytes; ++i)
    sealed[wire::seal_bytes + i] = i < 4 ? '\0' : static_cast<char>(words >> (8 * (i - 4)) & 0xffu);
  wire::close_seal(kind, sealed);
  return feed(kind, sealed);
}

int feed_all(std::string_view bytes) {
  int accepted = 0;
  for (auto kind = static_cast<unsigned>(SealKind::frame);
       kind <= static_cast<unsigned>(SealKind::balance); ++kind) {
    accepted += feed(static_cast<SealKind>(kind), bytes) ? 1 : 0;
    accepted += feed_resealed(static_cast<SealKind>(kind), bytes) ? 1 : 0;
  }
  return accepted;
}

}  // namespace mainstay::fuzz
