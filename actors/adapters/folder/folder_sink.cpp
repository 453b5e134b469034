#include "actors/adapters/folder/folder_sink.hpp"

#include "actors/adapters/folder/names.hpp"

namespace mainstay::adapters {

using integration::EffectResult;
using integration::Verdict;

Result<std::optional<json::Value>> FolderSink::find(Folder& folder, const std::string& name) const {
  for (const std::string& place : {directory, done}) {
    if (place.empty()) continue;
    TRY_ASSIGN(const bool there, folder.exists(place + "/" + name));
    if (!there) continue;
    json::Value receipt = json::Value::object();
    receipt.set("file", json::Value::string(place + "/" + name));
    return std::optional<json::Value>{std::move(receipt)};
  }
  return std::optional<json::Value>{};
}

EffectResult FolderSink::put(Folder& folder, const std::string& name,
                             std::string_view content) const {
  const auto before = find(folder, name);
  if (!before) return EffectResult::failed(Verdict::transient, before.error().message);
  if (*before) return EffectResult::done(**before);
  const std::string path = directory + "/" + name;
  const auto written = folder.write(path, content);
  if (!written) {
    // Only the last step makes the name: if it is not there, nothing happened.
    const auto there = folder.exists(path);
    return EffectResult::failed(there && !*there ? Verdict::transient : Verdict::unknown,
                                written.error().message);
  }
  json::Value receipt = json::Value::object();
  receipt.set("file", json::Value::string(path));
  receipt.set("hash", json::Value::string(content_hash(content)));
  return EffectResult::done(std::move(receipt));
}

}  // namespace mainstay::adapters
