#include "runtime/torture/files.hpp"

#include <fstream>

#include <fmt/format.h>
#include <poll.h>

#include "runtime/sys/clock.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::torture {

namespace fs = std::filesystem;

namespace {

constexpr Millis settle_max{90'000};
constexpr int look_ms = 50;

// After the example of the sample plant (config/examples/plant), orders alone.
constexpr const char* erp_definition = R"(kind = "file"
[settings]
directory = "../erp"
arrival = "rename"
[[settings.in]]
type = "order"
pattern = "order-*.json"
format = "json"
subject = "/number"
[source]
poll = "100ms"
[source.types]
order = "erp-order.json"
)";

constexpr const char* wms_definition = R"(kind = "file"
[settings]
directory = "../wms"
arrival = "rename"
done_directory = "done"
[[settings.out]]
type = "order"
name = "{key}.json"
format = "json"
[effects]
lanes = 2
backoff_min = "50ms"
backoff_max = "1s"
breaker_pause = "1s"
call_timeout = "5s"
settle = "200ms"
attempts_max = 100
[[export]]
collection = "orders"
mapping = "wms-order.json"
)";

constexpr const char* erp_mapping = R"({
  "mapping": "erp-order", "version": 1, "description": "An order of the ERP",
  "records": [{
    "collection": "orders",
    "key": {"$key": [{"$const": "erp"}, "/number"]},
    "sequence": "/revision",
    "value": {
      "order": "/number", "status": {"$const": "confirmed"}, "revision": "/revision", "customer": "/customer",
      "lines": {"$each": "/lines", "value": {
        "line": "no", "item": "item", "quantity": {"$decimal": "qty", "scale": 3}, "unit": {"$const": "EA"}}},
      "origin": {"system": {"$const": "erp"}, "id": "/number", "version": "/revision"}}}],
  "trace": "/number"
})";

constexpr const char* wms_mapping = R"({
  "mapping": "wms-order", "version": 1, "description": "An order for the warehouse, once",
  "effects": [{
    "type": "order",
    "key": {"$format": "order_{/order}"},
    "subject": "/order",
    "document": {"order": "/order", "customer": "/customer"}}],
  "trace": "/order"
})";

class PlantFiles final : public Worker {
 public:
  PlantFiles(Courier& courier, Evidence& evidence, fs::path directory)
      : Worker{courier, evidence}, directory_{std::move(directory)} {}

  void step() override {
    if (++steps_ % 4 == 0) sell();
    take_effects();
  }

  void finish(std::uint64_t /*revision*/) override {
    const auto until = sys::system_clock().monotonic() + settle_max;
    while (taken_.size() < sold_ && sys::system_clock().monotonic() < until) {
      ::poll(nullptr, 0, look_ms);
      take_effects();
    }
    evidence_.looked(check::files, sold_);
    for (std::uint64_t number = 1; number <= sold_; ++number)
      if (!taken_.contains(number))
        evidence_.wrong(check::files, fmt::format("order {} never came out", number));
  }

 private:
  void sell() {
    const std::string name = fmt::format("order-{:07}.json", sold_ + 1);
    const fs::path beside = directory_ / "erp/in" / (name + ".tmp");
    std::ofstream{beside} << fmt::format(
        R"({{"number":"O-{}","revision":1,"customer":"C-{}","lines":[{{"no":"1","item":"I-{}","qty":"{}"}}]}})",
        sold_ + 1, sold_ % 7, sold_ % 31, 1 + sold_ % 9);
    std::error_code error;
    fs::rename(beside, directory_ / "erp/in" / name, error);
    if (!error) ++sold_;
  }

  // As the warehouse does: what is taken goes to `done`. What comes a second time is a second
  // effect.
  void take_effects() {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{directory_ / "wms/out", error}) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".json")) continue;
      const auto at = name.find("O-");
      const auto number = static_cast<std::uint64_t>(
          at == std::string::npos ? 0 : signed_in(std::string_view{name}.substr(at + 2)));
      if (number == 0 || number > sold_)
        evidence_.wrong(check::files, "an effect that nobody asked for: " + name);
      else if (!taken_.insert(number).second)
        evidence_.wrong(check::files, "came out twice: " + name);
      fs::rename(entry.path(), directory_ / "wms/done" / name, error);
    }
  }

  const fs::path directory_;
  std::uint64_t steps_ = 0, sold_ = 0;
  std::set<std::uint64_t> taken_;
};

}  // namespace

Result<fs::path> make_plant(const fs::path& directory) {
  std::error_code error;
  for (const char* folder : {"adapters", "erp/in", "wms/out", "wms/done"}) {
    fs::create_directories(directory / folder, error);
    if (error) return fail(Errc::io_error, (directory / folder).string() + ": " + error.message());
  }
  const std::pair<const char*, const char*> files[] = {{"erp.toml", erp_definition},
                                                       {"wms.toml", wms_definition},
                                                       {"erp-order.json", erp_mapping},
                                                       {"wms-order.json", wms_mapping}};
  for (const auto& [name, text] : files)
    TRY(sys::write_file_durably(directory / "adapters" / name, text));
  return directory / "adapters";
}

std::unique_ptr<Worker> plant_files(Courier& courier, Evidence& evidence,
                                    const fs::path& directory) {
  return std::make_unique<PlantFiles>(courier, evidence, directory);
}

}  // namespace mainstay::torture
