// What a peer can send.
#include "tests/fuzz/fuzzer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  mainstay::fuzz::feed(mainstay::wire::SealKind::frame, bytes);
  mainstay::fuzz::feed_resealed(mainstay::wire::SealKind::frame, bytes);
  return 0;
}
