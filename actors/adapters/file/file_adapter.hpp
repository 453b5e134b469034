// The adapter `file`: CSV, JSON, NDJSON and XML in a directory, in and out.
// docs/integration/adapters/file.md is for its users.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/adapters/file/formats.hpp"
#include "actors/adapters/folder/folder_sink.hpp"
#include "actors/adapters/folder/folder_source.hpp"
#include "runtime/integration/adapter.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::adapters {

// [[settings.in]]: the files of one type of message.
struct FileIn {
  std::string type;
  std::string pattern;
  std::string subject;  // pointer into the document; "": the message's id
  FileForm form;
};
// [[settings.out]]: how effects of one type are written.
struct FileOut {
  std::string type;
  std::string name;  // template
  FolderSink sink;
  FileForm form;
};
// [[settings.observe]]: files in which the counterpart says what it holds.
struct FileObserve {
  std::string kind;
  std::string directory;
  std::string pattern;
  std::string id;  // pointer; "": the file and number
  bool last = true;
  FileForm form;
};

struct FileAdapterOptions {
  FolderSourceOptions source;
  std::vector<FileIn> in;
  std::vector<FileOut> out;
  std::vector<FileObserve> observe;
};

class FileAdapter final : public integration::Adapter {
 public:
  // `clock` must outlive this.
  FileAdapter(std::unique_ptr<Folder> folder, const sys::Clock& clock, FileAdapterOptions options);

  integration::AdapterTraits traits() const override;
  Result<integration::Page> fetch(const std::string& position, std::size_t messages_max) override;
  Result<std::vector<json::Value>> decode(const integration::RawMessage& message) override;
  Result<void> acknowledge(const std::string& position) override;
  integration::EffectResult apply(const integration::Effect& effect) override;
  Result<std::optional<json::Value>> lookup(const integration::Effect& effect) override;
  Result<void> probe() override;
  Result<integration::Page> backfill(const integration::Range& range, const std::string& position,
                                     std::size_t messages_max) override;
  Result<integration::ObservedPage> observe(const std::string& kind,
                                            const std::string& after) override;

 private:
  const FileIn* in_of_name(std::string_view name) const;
  const FileOut* out_of(std::string_view type) const;
  Result<std::vector<integration::RawMessage>> split(const std::string& name, std::string content,
                                                     const std::string& version) const;
  Result<void> prepare_source();

  const std::unique_ptr<Folder> folder_;
  const FileAdapterOptions options_;
  FolderSource source_;
  bool prepared_ = false;  // only to be fast
};

Result<std::unique_ptr<integration::Adapter>> make_file_adapter(
    const integration::AdapterContext& context);

}  // namespace mainstay::adapters
