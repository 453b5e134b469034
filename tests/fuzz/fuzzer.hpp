// What the libFuzzer programs share: now and then the input is replaced by a sample of
// tests/compat, from where mutation goes on; so no corpus of bytes has to be kept beside the golden
// one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/compat/samples.hpp"
#include "tests/fuzz/feed.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  static const std::vector<mainstay::compat::Sample> samples = mainstay::compat::all_samples();
  if (seed % 64 == 0) {
    const std::string& bytes = samples[seed / 64 % samples.size()].bytes;
    size = std::min(bytes.size(), max_size);
    std::copy_n(bytes.begin(), size, data);
  }
  return LLVMFuzzerMutate(data, size, max_size);
}
