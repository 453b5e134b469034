#include "runtime/integration/adapter.hpp"

namespace mainstay::integration {

namespace {

constexpr std::string_view verdicts[] = {"done",     "transient", "unknown",
                                         "conflict", "refused",   "unparsable"};

Failure no(const char* what) {
  return fail(Errc::unsupported, std::string{"this adapter cannot "} + what);
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  return verdicts[static_cast<std::size_t>(verdict)];
}

std::optional<Verdict> verdict_of(std::string_view name) {
  for (std::size_t i = 0; i < std::size(verdicts); ++i)
    if (verdicts[i] == name) return static_cast<Verdict>(i);
  return std::nullopt;
}

Result<Page> Adapter::fetch(const std::string&, std::size_t) {
  return no("fetch");
}
Result<void> Adapter::acknowledge(const std::string&) {
  return {};
}
EffectResult Adapter::apply(const Effect&) {
  return EffectResult::failed(Verdict::refused, "this adapter carries out no effects");
}
Result<std::optional<json::Value>> Adapter::lookup(const Effect&) {
  return no("look up effects");
}
Result<void> Adapter::probe() {
  return no("ask a harmless question");
}
Result<Page> Adapter::backfill(const Range&, const std::string&, std::size_t) {
  return no("read the past again");
}
Result<ObservedPage> Adapter::observe(const std::string&, const std::string&) {
  return no("be compared with records");
}

Result<std::unique_ptr<Adapter>> AdapterKinds::make(std::string_view kind,
                                                    const AdapterContext& context) const {
  const auto found = factories_.find(kind);
  if (found != factories_.end()) return found->second(context);
  std::string known;
  for (const auto& [name, factory] : factories_) known += (known.empty() ? "" : ", ") + name;
  return fail(Errc::not_found,
              "there is no adapter kind '" + std::string{kind} + "'; there are: " + known);
}

std::vector<std::string> AdapterKinds::names() const {
  std::vector<std::string> names;
  for (const auto& [name, factory] : factories_) names.push_back(name);
  return names;
}

}  // namespace mainstay::integration
