#include "runtime/store/fatal.hpp"

#include <cstdlib>

#include "runtime/base/log.hpp"

namespace mainstay::store {

FatalHandler stop_process() {
  return [](const Error& error) {
    log_error("store", "stopping at once, the disk cannot be trusted: {}", to_string(error));
    constexpr int input_output_error = 74;  // EX_IOERR of sysexits.h
    std::_Exit(input_output_error);
  };
}

}  // namespace mainstay::store
