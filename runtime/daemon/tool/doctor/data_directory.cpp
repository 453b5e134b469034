#include "runtime/daemon/tool/doctor/data_directory.hpp"

#include <cstring>

#include <sys/stat.h>
#include <sys/statfs.h>

#include "runtime/daemon/tool/doctor/processes.hpp"
#include "runtime/store/identity.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::tool::doctor {

namespace fs = std::filesystem;

namespace {

// LMDB 0.9: two header pages, each a page header of 16 bytes and then the meta record.
constexpr std::uint32_t magic = 0xBEEFC0DE;
constexpr std::size_t meta_offset = 16;
constexpr std::size_t map_offset = 16;         // these within the meta record
constexpr std::size_t page_bytes_offset = 24;  // of the first of its two tables
constexpr std::size_t last_page_offset = 24 + 2 * 48;
constexpr std::size_t transaction_offset = last_page_offset + 8;
constexpr std::size_t meta_bytes = transaction_offset + 8;
constexpr std::uint32_t page_bytes_min = 512, page_bytes_max = 65536;

template <class Number>
Number number_in(const std::string& bytes, std::size_t at) {
  Number number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

// Takes the header at `offset` when it is newer than what is known.
bool read_header(const sys::File& file, std::uint64_t offset, EnvironmentHeader& header) {
  const auto bytes = file.read_at(offset + meta_offset, meta_bytes);
  if (!bytes || bytes->size() != meta_bytes || number_in<std::uint32_t>(*bytes, 0) != magic)
    return false;
  const auto transaction = number_in<std::uint64_t>(*bytes, transaction_offset);
  if (header.page_bytes != 0 && transaction <= header.transaction) return true;
  header.transaction = transaction;
  header.page_bytes = number_in<std::uint32_t>(*bytes, page_bytes_offset);
  header.map_bytes = number_in<std::uint64_t>(*bytes, map_offset);
  header.pages = number_in<std::uint64_t>(*bytes, last_page_offset) + 1;
  return true;
}

std::string network_disk_of(const fs::path& path) {
  struct ::statfs status {};
  if (::statfs(path.c_str(), &status) != 0) return {};
  switch (static_cast<std::uint64_t>(status.f_type)) {
    case 0x6969:
      return "nfs";
    case 0x517B:
    case 0xFF534D42:
    case 0xFE534D42:
      return "smb";
    case 0x00C36400:
      return "ceph";
    default:
      return {};
  }
}

void read_disk(const fs::path& path, DirectorySeen& seen) {
  std::error_code error;
  const fs::space_info space = fs::space(path, error);
  if (!error) {
    seen.free_bytes = space.available;
    seen.total_bytes = space.capacity;
  }
  struct ::stat status {};
  if (::stat(path.c_str(), &status) == 0) seen.device = status.st_dev;
  seen.network_disk = network_disk_of(path);
}

void read_lock(const fs::path& path, DirectorySeen& seen) {
  const fs::path lock = path / "lock";
  seen.locked = is_locked(lock);
  if (!seen.locked) return;
  if (const auto text = sys::read_file(lock, 64))
    seen.holder = std::strtoull(text->c_str(), nullptr, 10);
  seen.holder_name = program_of(seen.holder);
}

std::string damage_of(const fs::path& path, store::Phase phase) {
  // Before that, parts may be missing or half made; the next start makes them again.
  if (phase != store::Phase::ready) return {};
  for (const char* part : {"log", "records"}) {
    const fs::path file = path / part / "data.mdb";
    std::error_code error;
    if (!fs::exists(file, error)) return std::string{part} + "/data.mdb is missing";
    const EnvironmentHeader header = read_environment(file);
    if (!header.problem.empty()) return std::string{part} + "/data.mdb: " + header.problem;
  }
  return {};
}

bool holds_data(const fs::path& path) {
  std::error_code error;
  return fs::exists(path / "log" / "data.mdb", error) ||
         fs::exists(path / "records" / "data.mdb", error);
}

}  // namespace

EnvironmentHeader read_environment(const fs::path& data_file) {
  EnvironmentHeader header;
  auto file = sys::File::open(data_file, sys::File::Mode::read);
  if (!file) {
    header.problem = file.error().message;
    return header;
  }
  header.file_bytes = file->size().value_or(0);
  const bool first = read_header(*file, 0, header);
  const std::uint32_t page = header.page_bytes;
  const bool sized = page >= page_bytes_min && page <= page_bytes_max;
  if (!first || !sized || !read_header(*file, page, header))
    header.problem = "it does not begin with two LMDB headers";
  return header;
}

DirectorySeen look_at_directory(const fs::path& directory) {
  DirectorySeen seen;
  seen.path = directory.string();
  std::error_code error;
  seen.exists = fs::is_directory(directory, error);
  if (!seen.exists) return seen;
  read_disk(directory, seen);
  read_lock(directory, seen);
  seen.evidence =
      fs::exists(directory / "evidence", error) && !fs::is_empty(directory / "evidence", error);
  auto identity = store::read_identity(directory);
  if (!identity) {
    seen.damage = identity.error().message;
  } else if (!*identity) {
    if (holds_data(directory)) seen.damage = "it holds data and no identity.json";
  } else {
    seen.node = (*identity)->identity.node.value;
    if ((*identity)->identity.cluster) seen.cluster = to_string((*identity)->identity.cluster);
    seen.damage = damage_of(directory, (*identity)->phase);
  }
  return seen;
}

}  // namespace mainstay::tool::doctor
