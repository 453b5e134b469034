#include "tests/harness/sim_disk.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/assert.hpp"
#include "tests/harness/disk_state.hpp"

namespace mainstay::harness {

namespace {

using Guard = std::lock_guard<std::recursive_mutex>;

off_t size_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? status.st_size : 0;
}

void write_back(int fd, std::uint64_t offset, std::string bytes, std::uint64_t length) {
  bytes.resize(length, '\0');
  real_call::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
}

// How a power cut treats one dirty block: keep, lose, or tear it at a sector.
void lose_block(const DiskFile& file, std::uint64_t block, const std::string& before,
                Random& random) {
  std::string old = before;
  old.resize(disk_block_bytes, '\0');
  if (random.between(0, 7) != 0) {
    write_back(file.fd, block * disk_block_bytes, old, disk_block_bytes);
    return;
  }
  for (std::uint64_t at = 0; at < disk_block_bytes; at += disk_sector_bytes)
    if (random.between(0, 1) == 0)
      write_back(file.fd, block * disk_block_bytes + at, old.substr(at, disk_sector_bytes),
                 disk_sector_bytes);
}

std::size_t lose_part(DiskFile& file, Random& random) {
  // Three worlds: nothing of it was written back yet, all of it was, or some of it.
  const std::uint64_t world = random.between(0, 3);
  std::size_t lost = 0;
  const off_t size = size_of(file.fd);
  for (const auto& [block, before] : file.before) {
    if (world == 1 || (world >= 2 && random.between(0, 1) == 0)) continue;
    lose_block(file, block, before, random);
    ++lost;
  }
  if (file.size_changed) {
    const bool lose_size = world == 0 || (world >= 2 && random.between(0, 1) == 0);
    real_call::ftruncate(file.fd, lose_size ? file.durable_size : size);
  }
  file.before.clear();
  file.dropped.clear();
  file.size_changed = false;
  file.durable_size = size_of(file.fd);
  return lost;
}

void undo(const DirectoryChange& change) {
  switch (change.kind) {
    case DirectoryChange::Kind::rename:
      real_call::rename(change.to.c_str(), change.from.c_str());
      if (!change.parked.empty()) real_call::rename(change.parked.c_str(), change.to.c_str());
      break;
    case DirectoryChange::Kind::unlink:
      if (!change.parked.empty()) real_call::rename(change.parked.c_str(), change.from.c_str());
      break;
    case DirectoryChange::Kind::rmdir:
      real_call::mkdir(change.from.c_str(), 0755);
      break;
    case DirectoryChange::Kind::mkdir:
      std::filesystem::remove_all(change.from);
      break;
  }
}

}  // namespace

void SimDisk::State::forget_files() {
  for (auto& [key, file] : files)
    if (file->fd >= 0) ::close(file->fd);
  files.clear();
  for (const DirectoryChange& change : changes)
    if (!change.parked.empty()) real_call::unlink(change.parked.c_str());
  changes.clear();
}

SimDisk::SimDisk(std::filesystem::path directory)
    : directory_{std::move(directory)}, state_{std::make_unique<State>()} {
  std::filesystem::create_directories(directory_);
  state_->root = directory_.string() + "/";
  state_->parked = directory_.string() + ".parked/";
  std::filesystem::create_directories(state_->parked);
  Guard guard{disk_registry().mutex};
  disk_registry().disks.push_back(state_.get());
}

SimDisk::~SimDisk() {
  const PastTheDisk past;
  {
    Guard guard{disk_registry().mutex};
    state_->forget_files();
    auto& disks = disk_registry().disks;
    disks.erase(std::find(disks.begin(), disks.end(), state_.get()));
  }
  std::error_code
      ignored;  // a test directory on a memory file system: nothing depends on its removal
  std::filesystem::remove_all(directory_, ignored);
  std::filesystem::remove_all(state_->parked, ignored);
}

void SimDisk::detach() {
  Guard guard{disk_registry().mutex};
  state_->detached = true;
}

void SimDisk::attach() {
  Guard guard{disk_registry().mutex};
  state_->detached = false;
}

std::size_t SimDisk::power_cut(Random& random) {
  const PastTheDisk past;
  std::size_t lost = 0;
  for (auto& [key, file] : state_->files) lost += lose_part(*file, random);
  const std::size_t kept = random.between(0, state_->changes.size());
  while (state_->changes.size() > kept) {
    undo(state_->changes.back());
    state_->changes.pop_back();
    ++lost;
  }
  state_->forget_files();
  return lost;
}

void SimDisk::cut_after(std::uint64_t operations) {
  state_->cut_armed = true;
  state_->cut_in = operations;
}

bool SimDisk::cut_happened() const {
  return state_->cut;
}

void SimDisk::clear_cut() {
  state_->cut_armed = state_->cut = false;
}

void SimDisk::fail_after(std::uint64_t operations, int error) {
  state_->failure_armed = true;
  state_->failure_in = operations;
  state_->failure = error;
}

void SimDisk::fail_from_sync_of(const std::string& suffix, int error) {
  Guard guard{disk_registry().mutex};
  state_->failure_from = suffix;
  state_->failure = error;
}

bool SimDisk::failure_happened() const {
  return state_->failing;
}

void SimDisk::clear_failure() {
  Guard guard{disk_registry().mutex};
  state_->failure_armed = state_->failing = false;
  state_->failure_from.clear();
}

void SimDisk::disarm_cut() {
  if (!state_->cut) state_->cut_armed = false;
}

namespace {

// What a file below `directory` whose path ends with `suffix` holds; "" for neither.
std::pair<std::string, std::string> read_one(const std::filesystem::path& directory,
                                             const std::string& suffix) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const std::string path = entry.path().string();
    if (!entry.is_regular_file() || !path.ends_with(suffix)) continue;
    std::ifstream file{path, std::ios::binary};
    return {path, std::string{std::istreambuf_iterator<char>{file}, {}}};
  }
  return {};
}

bool flip(const std::string& path, std::string& bytes, std::size_t at, std::uint64_t bit) {
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool done = real_call::pwrite(fd, &bytes[at], 1, static_cast<off_t>(at)) == 1;
  ::close(fd);
  return done;
}

}  // namespace

bool SimDisk::flip_bit(const std::string& suffix, const std::string& text, Random& random) {
  const PastTheDisk past;
  auto [path, bytes] = read_one(directory_, suffix);
  std::vector<std::size_t> places;
  for (std::size_t at = bytes.find(text); at != std::string::npos; at = bytes.find(text, at + 1))
    places.push_back(at);
  if (places.empty()) return false;
  const std::size_t at =
      places[random.between(0, places.size() - 1)] + random.between(0, text.size() - 1);
  return flip(path, bytes, at, random.between(0, 6));
}

bool SimDisk::flip_any_bit(const std::string& suffix, Random& random) {
  const PastTheDisk past;
  auto [path, bytes] = read_one(directory_, suffix);
  const std::size_t last = bytes.find_last_not_of('\0');
  if (last == std::string::npos) return false;
  return flip(path, bytes, random.between(0, last), random.between(0, 7));
}

bool SimDisk::flip_bit_at(const std::string& suffix, std::uint64_t at, Random& random) {
  const PastTheDisk past;
  auto [path, bytes] = read_one(directory_, suffix);
  return at < bytes.size() && flip(path, bytes, at, random.between(0, 7));
}

void SimDisk::wipe() {
  const PastTheDisk past;
  state_->forget_files();
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directories(directory_);
}

std::uint64_t SimDisk::writes() const {
  return state_->writes;
}

std::uint64_t SimDisk::syncs() const {
  return state_->syncs;
}

std::size_t SimDisk::unsynced_blocks() const {
  std::size_t sum = 0;
  for (const auto& [key, file] : state_->files) sum += file->before.size();
  return sum;
}

}  // namespace mainstay::harness
