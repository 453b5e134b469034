#include "actors/peer_link/resolver.hpp"

#include <thread>

namespace mainstay::peer_link {

void Resolver::look_up(const HostPort& where, Done done) {
  auto numeric = numeric_addresses(where);
  if (!numeric.empty()) return done(std::move(numeric));
  const std::lock_guard lock{mutex_};
  if (closed_) return;
  waiting_.emplace_back(where, std::move(done));
  if (!started_) {
    started_ = true;
    std::thread{[self = shared_from_this()] { self->run(); }}.detach();
  }
  work_.notify_one();
}

void Resolver::close() {
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    waiting_.clear();
  }
  work_.notify_all();
  const std::lock_guard nothing_runs{calling_};
}

void Resolver::run() {
  std::unique_lock lock{mutex_};
  while (true) {
    work_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (closed_) return;
    auto [where, done] = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    auto found = resolve(where);
    {
      const std::lock_guard calling{calling_};
      lock.lock();
      const bool closed = closed_;
      lock.unlock();
      if (!closed) done(std::move(found));
    }
    lock.lock();
  }
}

}  // namespace mainstay::peer_link
