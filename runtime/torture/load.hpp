// The load: every worker on a thread of its own, a client of each node.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/torture/courier.hpp"
#include "runtime/torture/evidence.hpp"
#include "runtime/torture/registers.hpp"
#include "runtime/torture/timeline.hpp"
#include "runtime/torture/worker.hpp"

namespace mainstay::torture {

class Load {
 public:
  // `plant`: the folder of plant_files; "" for none.
  Load(const std::vector<config::Endpoint>& endpoints, Timeline& timeline, Evidence& evidence,
       std::uint64_t seed, const std::filesystem::path& plant);
  // Takes a write for acknowledged that nobody sends. Before start().
  void plant_lost_write();
  ~Load();  // stops it

  void start();
  void stop();  // returns when the last request has its answer, or its patience has ended
  // After stop(), with all nodes well: everything that was acknowledged is demanded.
  void check();

 private:
  void run(Worker& worker, std::size_t number);

  Timeline& timeline_;
  Evidence& evidence_;
  Sums sums_;
  FeedSums feed_sums_;
  RegisterHistory registers_;
  std::vector<std::unique_ptr<Courier>> couriers_;  // of node 1, 2, ...
  std::vector<std::unique_ptr<Worker>> workers_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mainstay::torture
