// Checksums against faults (not attackers). CRC32C guards what is stored and sent; 128-bit XXH3
// chains log records and sums up state.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace mainstay {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4). `seed` continues an earlier call: crc32c(b,
// crc32c(a)) == crc32c(a + b).
std::uint32_t crc32c(std::string_view data, std::uint32_t seed = 0);

// 128 bits, most significant word first.
using Hash128 = std::array<std::uint64_t, 2>;

Hash128 xxh3_128(std::string_view data, std::uint64_t seed = 0);

// xxh3_128 of data that comes in pieces: the same result as over all of it at once. One thread at a
// time.
class Hash128Stream {
 public:
  Hash128Stream();
  ~Hash128Stream();
  void update(std::string_view piece);
  Hash128 digest() const;  // of everything so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Addition and subtraction modulo 2^128: an order-free sum of hashes, from which a hash can be
// taken out again.
Hash128 add(Hash128 a, Hash128 b);
Hash128 subtract(Hash128 a, Hash128 b);

}  // namespace mainstay
