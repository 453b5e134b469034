#include "runtime/base/checksum.hpp"

#include <cstring>

#include <boost/crc.hpp>
#include <xxhash.h>

#include "runtime/base/assert.hpp"

namespace mainstay {

namespace {

#if defined(__x86_64__)
// The processor's own instruction, 8 bytes at a time: about 20 times faster than a table.
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::string_view data,
                                                             std::uint32_t crc) {
  std::uint64_t wide = crc;
  while (data.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data.data(), 8);
    wide = __builtin_ia32_crc32di(wide, word);
    data.remove_prefix(8);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (char byte : data) narrow = __builtin_ia32_crc32qi(narrow, static_cast<unsigned char>(byte));
  return narrow;
}
#endif

std::uint32_t crc32c_portable(std::string_view data, std::uint32_t crc) {
  // boost::crc takes and gives remainders before the final reflection; seeded with the reflected
  // register it continues exactly.
  constexpr std::uint32_t polynomial = 0x1EDC6F41;
  std::uint32_t reflected = 0;
  for (int bit = 0; bit < 32; ++bit)
    if ((crc >> bit & 1u) != 0) reflected |= 1u << (31 - bit);
  boost::crc_optimal<32, polynomial, 0, 0, true, true> register_{reflected};
  register_.process_bytes(data.data(), data.size());
  return register_.checksum();
}

}  // namespace

std::uint32_t crc32c(std::string_view data, std::uint32_t seed) {
  const std::uint32_t start = ~seed;
#if defined(__x86_64__)
  static const bool has_sse42 = __builtin_cpu_supports("sse4.2") != 0;
  if (has_sse42) return ~crc32c_sse42(data, start);
#endif
  return ~crc32c_portable(data, start);
}

Hash128 xxh3_128(std::string_view data, std::uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(data.data(), data.size(), seed);
  return {hash.high64, hash.low64};
}

struct Hash128Stream::State {
  XXH3_state_t* xxh = XXH3_createState();
  State() { ASSERT(xxh != nullptr && XXH3_128bits_reset(xxh) == XXH_OK); }
  ~State() { XXH3_freeState(xxh); }
};

Hash128Stream::Hash128Stream() : state_{std::make_unique<State>()} {}
Hash128Stream::~Hash128Stream() = default;

void Hash128Stream::update(std::string_view piece) {
  ASSERT(XXH3_128bits_update(state_->xxh, piece.data(), piece.size()) == XXH_OK);
}

Hash128 Hash128Stream::digest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh);
  return {hash.high64, hash.low64};
}

Hash128 add(Hash128 a, Hash128 b) {
  const std::uint64_t low = a[1] + b[1];
  const std::uint64_t carry = low < a[1] ? 1 : 0;
  return {a[0] + b[0] + carry, low};
}

Hash128 subtract(Hash128 a, Hash128 b) {
  const std::uint64_t borrow = a[1] < b[1] ? 1 : 0;
  return {a[0] - b[0] - borrow, a[1] - b[1]};
}

}  // namespace mainstay
