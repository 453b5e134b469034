#include "actors/gateway/read_batcher.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mainstay::gateway {

ReadBatcher::~ReadBatcher() {
  const auto stop = [](std::vector<Read>& reads) {
    for (Read& read : reads) read.done(fail(Errc::not_ready, "the node stopped"));
  };
  stop(queue_);
  if (asked_) stop(asked_->reads);
  for (auto& [index, round] : confirmed_) stop(round.reads);
}

void ReadBatcher::add(MonotonicTime deadline, ReadHandler done) {
  queue_.push_back(Read{deadline, std::move(done)});
}

std::optional<std::uint64_t> ReadBatcher::next_round(MonotonicTime now) {
  if (queue_.empty() || asked_ || now < not_before_) return std::nullopt;
  asked_ = Round{next_context_++, now, std::move(queue_)};
  queue_.clear();
  ++rounds_;
  return asked_->context;
}

void ReadBatcher::read_point(std::uint64_t context, std::uint64_t index, MonotonicTime now) {
  if (!asked_ || asked_->context != context) return;
  Round round = std::move(*asked_);
  asked_.reset();
  if (index == 0) {
    not_before_ = now + options_.retry_pause;
    again(std::move(round.reads));
  } else if (index <= applied_) {
    serve(std::move(round), now);
  } else {
    confirmed_.emplace(index, std::move(round));
  }
}

void ReadBatcher::applied(std::uint64_t index, MonotonicTime now) {
  applied_ = std::max(applied_, index);
  while (!confirmed_.empty() && confirmed_.begin()->first <= applied_) {
    auto node = confirmed_.extract(confirmed_.begin());
    serve(std::move(node.mapped()), now);
  }
}

void ReadBatcher::expire(MonotonicTime now) {
  if (asked_ && now - asked_->asked >= options_.round_timeout) {
    Round round = std::move(*asked_);
    asked_.reset();
    again(std::move(round.reads));
  }
  give_up(queue_, now);
  if (asked_) give_up(asked_->reads, now);
  for (auto& [index, round] : confirmed_) give_up(round.reads, now);
}

std::size_t ReadBatcher::waiting() const {
  std::size_t count = queue_.size() + (asked_ ? asked_->reads.size() : 0);
  for (const auto& [index, round] : confirmed_) count += round.reads.size();
  return count;
}

// Before those that came later: they have waited longest.
void ReadBatcher::again(std::vector<Read> reads) {
  ++repeated_;
  queue_.insert(queue_.begin(), std::make_move_iterator(reads.begin()),
                std::make_move_iterator(reads.end()));
}

void ReadBatcher::serve(Round round, MonotonicTime now) {
  const bool fresh = now - round.asked < options_.fresh_for;
  std::vector<Read> second_look;
  for (Read& read : round.reads) {
    if (fresh || read.looked_twice) {
      read.done({});
    } else {
      read.looked_twice = true;
      second_look.push_back(std::move(read));
    }
  }
  if (!second_look.empty()) again(std::move(second_look));
}

void ReadBatcher::give_up(std::vector<Read>& reads, MonotonicTime now) {
  const auto late = std::stable_partition(reads.begin(), reads.end(),
                                          [now](const Read& read) { return now < read.deadline; });
  for (auto at = late; at != reads.end(); ++at)
    at->done(
        fail(Errc::deadline_exceeded, "no majority confirmed a read point before the deadline"));
  reads.erase(late, reads.end());
}

}  // namespace mainstay::gateway
