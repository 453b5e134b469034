// What the integration hub costs a message: its shape against the known one, and the whole intake
// into tables in memory.
#include <benchmark/benchmark.h>

#include "runtime/integration/fingerprint.hpp"
#include "runtime/integration/intake.hpp"
#include "tests/unit/integration/hub_lab.hpp"

namespace mainstay::bench {
namespace {

std::string wide_order(std::uint64_t number, std::int64_t fields) {
  std::string text = R"({"id":"O-)" + std::to_string(number) + R"(","seq":"1","state":"confirmed")";
  for (std::int64_t i = 3; i < fields; ++i)
    text += ",\"field_" + std::to_string(i) + "\":\"value " + std::to_string(i) + "\"";
  return text + "}";
}

integration::Fingerprint known_shape(const json::Value& document) {
  integration::Fingerprint known;
  for (int i = 0; i < 60; ++i) known = integration::compare(known, document).next;
  return known;
}

void hub_shape_compared(benchmark::State& state) {
  const json::Value document = json::parse(wide_order(1, state.range(0))).value();
  const auto known = known_shape(document);
  for (auto _ : state) benchmark::DoNotOptimize(integration::compare(known, document));
}
BENCHMARK(hub_shape_compared)->Arg(20)->Arg(200);

void hub_shape_recognised(benchmark::State& state) {
  const json::Value document = json::parse(wide_order(1, state.range(0))).value();
  const auto known = known_shape(document);
  for (auto _ : state) benchmark::DoNotOptimize(integration::teaches_nothing(known, document));
}
BENCHMARK(hub_shape_recognised)->Arg(20)->Arg(200);

void hub_intake(benchmark::State& state) {
  using namespace integration;
  constexpr std::uint64_t at_once = 100;
  Executioner executioner;
  LabHub cluster{executioner};
  cluster.declare("orders");
  LabCounterpart counterpart;
  LabAdapter adapter{counterpart, executioner};
  const AdapterDefinition definition = lab_definition();
  const Tenure tenure = cluster.begin("erp");
  Intake intake{definition, tenure, adapter, cluster};
  std::uint64_t number = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<Incoming> messages;
    for (std::uint64_t i = 0; i < at_once; ++i) {
      RawMessage message = order_message("O-" + std::to_string(++number), "1");
      message.body = wide_order(number, state.range(0));
      messages.push_back({std::move(message)});
    }
    state.ResumeTiming();
    benchmark::DoNotOptimize(intake.take(std::move(messages), {}));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(number));
}
BENCHMARK(hub_intake)->Arg(20)->Arg(200);

}  // namespace
}  // namespace mainstay::bench
