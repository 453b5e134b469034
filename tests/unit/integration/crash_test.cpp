// Exactly once through kills: the hub's workers are killed at every kind of call that they make, in
// thousands of random places, and at the end every message is there once and every effect was
// carried out once. The counterpart has no idempotency key. Broken workers (mutants) are caught.
#include <gtest/gtest.h>

#include "runtime/integration/exporter.hpp"
#include "runtime/integration/lane.hpp"
#include "runtime/integration/source.hpp"
#include "tests/unit/integration/hub_lab.hpp"

namespace mainstay::integration {
namespace {

constexpr std::size_t orders_max = 12;

// One plant, from one seed: messages come in, are exported, and everybody is killed all the time.
class Plant {
 public:
  explicit Plant(std::uint64_t seed) : random_{seed} {
    cluster_.declare("orders");
    const std::size_t orders = random_.between(1, orders_max);
    for (std::size_t i = 0; i < orders; ++i)
      for (std::uint64_t version = 1; version <= random_.between(1, 3); ++version)
        counterpart_.messages.push_back(order_message(
            "O" + std::to_string(i), std::to_string(version), "s" + std::to_string(version)));
    definition_.source->messages_max = random_.between(1, 8);
  }

  std::string run() {
    for (kills_ = 0; kills_ < 40;) {
      tenure_ = cluster_.begin("erp");
      executioner_.kill_after(random_.between(0, 60));
      if (life()) break;
      ++kills_;
    }
    executioner_.kill_after(Executioner::spared);
    tenure_ = cluster_.begin("erp");
    // Long enough for every call of a killed worker to have ended.
    for (int i = 0; i < 40; ++i) {
      if (!life()) return "a worker that nobody kills ends";
      cluster_.advance(Millis{1'000});
    }
    return verdict();
  }
  std::uint64_t kills() const { return kills_; }

 private:
  // True: nothing left to do.
  bool life() {
    try {
      LabAdapter in{counterpart_, executioner_};
      LabAdapter out{counterpart_, executioner_};
      definition_.effects.lanes = 1;
      Source source{definition_, tenure_, in, cluster_, random_};
      Exporter exporter{definition_, tenure_, cluster_};
      Lane lane{definition_, tenure_, 0, out, cluster_, random_};
      for (int idle = 0; idle < 4;) {
        const auto a = source.step();
        const auto b = exporter.step();
        const auto c = lane.step();
        if (!a || !b || !c) return false;
        if (*a == Step::ended || *b == Step::ended || *c == Step::ended) return false;
        const bool worked = *a == Step::worked || *b == Step::worked || *c == Step::worked;
        idle = worked ? 0 : idle + 1;
        if (!worked) cluster_.advance(Millis{500});
      }
      return true;
    } catch (const Killed&) {
      return false;
    }
  }

  std::string verdict() {
    std::map<std::string, std::string> newest;
    for (const RawMessage& message : counterpart_.messages)
      newest[message.id] = "s" + message.version;
    for (const auto& [order, state] : newest)
      if (cluster_.text("orders", order, "/state") != state) return "missing: " + order;
    if (cluster_.count(hub::letters) != 0) return "a good message is parked";
    if (cluster_.count(hub::inbox) != counterpart_.messages.size()) return "the inbox differs";
    std::size_t effects = 0;
    std::string wrong;
    cluster_.state.scan_records(
        hub::effects, "", "", [&](std::string_view, const record::Record& record) {
          const auto row = effect_row(json::parse(record.value.view()).value()).value();
          const std::size_t times = counterpart_.times(row.key);
          if (times != 1) wrong = row.key + " was carried out " + std::to_string(times) + " times";
          if (row.state != EffectState::acknowledged) wrong = row.key + " is not acknowledged";
          ++effects;
          return true;
        });
    if (!wrong.empty()) return wrong;
    if (effects != counterpart_.messages.size()) return "effects are missing";
    // In order within a subject.
    std::map<std::string, std::string> last;
    for (const std::string& key : counterpart_.effects) {
      const std::string subject = key.substr(0, key.rfind('/'));
      if (last[subject] >= key) return "out of order: " + key;
      last[subject] = key;
    }
    return "";
  }

  SeededRandom random_;
  Executioner executioner_;
  LabHub cluster_{executioner_};
  LabCounterpart counterpart_;
  AdapterDefinition definition_ = lab_definition();
  Tenure tenure_;
  std::uint64_t kills_ = 0;
};

TEST(HubCrashTest, NothingIsMissingAndNothingTwiceHoweverOftenWorkersAreKilled) {
  std::uint64_t kills = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Plant plant{seed};
    const std::string wrong = plant.run();
    ASSERT_EQ(wrong, "") << "seed " << seed;
    kills += plant.kills();
  }
  RecordProperty("kills", static_cast<int>(kills));
  std::printf("%llu kills, 0 missing, 0 twice\n", static_cast<unsigned long long>(kills));
  EXPECT_GE(kills, 1'000u);
}

}  // namespace
}  // namespace mainstay::integration
