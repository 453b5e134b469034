#include "runtime/torture/load.hpp"

#include <fmt/format.h>

#include "runtime/torture/files.hpp"

namespace mainstay::torture {

namespace {

// Between two requests of one worker: the load is that of a plant, not the most that can be had, so
// that what is measured is the faults and not a full machine.
constexpr Millis pace{25};
constexpr Millis final_patience{30'000};
constexpr int registers_a_node = 2;

}  // namespace

Load::Load(const std::vector<config::Endpoint>& endpoints, Timeline& timeline, Evidence& evidence,
           std::uint64_t seed, const std::filesystem::path& plant)
    : timeline_{timeline}, evidence_{evidence}, registers_{evidence} {
  const auto nodes = static_cast<std::uint32_t>(endpoints.size());
  std::uint64_t client = 0;
  for (std::uint32_t node = 1; node <= nodes; ++node) {
    couriers_.push_back(std::make_unique<Courier>(endpoints, node - 1, timeline));
    Courier& courier = *couriers_.back();
    const auto next_seed = [&] { return seed * 1000 + ++client; };
    for (int i = 0; i < registers_a_node; ++i)
      workers_.push_back(register_client(courier, evidence, registers_, timeline,
                                         fmt::format("r{}{}", node, i), next_seed()));
    workers_.push_back(set_writer(courier, evidence, fmt::format("s{}", node), nodes));
    workers_.push_back(
        counter_writer(courier, evidence, sums_, fmt::format("c{}", node), next_seed()));
    workers_.push_back(
        ledger_writer(courier, evidence, sums_, fmt::format("l{}", node), next_seed()));
    workers_.push_back(
        pair_writer(courier, evidence, sums_, fmt::format("t{}", node), next_seed()));
    workers_.push_back(feed_reader(courier, evidence, feed_sums_, fmt::format("reader {}", node)));
  }
  if (!plant.empty()) workers_.push_back(plant_files(*couriers_.front(), evidence, plant));
}

Load::~Load() {
  stop();
}

void Load::plant_lost_write() {
  for (const auto& worker : workers_) worker->plant_lost_write();
}

void Load::start() {
  for (std::size_t i = 0; i < workers_.size(); ++i)
    threads_.emplace_back([this, i] { run(*workers_[i], i); });
}

void Load::run(Worker& worker, std::size_t number) {
  // Not all in the same moment.
  Millis wait{static_cast<std::int64_t>(number) % pace.count()};
  for (;;) {
    {
      std::unique_lock lock{mutex_};
      if (stopped_.wait_for(lock, wait, [this] { return stopping_; })) return;
    }
    worker.step();
    wait = pace;
  }
}

void Load::stop() {
  {
    const std::lock_guard guard{mutex_};
    stopping_ = true;
  }
  stopped_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Load::check() {
  registers_.judge_rest();
  Courier& courier = *couriers_.front();
  const Answer last = courier.ask_quietly(
      {http::Method::put, "/v1/collections/torture-registers/records/last", "1", "last"},
      final_patience);
  if (last.revision == 0)
    evidence_.wrong(check::acknowledged, "no write is possible after the faults");
  for (const auto& worker : workers_) worker->finish(last.revision);
  compare_sums(courier, evidence_, sums_, static_cast<std::uint32_t>(couriers_.size()));
  const Answer set =
      courier.ask_quietly({http::Method::get, "/v1/collections/torture-set"}, final_patience);
  const std::uint64_t members = number_of(object_in(set.body), "records");
  for (const auto& [name, sum] : feed_sums_.of_reader) {
    if (sum.set_changes != members)
      evidence_.wrong(check::feed, fmt::format("{} saw {} members come into a set that has {}",
                                               name, sum.set_changes, members));
    if (!(sum == feed_sums_.of_reader.begin()->second))
      evidence_.wrong(check::feed,
                      fmt::format("{} saw {} changes, others {} or other ones", name, sum.changes,
                                  feed_sums_.of_reader.begin()->second.changes));
  }
}

}  // namespace mainstay::torture
