// Which folder an adapter works in, from its settings: directory, url and what belongs to them, and
// the names of the directories in it.
#pragma once

#include <memory>
#include <string>

#include "actors/adapters/common/settings.hpp"
#include "actors/adapters/folder/folder.hpp"
#include "actors/adapters/folder/folder_source.hpp"
#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters {

// Takes directory or url. Nothing is opened before the first use.
std::unique_ptr<Folder> take_folder(Settings& settings, const integration::AdapterContext& context);

// Takes in_directory, archive_directory, quarantine_directory, arrival, settle, file_bytes_max,
// identity.
FolderSourceOptions take_source(Settings& settings);

// Creates the directories of a source where they are missing.
Result<void> prepare(Folder& folder, const FolderSourceOptions& options);

}  // namespace mainstay::adapters
