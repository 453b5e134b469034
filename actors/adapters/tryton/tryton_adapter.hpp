// The adapter `tryton`: the ERP Tryton 6.0 over JSON-RPC, read by polling, written look-before-
// create. docs/integration/adapters/tryton.md is for its users.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/adapters/tryton/effects.hpp"
#include "actors/adapters/tryton/json_rpc.hpp"
#include "actors/adapters/tryton/reader.hpp"
#include "runtime/integration/adapter.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::adapters {

struct TrytonOptions {
  tryton::RpcOptions rpc;
  tryton::ReaderOptions reader;
  tryton::EffectsOptions effects;
  // The ERP's database refuses a second document with one of our references.
  bool unique_references = false;
};

class TrytonAdapter final : public integration::Adapter {
 public:
  // `clock` must outlive this.
  TrytonAdapter(const sys::Clock& clock, TrytonOptions options);

  integration::AdapterTraits traits() const override;
  Result<integration::Page> fetch(const std::string& position, std::size_t messages_max) override;
  Result<std::vector<json::Value>> decode(const integration::RawMessage& message) override;
  integration::EffectResult apply(const integration::Effect& effect) override;
  Result<std::optional<json::Value>> lookup(const integration::Effect& effect) override;
  Result<void> probe() override;
  Result<integration::Page> backfill(const integration::Range& range, const std::string& position,
                                     std::size_t messages_max) override;
  Result<integration::ObservedPage> observe(const std::string& kind,
                                            const std::string& after) override;

 private:
  const bool has_source_;
  const bool unique_references_;
  tryton::JsonRpc rpc_;
  tryton::Reader reader_;
  tryton::Effects effects_;
};

Result<std::unique_ptr<integration::Adapter>> make_tryton_adapter(
    const integration::AdapterContext& context);

}  // namespace mainstay::adapters
