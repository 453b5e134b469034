// A reader of the change feed: whatever node answers, it sees each change once and in order.
#include <fmt/format.h>

#include "runtime/torture/worker.hpp"

namespace mainstay::torture {

namespace {

constexpr int wait_ms = 200;  // of the long poll
constexpr std::size_t finish_pages_max = 100'000;

class FeedReader final : public Worker {
 public:
  FeedReader(Courier& courier, Evidence& evidence, FeedSums& sums, std::string name)
      : Worker{courier, evidence}, sums_{sums}, name_{std::move(name)} {}

  void step() override { read(UINT64_MAX); }

  void finish(std::uint64_t revision) override {
    for (std::size_t page = 0; next_ < revision; ++page) {
      if (page > finish_pages_max || !read(revision)) {
        evidence_.wrong(check::feed,
                        fmt::format("{} got as far as revision {} of {}", name_, next_, revision));
        break;
      }
    }
    const std::lock_guard guard{sums_.mutex};
    sums_.of_reader[name_] = {changes_, set_changes_, hash_.digest()};
  }

 private:
  // One page; what is behind `last` is left out. False: there was none.
  bool read(std::uint64_t last) {
    const Answer answer = courier_.ask(
        {http::Method::get,
         fmt::format("/v1/changes?collection=torture-registers,torture-set,torture-counters,"
                     "torture-pairs,torture-ledger&limit=500&after={}&wait={}",
                     next_, wait_ms)});
    if (answer.status == 0) return true;  // nobody could serve: once more, from the same place
    if (!answer.good()) {
      evidence_.wrong(check::feed, fmt::format("{} was refused behind {}: {} {:.200}", name_, next_,
                                               answer.status, answer.body));
      return false;
    }
    const json::Value page = object_in(answer.body);
    if (const json::Value* changes = page.find("changes"); changes != nullptr)
      for (const json::Value& change : changes->items()) take(change, last, answer.node);
    next_ = std::max(next_, number_of(page, "next"));
    return true;
  }

  void take(const json::Value& change, std::uint64_t last, std::uint32_t node) {
    const std::uint64_t revision = number_of(change, "revision");
    const std::uint64_t position = number_of(change, "position");
    const std::uint64_t of = number_of(change, "of");
    if (revision > last) return;
    evidence_.looked(check::feed);
    // Behind a whole commit comes position 0 of a later one; within it, the next position.
    const bool in_order = left_ == 0 ? revision > revision_ && position == 0
                                     : revision == revision_ && position == position_ + 1;
    if (!in_order)
      evidence_.wrong(
          check::feed,
          fmt::format("{} at node {}: {}.{} of {} after {}.{}, of which {} were missing", name_,
                      node, revision, position, of, revision_, position_, left_));
    revision_ = revision;
    position_ = position;
    left_ = of > position ? of - position - 1 : 0;
    ++changes_;
    if (text_of(change, "collection") == "torture-set") ++set_changes_;
    hash_.update(fmt::format("{} {} {} {} {}\n", revision, position, text_of(change, "collection"),
                             text_of(change, "key"), number_of(change, "version")));
  }

  FeedSums& sums_;
  const std::string name_;
  std::uint64_t next_ = 0;
  std::uint64_t revision_ = 0, position_ = 0, left_ = 0;
  std::uint64_t changes_ = 0, set_changes_ = 0;
  Hash128Stream hash_;
};

}  // namespace

std::unique_ptr<Worker> feed_reader(Courier& courier, Evidence& evidence, FeedSums& sums,
                                    const std::string& name) {
  return std::make_unique<FeedReader>(courier, evidence, sums, name);
}

}  // namespace mainstay::torture
