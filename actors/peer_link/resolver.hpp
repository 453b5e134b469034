// Looks names up on a thread of its own, one after the other. The thread is not waited for at the
// end: the name service may hold it for long, and it owns everything that it still touches.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/peer_link/socket.hpp"

namespace mainstay::peer_link {

class Resolver : public std::enable_shared_from_this<Resolver> {
 public:
  using Done = std::function<void(Result<std::vector<SocketAddress>>)>;

  // Addresses in numbers are answered at once on the calling thread, names later on the resolver's.
  // Not after close().
  void look_up(const HostPort& where, Done done);
  // Returns when no `done` runs and none will.
  void close();

 private:
  void run();

  std::mutex mutex_;
  std::mutex calling_;  // held while `done` runs
  std::condition_variable work_;
  std::deque<std::pair<HostPort, Done>> waiting_;  // guarded by mutex_
  bool started_ = false;                           // guarded by mutex_
  bool closed_ = false;                            // guarded by mutex_
};

}  // namespace mainstay::peer_link
