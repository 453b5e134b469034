// How the work of minutes learns that it should end.
#pragma once

#include <functional>

namespace mainstay::store {

// Asked every now and then, at least for each piece of limits::scrub_piece_bytes, on the thread
// that works: false ends it.
using GoOn = std::function<bool()>;

inline bool always() {
  return true;
}

}  // namespace mainstay::store
