// The integration adapters of a node as its configuration has them: the kinds that are built in,
// those of shared libraries, and the definitions in adapters.directory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/integration/adapter.hpp"
#include "runtime/integration/definition.hpp"

namespace mainstay::daemon {

struct Adapters {
  std::vector<std::shared_ptr<const integration::AdapterDefinition>> definitions;  // by name
  std::shared_ptr<const integration::AdapterKinds> kinds;
};

// "" gives none. Every definition is read with its mappings, and its adapter is made once, so that
// a mistake shows now and not when another node dies. Errors: invalid_argument, io_error, with the
// file and what is expected; unsupported: a library of another release.
Result<Adapters> load_adapters(const std::string& directory);

}  // namespace mainstay::daemon
