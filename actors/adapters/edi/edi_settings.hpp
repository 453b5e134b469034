// The settings of the adapter `edi`.
#pragma once

#include <string>

#include "actors/adapters/common/settings.hpp"
#include "actors/adapters/edi/edi_adapter.hpp"

namespace mainstay::adapters {

// Everything but the folder. `directory`: where files of guides are relative to. Errors:
// invalid_argument; those of reading a file.
Result<EdiAdapterOptions> take_edi_options(Settings& settings, const std::string& directory);

}  // namespace mainstay::adapters
