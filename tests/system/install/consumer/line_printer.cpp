// An adapter outside the tree: reads lines of a file as messages, and prints effects as lines of
// another. docs/writing-an-adapter.md explains it.
#include <fstream>
#include <string>

#include "runtime/integration/adapter.hpp"

namespace {

using namespace mainstay;
using namespace mainstay::integration;

class LinePrinter final : public Adapter {
 public:
  LinePrinter(std::string in, std::string out) : in_{std::move(in)}, out_{std::move(out)} {}

  AdapterTraits traits() const override { return {true, true, false}; }

  // The position is the number of lines that were read.
  Result<Page> fetch(const std::string& position, std::size_t messages_max) override {
    const std::size_t done = position.empty() ? 0 : std::stoul(position);
    std::ifstream file{in_};
    std::string line;
    std::size_t number = 0;
    Page page;
    for (; std::getline(file, line); ++number) {
      if (number < done) continue;
      page.more = page.messages.size() == messages_max;
      if (page.more) break;
      RawMessage message;
      message.id = "line " + std::to_string(number + 1);
      message.type = "line";
      message.body = line;
      page.messages.push_back(std::move(message));
    }
    page.position = std::to_string(done + page.messages.size());
    return page;
  }

  Result<std::vector<json::Value>> decode(const RawMessage& message) override {
    json::Value document = json::Value::object();
    document.set("text", json::Value::string(message.body));
    return std::vector<json::Value>{std::move(document)};
  }

  EffectResult apply(const Effect& effect) override {
    std::ofstream file{out_, std::ios::app};
    if (!file) return EffectResult::failed(Verdict::transient, "cannot open " + out_);
    file << effect.key << ' ' << json::to_text(effect.document) << std::endl;
    // The line may be there in part.
    if (!file) return EffectResult::failed(Verdict::unknown, "cannot write " + out_);
    return EffectResult::done();
  }

  Result<std::optional<json::Value>> lookup(const Effect& effect) override {
    std::ifstream file{out_};
    std::string line;
    while (std::getline(file, line))
      if (line.starts_with(effect.key + " ")) return std::optional{json::Value::boolean(true)};
    return std::optional<json::Value>{};
  }

 private:
  const std::string in_;
  const std::string out_;
};

Result<std::unique_ptr<Adapter>> make(const AdapterContext& context) {
  const json::Value* in = context.settings.find("in");
  const json::Value* out = context.settings.find("out");
  if (in == nullptr || out == nullptr)
    return fail(Errc::invalid_argument, "settings.in and settings.out: two files are expected");
  return std::make_unique<LinePrinter>(in->text(), out->text());
}

}  // namespace

MAINSTAY_ADAPTERS(kinds) {
  kinds.add("line-printer", make);
}
