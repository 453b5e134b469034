// The fault "crash images": a node's writes are recorded while others see what it promises; then
// disks are built as power cuts would have left them, and opened by the real store.
#include <algorithm>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "runtime/sys/clock.hpp"
#include "runtime/torture/crash_image.hpp"
#include "runtime/torture/nemesis.hpp"
#include "runtime/torture/open_image.hpp"

namespace mainstay::torture {

namespace fs = std::filesystem;

namespace {

constexpr Millis open_within{60'000};
constexpr Millis ready_within{20'000};
constexpr std::uint64_t images_bytes_max = 6ULL << 30U;  // memory that is used as it is written

// In a process of its own: the tool, asked to open one image.
Result<Opened> open_elsewhere(const fs::path& tool, const fs::path& image, std::uint32_t node,
                              const fs::path& output) {
  std::error_code ignored;  // it may not be there
  fs::remove(output, ignored);
  Command command{{tool.string(), "torture", "--open-image", image.string(), "--image-node",
                   std::to_string(node)}};
  command.output = output.string();
  TRY_ASSIGN(Process process, Process::start(command));
  const auto code = process.wait(open_within);
  std::ifstream file{output};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto line = text.rfind("opened ");
  if (code != 0 || line == std::string::npos)
    return fail(Errc::corrupt,
                fmt::format("exit code {}: {:.300}", code ? std::to_string(*code) : "none", text));
  return opened_of(text.substr(line));
}

}  // namespace

void Nemesis::crash_images(Struck& struck) {
  const std::uint32_t node = struck.node;
  const fs::path work = options_.directory / "images";
  const fs::path base = work / "base", recording = work / "recording";
  std::error_code error;
  fs::remove_all(work, error);
  fs::create_directories(work, error);
  // In memory, where that is permitted: the copies must not make the nodes' own disk slow.
  const bool mounted =
      lab_.network() != nullptr && mount_memory(work.string(), images_bytes_max).has_value();
  lab_.kill(node);
  fs::copy(lab_.data(node), base, fs::copy_options::recursive, error);
  start(node, recording);
  if (error) struck.note = "its directory could not be copied: " + error.message();
  wait_until(ready_within, [&] { return ready(node); });
  const std::vector<Promise> promises = watch_promises(node, struck.fault.lasts);
  lab_.kill(node);
  start(node);
  if (struck.note.empty()) check_images(struck, promises, base, recording);
  if (mounted) unmount_memory(work.string());
  fs::remove_all(work, error);
}

// What a leader says that this node has stored was promised to it; and a node that leads or follows
// a term has stored that term.
std::vector<Nemesis::Promise> Nemesis::watch_promises(std::uint32_t node, Millis lasts) {
  std::vector<Promise> promises;
  const auto until = sys::system_clock().monotonic() + lasts;
  while (sys::system_clock().monotonic() < until && !interrupted_) {
    for (std::uint32_t other = 1; other <= lab_.nodes(); ++other) {
      const auto seen = view(other);
      if (!seen || text_of(*seen, "role") != "leader") continue;
      Promise promise;
      const json::Value* members = seen->find("members");
      for (const json::Value& member : members != nullptr ? members->items() : json::Array{}) {
        if (number_of(member, "id") != node) continue;
        promise.index = std::min(number_of(member, "match"), number_of(*seen, "commit"));
      }
      if (other == node) promise.index = 0;  // its own log may be behind what the others stored
      if (promise.index > 0 || other == node) promise.term = number_of(*seen, "term");
      promise.position = lab_.control(node)->recorded;  // behind all that came before the answer
      if (promise.term > 0) promises.push_back(promise);
    }
    idle(Millis{40});
  }
  return promises;
}

void Nemesis::judge_image(const std::string& where, const Result<Opened>& opened,
                          const Promise& promised, const Opened& before) {
  if (!opened) {
    evidence_.wrong(check::images, where + ": " + opened.error().message);
    return;
  }
  if (opened->last_index < promised.index || opened->term < promised.term)
    evidence_.wrong(
        check::images,
        fmt::format("{}: entry {} and term {} were promised, the log ends with {} in term {}",
                    where, promised.index, promised.term, opened->last_index, opened->term));
  if (opened->term < before.term ||
      (opened->term == before.term && before.vote != 0 && opened->vote != before.vote))
    evidence_.wrong(check::images,
                    fmt::format("{}: term {} vote {} after term {} vote {}", where, opened->term,
                                opened->vote, before.term, before.vote));
}

void Nemesis::check_images(Struck& struck, const std::vector<Promise>& promises,
                           const fs::path& base, const fs::path& recording) {
  const fs::path work = options_.directory / "images";
  const std::uint32_t node = struck.node;
  auto images = CrashImages::open(recording, lab_.data(node), base, work / "state");
  if (!images) {
    struck.note = images.error().message;
    return;
  }
  std::vector<std::uint64_t> places;
  std::uint64_t end = 0;
  for (const Promise& promise : promises) end = std::max(end, promise.position);
  for (std::uint32_t i = 0; i < options_.images; ++i)
    places.push_back(random_.between(1, std::max<std::uint64_t>(1, end)));
  std::sort(places.begin(), places.end());
  std::uint64_t built = 0, lost = 0;
  Opened before;  // the least that an earlier moment had made durable
  for (const std::uint64_t place : places) {
    if (interrupted_) break;
    if (const auto advanced = images->advance(place); !advanced) {
      evidence_.wrong(check::images, advanced.error().message);
      break;
    }
    Promise promised;
    for (const Promise& promise : promises) {
      if (promise.position > images->position()) continue;
      promised.index = std::max(promised.index, promise.index);
      promised.term = std::max(promised.term, promise.term);
    }
    for (const Kept kept : {Kept::nothing, Kept::some, Kept::some}) {
      const fs::path image = work / "image";
      std::error_code error;
      fs::remove_all(image, error);
      if (const auto made = images->build(image, kept, random_); !made) {
        struck.note = "no image could be built: " + made.error().message;  // no room for it
        return;
      }
      const auto opened = open_elsewhere(options_.tool, image, node, work / "said");
      supervise();
      evidence_.looked(check::images);
      ++built;
      lost += images->unsynced();
      judge_image(fmt::format("node {}, record {} of its recording", node, images->position()),
                  opened, promised, before);
      if (kept == Kept::nothing && opened) before = *opened;
    }
  }
  struck.note = fmt::format("{} images, {} promises, {} unsynced writes at stake", built,
                            promises.size(), lost);
}

}  // namespace mainstay::torture
