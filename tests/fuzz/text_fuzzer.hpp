// What the libFuzzer programs for texts share: now and then the input is replaced by a sample, from
// where mutation goes on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/feed_text.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

#define MAINSTAY_TEXT_FUZZER(name)                                                      \
  extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,  \
                                                 std::size_t max_size, unsigned seed) { \
    static const std::vector<std::string> samples = mainstay::fuzz::name##_samples();   \
    if (seed % 64 == 0) {                                                               \
      const std::string& text = samples[seed / 64 % samples.size()];                    \
      size = std::min(text.size(), max_size);                                           \
      std::copy_n(text.begin(), size, data);                                            \
    }                                                                                   \
    return LLVMFuzzerMutate(data, size, max_size);                                      \
  }                                                                                     \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {   \
    mainstay::fuzz::feed_##name({reinterpret_cast<const char*>(data), size});           \
    return 0;                                                                           \
  }
