#include "runtime/store/checkpoint.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "runtime/base/assert.hpp"
#include "runtime/base/checksum.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/store/byte_order.hpp"
#include "runtime/store/record_store_open.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::store {
namespace {

constexpr std::uint32_t slot_version = 2;
constexpr std::size_t slot_header_bytes = 24;
constexpr std::size_t header_pages = 2;
constexpr std::size_t page_bytes_max = 64 * 1024;
constexpr std::uint64_t slot_bytes = checkpoint_slot_sectors * SealedFile::content_bytes;
constexpr std::uint64_t file_bytes = 2 * checkpoint_slot_sectors * SealedFile::sector_bytes;

static_assert(slot_header_bytes + checkpoint_note_bytes_max + header_pages * page_bytes_max <=
              slot_bytes);

struct Slot {
  std::uint64_t sequence = 0;
  std::string note;
  std::string pages;
};

std::string encode(const Slot& slot) {
  std::string body;
  body.reserve(slot_header_bytes + slot.note.size() + slot.pages.size());
  append_little(body, slot_version);
  append_little(body, slot.sequence);
  append_little(body, static_cast<std::uint32_t>(slot.pages.size() / header_pages));
  append_little(body, static_cast<std::uint32_t>(slot.note.size()));
  body += slot.note;
  body += slot.pages;
  std::string sealed;
  append_little(sealed, crc32c(body));
  return sealed + body;
}

// Nothing: never written, or torn.
std::optional<Slot> decode(std::string_view bytes) {
  if (bytes.size() < slot_header_bytes) return std::nullopt;
  const auto page_bytes = get_little<std::uint32_t>(bytes.data() + 16);
  const auto note_bytes = get_little<std::uint32_t>(bytes.data() + 20);
  if (page_bytes > page_bytes_max || note_bytes > checkpoint_note_bytes_max) return std::nullopt;
  const std::size_t total = slot_header_bytes + note_bytes + header_pages * page_bytes;
  if (bytes.size() < total || page_bytes == 0) return std::nullopt;
  if (get_little<std::uint32_t>(bytes.data()) != crc32c(bytes.substr(4, total - 4)))
    return std::nullopt;
  if (get_little<std::uint32_t>(bytes.data() + 4) != slot_version) return std::nullopt;
  Slot slot;
  slot.sequence = get_little<std::uint64_t>(bytes.data() + 8);
  slot.note = bytes.substr(slot_header_bytes, note_bytes);
  slot.pages = bytes.substr(slot_header_bytes + note_bytes, header_pages * page_bytes);
  return slot;
}

Result<std::optional<Slot>> newest_slot(const SealedFile& file) {
  TRY_ASSIGN(const std::string content, file.read());
  std::optional<Slot> newest;
  for (const std::uint64_t offset : {std::uint64_t{0}, slot_bytes}) {
    if (content.size() < offset + slot_bytes) break;  // cut off
    auto slot = decode(std::string_view{content}.substr(offset, slot_bytes));
    if (slot && (!newest || slot->sequence > newest->sequence)) newest = std::move(slot);
  }
  return newest;
}

std::uint64_t first_sector_of(std::uint64_t sequence) {
  return sequence % 2 == 1 ? 0 : checkpoint_slot_sectors;
}

Result<void> write_slot(SealedFile& file, std::uint64_t sequence, const std::string& slot) {
  file.go_to(first_sector_of(sequence));
  TRY(file.put(slot));
  return file.sync();
}

// What the page cache shows of it may be all there is, if the flush of an earlier life failed: such
// bytes count as written, and a flush alone would not write them. From here on the pages of the
// older checkpoint are used again, so this one must be on the disk first.
Result<void> write_again(SealedFile& file, const Slot& slot) {
  return write_slot(file, slot.sequence, encode(slot));
}

Result<void> put_back(const std::filesystem::path& directory, const Slot& slot) {
  TRY_ASSIGN(sys::File data, sys::File::open(directory / "data.mdb", sys::File::Mode::write));
  TRY(data.write_at(0, slot.pages));
  return data.sync();
}

Result<std::string> read_header_pages(const lmdb::Env& env) {
  MDB_stat stat{};
  if (const int code = mdb_env_stat(env.get(), &stat); code != 0)
    return Failure{lmdb::error_of(code, "look at", env.directory())};
  TRY_ASSIGN(const sys::File data,
             sys::File::open(env.directory() / "data.mdb", sys::File::Mode::read));
  return data.read_at(0, header_pages * stat.ms_psize);
}

}  // namespace

Result<CheckpointedEnv> CheckpointedEnv::open(const lmdb::EnvOptions& options,
                                              SealedFile::Place place, bool background) {
  const auto path = options.directory / checkpoint_name;
  CheckpointedEnv opened;
  opened.place_ = place;
  opened.background_ = background;
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    TRY_ASSIGN(opened.file_, SealedFile::open(path, place));
    TRY_ASSIGN(auto slot, newest_slot(*opened.file_));
    if (!slot)
      return fail(Errc::corrupt,
                  fmt::format("'{}': no valid checkpoint in it. {}", path.string(), way_out));
    TRY(write_again(*opened.file_, *slot));
    TRY(put_back(options.directory, *slot));
    opened.sequence_ = slot->sequence;
    opened.note_ = std::move(slot->note);
  }
  lmdb::EnvOptions unsynced = options;
  unsynced.flags |= MDB_NOSYNC;
  TRY_ASSIGN(opened.env_, lmdb::Env::open(unsynced));
  if (opened.note_) {
    TRY_ASSIGN(opened.pin_, opened.pin_now());
  }
  return opened;
}

CheckpointedEnv& CheckpointedEnv::operator=(CheckpointedEnv&& other) noexcept {
  if (this == &other) return *this;
  ASSERT_MSG(!other.running(), "the flushing thread holds on to where it was started");
  close();
  env_ = std::move(other.env_);
  place_ = other.place_;
  file_ = std::move(other.file_);
  background_ = other.background_;
  sequence_ = other.sequence_;
  note_ = std::move(other.note_);
  pin_ = std::move(other.pin_);
  return *this;
}

Result<CheckpointedEnv::Pin> CheckpointedEnv::pin_now() const {
  TRY_ASSIGN(lmdb::Txn txn, lmdb::Txn::begin(env_, lmdb::Txn::Kind::read));
  return Pin{txn.release()};
}

Result<void> CheckpointedEnv::start(std::string_view note) {
  ASSERT(!running());
  ASSERT(note.size() <= checkpoint_note_bytes_max);
  // The new reader comes before the old one goes: there is no moment at which neither checkpoint is
  // pinned.
  TRY_ASSIGN(next_pin_, pin_now());
  next_note_ = note;
  Slot slot;
  slot.sequence = ++sequence_;
  slot.note = note;
  TRY_ASSIGN(slot.pages, read_header_pages(env_));
  const auto policy = background_ ? std::launch::async : std::launch::deferred;
  flushing_ = std::async(policy, [this, sequence = sequence_, bytes = encode(slot)] {
    return flush(sequence, bytes);
  });
  return background_ ? Result<void>{} : finish();
}

// Runs in the flushing thread: touches only what start() and the owner's calls leave alone until
// finish().
Result<void> CheckpointedEnv::flush(std::uint64_t sequence, const std::string& slot) {
  if (!MUTANT(checkpoint_not_synced)) {
    if (const int code = mdb_env_sync(env_.get(), 1); code != 0)
      return Failure{lmdb::error_of(code, "sync", env_.directory())};
  }
  if (file_) return write_slot(*file_, sequence, slot);
  // The first one takes its name when it is whole: half a file would be taken for a damaged one.
  const auto path = env_.directory() / checkpoint_name;
  auto begun = path;
  begun += ".tmp";
  TRY_ASSIGN(SealedFile made, SealedFile::create(begun, place_, file_bytes));
  TRY(write_slot(made, sequence, slot));
  TRY(sys::rename_durably(begun, path));
  TRY_ASSIGN(file_, SealedFile::open(path, place_));
  return {};
}

Result<bool> CheckpointedEnv::poll() {
  if (!running()) return true;
  if (flushing_.wait_for(std::chrono::seconds{0}) != std::future_status::ready) return false;
  TRY(finish());
  return true;
}

Result<void> CheckpointedEnv::finish() {
  if (!running()) return {};
  TRY(flushing_.get());
  note_ = std::move(next_note_);
  pin_ = std::move(next_pin_);
  if (MUTANT(checkpoint_not_pinned)) pin_.reset();
  return {};
}

Result<void> CheckpointedEnv::checkpoint(std::string_view note) {
  TRY(finish());
  TRY(start(note));
  return finish();
}

void CheckpointedEnv::close() {
  if (running()) flushing_.wait();
  flushing_ = {};
  next_pin_.reset();
  pin_.reset();
  env_ = lmdb::Env{};
}

}  // namespace mainstay::store
