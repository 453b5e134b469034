// Every durable value.
#include "tests/fuzz/fuzzer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mainstay::fuzz::feed_all({reinterpret_cast<const char*>(data), size});
  return 0;
}
