// The counterparts of the sample plant, as files: an ERP that puts orders into a folder, and a
// warehouse that takes what comes out of another. Between them the nodes' own adapters and mappings
// carry each order, at whatever node they run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/torture/worker.hpp"

namespace mainstay::torture {

// The folders and the definitions of both adapters below `directory`; returns the folder of the
// definitions, for adapters.directory. Errors: io_error.
Result<std::filesystem::path> make_plant(const std::filesystem::path& directory);

std::unique_ptr<Worker> plant_files(Courier& courier, Evidence& evidence,
                                    const std::filesystem::path& directory);

}  // namespace mainstay::torture
