// An adapter with the mistake that authors make: it says that its counterpart drops repetitions,
// and the counterpart, a file that lines are added to, does not. The crash kit must find it.
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "runtime/integration/adapter.hpp"

namespace {

using namespace mainstay;
using namespace mainstay::integration;

constexpr std::chrono::milliseconds answer_time{20};

class Careless final : public Adapter {
 public:
  explicit Careless(std::string out) : out_{std::move(out)} {}

  AdapterTraits traits() const override { return {false, true, true}; }

  Result<std::vector<json::Value>> decode(const RawMessage& /*message*/) override {
    return fail(Errc::unsupported, "there is no source");
  }

  EffectResult apply(const Effect& effect) override {
    std::ofstream file{out_, std::ios::app};
    file << effect.key << std::endl;
    if (!file) return EffectResult::failed(Verdict::unknown, "cannot write " + out_);
    // A counterpart that takes its time to answer: what it has done is not known here yet.
    std::this_thread::sleep_for(answer_time);
    return EffectResult::done();
  }

 private:
  const std::string out_;
};

}  // namespace

MAINSTAY_ADAPTERS(kinds) {
  kinds.add("careless", [](const AdapterContext& context) -> Result<std::unique_ptr<Adapter>> {
    const json::Value* out = context.settings.find("out");
    if (out == nullptr) return fail(Errc::invalid_argument, "settings.out: a file is expected");
    return std::make_unique<Careless>(out->text());
  });
}
