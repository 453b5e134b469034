// Effects as files of a directory: the name says which effect, so that one is written once whatever
// happens in between. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actors/adapters/folder/folder.hpp"
#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters {

struct FolderSink {
  std::string directory = "out";
  std::string done;  // where the counterpart puts what it has taken; "": nowhere

  // done, with {"file", "hash"}; also when it is there already. transient: nothing was written.
  // unknown: it may be there.
  integration::EffectResult put(Folder& folder, const std::string& name,
                                std::string_view content) const;
  // The receipt, if the file is in one of the two directories.
  Result<std::optional<json::Value>> find(Folder& folder, const std::string& name) const;
};

}  // namespace mainstay::adapters
