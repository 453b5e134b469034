// The adapter `edi`: X12 and EDIFACT files in a directory, in and out, with functional
// acknowledgements. docs/integration/adapters/edi.md is for its users.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/adapters/folder/folder_sink.hpp"
#include "actors/adapters/folder/folder_source.hpp"
#include "runtime/integration/adapter.hpp"
#include "runtime/integration/edi/envelope.hpp"
#include "runtime/integration/edi/guide.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::adapters {

// [[settings.out]]: how effects of one type are written.
struct EdiOut {
  std::string type;
  std::string set;
  std::string name;     // template
  std::string control;  // pointer to the control number; "": made of the effect's key
  FolderSink sink;
};

struct EdiAdapterOptions {
  FolderSourceOptions source;
  std::string pattern = "*";
  bool has_source = true;
  bool acknowledge = true;      // X12: a 997 for every group that came
  FolderSink acknowledgements;  // where it goes
  edi::Envelope envelope;       // of what is sent; its sender is who we are
  std::vector<EdiOut> out;
  std::vector<edi::Guide> guides;
};

class EdiAdapter final : public integration::Adapter {
 public:
  // `clock` must outlive this.
  EdiAdapter(std::unique_ptr<Folder> folder, const sys::Clock& clock, EdiAdapterOptions options);

  integration::AdapterTraits traits() const override;
  Result<integration::Page> fetch(const std::string& position, std::size_t messages_max) override;
  Result<std::vector<json::Value>> decode(const integration::RawMessage& message) override;
  Result<void> acknowledge(const std::string& position) override;
  integration::EffectResult apply(const integration::Effect& effect) override;
  Result<std::optional<json::Value>> lookup(const integration::Effect& effect) override;
  Result<void> probe() override;
  Result<integration::Page> backfill(const integration::Range& range, const std::string& position,
                                     std::size_t messages_max) override;

 private:
  const EdiOut* out_of(std::string_view type) const;
  Result<std::vector<integration::RawMessage>> split(const std::string& content) const;
  Result<void> answer(const std::string& content);
  Result<void> prepare_source();
  edi::Envelope envelope_now(const std::string& control) const;

  const std::unique_ptr<Folder> folder_;
  const sys::Clock& clock_;
  const EdiAdapterOptions options_;
  FolderSource source_;
  bool prepared_ = false;  // only to be fast
};

Result<std::unique_ptr<integration::Adapter>> make_edi_adapter(
    const integration::AdapterContext& context);

}  // namespace mainstay::adapters
