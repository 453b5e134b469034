// One value of every type that is stored or sent, with every field away from its default where that
// is possible.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::compat {

struct Sample {
  std::string name;   // of the corpus file, without suffix; never used for another value
  std::string bytes;  // as this release encodes the value
  // Decodes any bytes as this sample's type and encodes what was read: equal bytes mean equal
  // values, since encoding is deterministic and covers every field (tests/unit/wire).
  std::function<Result<std::string>(const Bytes&)> read_and_write;
};

// In a fixed order. Samples are only added: the ones of older releases must be readable for ever.
std::vector<Sample> all_samples();

}  // namespace mainstay::compat
