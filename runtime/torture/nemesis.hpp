// Carries out the plan: does each fault to the lab when its moment comes, undoes it, waits until
// every node is well again, and keeps what happened. Also what a service manager does: a node that
// ends is started again.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/torture/courier.hpp"
#include "runtime/torture/evidence.hpp"
#include "runtime/torture/lab.hpp"
#include "runtime/torture/open_image.hpp"
#include "runtime/torture/plan.hpp"
#include "runtime/torture/timeline.hpp"

namespace mainstay::torture {

namespace check {
inline constexpr const char* ends = "no node ends for another reason";
inline constexpr const char* recovers = "nodes are well after each fault";
inline constexpr const char* images = "crash images keep what was promised";
}  // namespace check

// A fault as it happened.
struct Struck {
  Fault fault;
  std::uint32_t node = 0;  // that it was done to; 0: all
  Millis from{}, healed{}, well{};
  std::string left_out;  // why, if it was
  std::string note;

  bool happened() const { return left_out.empty(); }
};

struct NemesisOptions {
  std::filesystem::path directory;  // for recordings and images
  std::filesystem::path tool;       // this program, to open images
  std::uint64_t seed = 1;
  std::uint32_t images = 8;  // places of a recording at which disks are built, three each
};

// One thread: the one that made the lab.
class Nemesis {
 public:
  Nemesis(Lab& lab, Courier& courier, Evidence& evidence, const Timeline& timeline,
          const std::atomic<bool>& interrupted, const NemesisOptions& options);

  // Waits for its moment, does it, and returns when all is well again.
  void strike(const Fault& fault);
  // Waits until then, and starts nodes that end.
  void idle_until(Millis since_begin);
  // Everything as it was; true when all nodes are ready, and voters, within `patience`.
  bool make_well(Millis patience);
  // All nodes hold the same by their own word: voters all, applied equally, hashes agreed.
  bool agreed(Millis patience);

  const std::vector<Struck>& struck() const { return struck_; }

 private:
  using Act = std::function<void(Struck&)>;
  std::string obstacle(const Fault& fault) const;
  void act(Struck& struck);
  void act_on_process(Struck& struck);
  void act_on_network(Struck& struck);
  void act_on_disk(Struck& struck);

  void kill_all(Struck& struck);
  void drain(std::uint32_t node, Struck& struck);
  void membership(Struck& struck);
  void flap(Struck& struck);
  void sync_error(Struck& struck);

  // Crash images (crash_images.cpp).
  struct Promise {
    std::uint64_t position = 0;  // of the recording: from here on it holds
    std::uint64_t index = 0, term = 0;
  };
  void crash_images(Struck& struck);
  std::vector<Promise> watch_promises(std::uint32_t node, Millis lasts);
  void check_images(Struck& struck, const std::vector<Promise>& promises,
                    const std::filesystem::path& base, const std::filesystem::path& recording);
  // `before`: the least that an earlier moment had made durable.
  void judge_image(const std::string& where, const Result<Opened>& opened, const Promise& promised,
                   const Opened& before);

  std::optional<json::Value> view(std::uint32_t node);
  std::uint32_t leader(Millis patience);  // 0: none
  bool ready(std::uint32_t node);
  bool all_voters();  // by every node's word
  void start(std::uint32_t node, const std::filesystem::path& recording = {});
  void supervise();
  bool wait_until(Millis patience, const std::function<bool()>& done);
  void idle(Millis time);
  void link_all(const Link& link);
  void link_pair(std::uint32_t a, std::uint32_t b, const Link& link);
  void cut_from_others(std::uint32_t node, bool in, bool out);

  Lab& lab_;
  Courier& courier_;
  Evidence& evidence_;
  const Timeline& timeline_;
  const std::atomic<bool>& interrupted_;
  const NemesisOptions options_;
  SeededRandom random_;
  std::vector<Struck> struck_;
  bool disk_faulty_ = false;  // a node may end because of its disk
  std::map<std::uint32_t, MonotonicTime> start_again_;
};

}  // namespace mainstay::torture
