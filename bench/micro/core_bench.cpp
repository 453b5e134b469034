// The core's own cost of a commit: three cores in one thread, messages handed over directly,
// persists done at once in memory.
#include <deque>
#include <memory>

#include <benchmark/benchmark.h>

#include "bench/micro/samples.hpp"
#include "runtime/consensus/core.hpp"

namespace mainstay::bench {
namespace {

using namespace consensus;

// A log in memory. Never compacted: runs are short.
class MemoryLog final : public LogReader {
 public:
  Index first_index() const override { return 1; }
  Index last_index() const override { return entries_.size(); }
  std::optional<Term> term(Index index) const override {
    if (index == 0) return 0;
    return index <= entries_.size() ? std::optional{entries_[index - 1].term} : std::nullopt;
  }
  std::vector<Entry> entries(Index low, Index high, std::size_t bytes_max) const override {
    std::vector<Entry> found;
    std::size_t bytes = 0;
    for (; low < high; ++low) {
      bytes += entries_[low - 1].bytes();
      if (bytes > bytes_max && !found.empty()) break;
      found.push_back(entries_[low - 1]);
    }
    return found;
  }
  SnapshotMeta snapshot() const override { return {}; }
  std::vector<Entry> membership_entries() const override { return {}; }

  void write(const Persist& persist) {
    if (persist.truncate_from) entries_.resize(*persist.truncate_from - 1);
    entries_.insert(entries_.end(), persist.entries.begin(), persist.entries.end());
  }

 private:
  std::deque<Entry> entries_;
};

struct Group {
  explicit Group(std::size_t nodes) {
    Membership membership;
    for (std::size_t i = 1; i <= nodes; ++i) {
      Member member;
      member.id = NodeId{i};
      member.incarnation = Incarnation{i};
      membership.members.push_back(member);
    }
    for (std::size_t i = 1; i <= nodes; ++i) {
      CoreOptions options;
      options.id = NodeId{i};
      options.incarnation = Incarnation{i};
      logs.push_back(std::make_unique<MemoryLog>());
      cores.push_back(
          std::make_unique<Core>(options, InitialState{{}, membership, 0}, *logs.back(), random));
    }
    while (cores[0]->role() != CoreRole::leader) {
      cores[0]->tick();
      settle();
    }
  }

  // Until no core has anything to say; returns the messages that were exchanged.
  std::size_t settle() {
    std::size_t messages = 0;
    for (bool busy = true; busy;) {
      busy = false;
      for (std::size_t i = 0; i < cores.size(); ++i) {
        while (cores[i]->has_ready()) {
          busy = true;
          messages += run(i, cores[i]->take_ready());
        }
      }
    }
    return messages;
  }

  std::size_t run(std::size_t node, Ready ready) {
    logs[node]->write(ready.persist);
    if (!ready.persist.empty()) cores[node]->stored(ready.persist.mark);
    std::size_t messages = ready.send_now.size() + ready.send_after_stored.size();
    for (auto* list : {&ready.send_now, &ready.send_after_stored})
      for (auto& message : *list) {
        Core& receiver = *cores[message.to.value - 1];
        receiver.step(std::move(message));
      }
    if (!ready.committed.empty()) cores[node]->applied(ready.committed.back().index);
    return messages;
  }

  SeededRandom random{1};
  std::vector<std::unique_ptr<MemoryLog>> logs;
  std::vector<std::unique_ptr<Core>> cores;
};

void core_commit(benchmark::State& state) {
  Group group{static_cast<std::size_t>(state.range(0))};
  const Bytes payload{std::string(256, 'v')};
  std::size_t messages = 0;
  for (auto _ : state) {
    if (!group.cores[0]->propose(payload)) state.SkipWithError("refused");
    messages += group.settle();
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["messages"] =
      benchmark::Counter(static_cast<double>(messages), benchmark::Counter::kAvgIterations);
}
BENCHMARK(core_commit)->Arg(1)->Arg(3)->Arg(5);

void core_read_round(benchmark::State& state) {
  Group group{static_cast<std::size_t>(state.range(0))};
  std::uint64_t context = 0;
  for (auto _ : state) {
    for (int reads = 0; reads < 64; ++reads) group.cores[0]->read_index(++context);
    group.settle();
  }
  state.SetItemsProcessed(state.iterations() * 64);
}
BENCHMARK(core_read_round)->Arg(3);

}  // namespace
}  // namespace mainstay::bench
