#include "actors/adapters/folder/folder_place.hpp"

#include "actors/adapters/folder/local_folder.hpp"
#include "actors/adapters/folder/sftp_folder.hpp"

namespace mainstay::adapters {

namespace {

std::string take_directory(Settings& settings, std::string_view name, std::string_view otherwise) {
  std::string directory = settings.text(name, otherwise);
  while (directory.ends_with('/')) directory.pop_back();
  if (directory.empty() || directory.starts_with('/') || directory.find("..") != std::string::npos)
    settings.wrong(name,
                   "expected a directory below the folder, such as " + std::string{otherwise});
  return directory;
}

}  // namespace

std::unique_ptr<Folder> take_folder(Settings& settings,
                                    const integration::AdapterContext& context) {
  const auto file = [&settings, &context](std::string_view name) {
    return (std::filesystem::path{context.directory} / settings.required_text(name)).string();
  };
  if (settings.has("url")) {
    SftpPlace place{settings.required_text("url"), file("key_file"), file("known_hosts"),
                    context.call_timeout};
    if (settings.has("directory")) settings.wrong("directory", "expected either directory or url");
    const auto checked = check_sftp_url(place.url);
    if (checked) return std::make_unique<SftpFolder>(std::move(place));
    settings.wrong("url", checked.error().message);
  }
  const std::string directory = settings.required_text("directory");
  return std::make_unique<LocalFolder>(std::filesystem::path{context.directory} / directory);
}

FolderSourceOptions take_source(Settings& settings) {
  FolderSourceOptions options;
  options.directory = take_directory(settings, "in_directory", options.directory);
  options.archive = take_directory(settings, "archive_directory", options.archive);
  options.quarantine = take_directory(settings, "quarantine_directory", options.quarantine);
  if (options.archive == options.directory || options.quarantine == options.directory)
    settings.wrong("archive_directory", "expected another directory than in_directory");
  options.by_rename = settings.choice("arrival", "settled", {"settled", "rename"}) == "rename";
  options.settle = settings.duration("settle", "2s");
  options.file_bytes_max = static_cast<std::size_t>(settings.size("file_bytes_max", "64MiB"));
  options.stamp_in_version =
      settings.choice("identity", "content", {"content", "content_and_time"}) != "content";
  return options;
}

Result<void> prepare(Folder& folder, const FolderSourceOptions& options) {
  TRY(folder.make_directory(options.directory));
  TRY(folder.make_directory(options.archive));
  return folder.make_directory(options.quarantine);
}

}  // namespace mainstay::adapters
