#include "runtime/torture/crash_image.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <system_error>

#include "runtime/sys/file.hpp"

namespace mainstay::torture {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t body_bytes_max = 64ULL << 20U;

using Names = std::map<std::string, std::uint32_t>;

Result<void> checked(const std::error_code& error, const fs::path& path) {
  if (error) return fail(Errc::io_error, path.string() + ": " + error.message());
  return {};
}

Result<void> resize(const fs::path& path, std::uint64_t size) {
  std::error_code error;
  fs::resize_file(path, size, error);
  return checked(error, path);
}

bool is_below(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && path[directory.size()] == '/' &&
         path.compare(0, directory.size(), directory) == 0;
}

// The name itself, and all below it.
void rename_in(Names& names, const std::string& from, const std::string& to) {
  Names moved;
  for (auto at = names.begin(); at != names.end();) {
    if (at->first == from || is_below(at->first, from)) {
      moved[to + at->first.substr(from.size())] = at->second;
      at = names.erase(at);
    } else {
      ++at;
    }
  }
  for (auto& [name, file] : moved) names[name] = file;
}

struct Tree {
  Names names;
  std::set<std::string> directories;

  void apply(RecordKind kind, const std::string& from, const std::string& to) {
    if (kind == RecordKind::unlink) names.erase(from);
    if (kind == RecordKind::make_directory) directories.insert(from);
    if (kind == RecordKind::remove_directory) directories.erase(from);
    if (kind != RecordKind::rename) return;
    rename_in(names, from, to);
    std::set<std::string> moved;
    for (const std::string& directory : directories)
      moved.insert(directory == from || is_below(directory, from)
                       ? to + directory.substr(from.size())
                       : directory);
    directories = std::move(moved);
  }
};

std::string parent_of(const std::string& path) {
  return fs::path{path}.parent_path().string();
}

}  // namespace

Result<CrashImages> CrashImages::open(const fs::path& recording, const fs::path& root,
                                      const fs::path& base, const fs::path& work) {
  CrashImages images;
  std::error_code error;
  images.recording_ = recording;
  images.root_ = root;
  images.work_ = work;
  images.size_ = fs::file_size(recording, error);
  TRY(checked(error, recording));
  fs::create_directories(work, error);
  TRY(checked(error, work));
  for (const auto& entry : fs::recursive_directory_iterator{base, error}) {
    const std::string name = entry.path().lexically_relative(base).string();
    if (entry.is_directory()) images.directories_.push_back(name);
    if (!entry.is_regular_file()) continue;
    const std::uint32_t file = images.next_base_file_++;
    fs::copy_file(entry.path(), images.content(file), error);
    TRY(checked(error, entry.path()));
    images.names_[name] = images.live_names_[name] = file;
  }
  TRY(checked(error, base));
  return images;
}

CrashImages::~CrashImages() {
  if (work_.empty()) return;
  std::error_code ignored;  // a directory of ours in a place that is removed as a whole
  fs::remove_all(work_, ignored);
}

bool CrashImages::at_end() const {
  return offset_ + sizeof(RecordHeader) > size_;
}

fs::path CrashImages::content(std::uint32_t file) const {
  return work_ / std::to_string(file);
}

std::string CrashImages::relative(const std::string& path) const {
  return fs::path{path}.lexically_relative(root_).string();
}

Result<void> CrashImages::advance(std::uint64_t records) {
  TRY_ASSIGN(const sys::File file, sys::File::open(recording_, sys::File::Mode::read));
  while (position_ < records && !at_end()) {
    RecordHeader header{};
    TRY_ASSIGN(const std::string head, file.read_at(offset_, sizeof header));
    if (head.size() < sizeof header) break;
    std::memcpy(&header, head.data(), sizeof header);
    if (header.bytes > body_bytes_max)
      return fail(Errc::corrupt, recording_.string() + " is no recording");
    std::string body;
    if (header.bytes > 0) {
      TRY_ASSIGN(body, file.read_at(offset_ + sizeof header, header.bytes));
    }
    if (body.size() < header.bytes) {  // the process was killed within it
      size_ = offset_;
      break;
    }
    offset_ += sizeof header + header.bytes;
    ++position_;
    TRY(carry_out(header, body));
  }
  return {};
}

Result<void> CrashImages::carry_out(const RecordHeader& header, const std::string& body) {
  switch (header.kind) {
    case RecordKind::name:
      return see_file(header, body);
    case RecordKind::write:
      files_[header.file].pending.push_back({false, header.offset, body, position_});
      return {};
    case RecordKind::write_through: {
      TRY_ASSIGN(sys::File file, sys::File::open(content(header.file), sys::File::Mode::write));
      return file.write_at(header.offset, body);
    }
    case RecordKind::resize:
      files_[header.file].pending.push_back({true, header.offset, {}, position_});
      return {};
    case RecordKind::sync_begin:
      files_[header.file].syncs[header.offset] = position_;
      return {};
    case RecordKind::sync_end:
      return finish_sync(header.file, header.offset);
    case RecordKind::sync_directory:
      finish_directory_sync(relative(body));
      return {};
    case RecordKind::rename: {
      const auto end = body.find('\0');
      if (end == std::string::npos) return fail(Errc::corrupt, "a rename without a target");
      namings_.push_back(
          {header.kind, relative(body.substr(0, end)), relative(body.substr(end + 1))});
      rename_in(live_names_, namings_.back().from, namings_.back().to);
      return {};
    }
    case RecordKind::unlink:
      live_names_.erase(relative(body));
      [[fallthrough]];
    case RecordKind::make_directory:
    case RecordKind::remove_directory:
      namings_.push_back({header.kind, relative(body), {}});
      return {};
  }
  return fail(Errc::corrupt, recording_.string() + " holds a record of no known kind");
}

// The file may be one of the base, or new.
Result<void> CrashImages::see_file(const RecordHeader& header, const std::string& body) {
  const std::string name = relative(body);
  files_[header.file];
  std::error_code error;
  if (const auto at = live_names_.find(name); at != live_names_.end()) {
    const std::uint32_t old = at->second;
    fs::rename(content(old), content(header.file), error);
    for (Names* names : {&names_, &live_names_})
      for (auto& [known, file] : *names)
        if (file == old) file = header.file;
    return checked(error, content(header.file));
  }
  TRY(sys::File::open(content(header.file), sys::File::Mode::create));
  live_names_[name] = header.file;
  // Where it is now may be behind renames that are not durable yet: it is there under that name
  // whatever becomes of them.
  names_[name] = header.file;
  return resize(content(header.file), header.offset);
}

Result<void> CrashImages::finish_sync(std::uint32_t number, std::uint64_t sync) {
  File& file = files_[number];
  const auto begun = file.syncs.find(sync);
  if (begun == file.syncs.end()) return fail(Errc::corrupt, "a sync ends that never began");
  const std::uint64_t until = begun->second;
  file.syncs.erase(begun);
  TRY_ASSIGN(sys::File out, sys::File::open(content(number), sys::File::Mode::write));
  auto at = file.pending.begin();
  for (; at != file.pending.end() && at->record < until; ++at) {
    if (at->resize)
      TRY(resize(content(number), at->offset));
    else
      TRY(out.write_at(at->offset, at->data));
  }
  file.pending.erase(file.pending.begin(), at);
  return {};
}

void CrashImages::finish_directory_sync(const std::string& directory) {
  const std::string wanted = directory == "." ? std::string{} : directory;
  const auto last = std::find_if(namings_.rbegin(), namings_.rend(), [&](const Naming& naming) {
    return parent_of(naming.from) == wanted ||
           (naming.kind == RecordKind::rename && parent_of(naming.to) == wanted);
  });
  Tree tree{names_, {directories_.begin(), directories_.end()}};
  for (auto at = namings_.begin(); at != last.base(); ++at) tree.apply(at->kind, at->from, at->to);
  namings_.erase(namings_.begin(), last.base());
  names_ = std::move(tree.names);
  directories_.assign(tree.directories.begin(), tree.directories.end());
}

std::uint64_t CrashImages::unsynced() const {
  std::uint64_t count = 0;
  for (const auto& [number, file] : files_) count += file.pending.size();
  return count;
}

namespace {

// How many of the writes to one block reached the disk, and whether a part of the next one did.
struct BlockFate {
  std::uint64_t kept = 0, seen = 0;
  bool torn = false;
};

class Fates {
 public:
  Fates(Kept kept, Random& random) : kept_{kept}, random_{random} {}

  // Whether this sector of the next write to its block is kept.
  bool keep(std::uint64_t offset) {
    if (kept_ != Kept::some) return kept_ == Kept::everything;
    const BlockFate& fate = blocks_.at(offset / image_block_bytes);
    if (fate.seen <= fate.kept) return true;
    return fate.torn && fate.seen == fate.kept + 1 && random_.between(0, 1) == 1;
  }

  void next_write(std::uint64_t offset, std::uint64_t bytes) {
    for (std::uint64_t block = offset / image_block_bytes;
         block <= (offset + bytes - 1) / image_block_bytes; ++block) {
      auto [at, made] = blocks_.try_emplace(block);
      if (made) {
        at->second.kept = random_.between(0, 2) == 0 ? 0 : random_.between(0, 4);
        at->second.torn = random_.between(0, 1) == 1;
      }
      ++at->second.seen;
    }
  }

  bool keep_resize() {
    return kept_ == Kept::everything || (kept_ == Kept::some && random_.between(0, 1) == 1);
  }

 private:
  const Kept kept_;
  Random& random_;
  std::map<std::uint64_t, BlockFate> blocks_;
};

Result<void> write_part(sys::File& file, std::uint64_t offset, const std::string& data,
                        Fates& fates) {
  if (data.empty()) return {};
  fates.next_write(offset, data.size());
  for (std::uint64_t at = 0; at < data.size();) {
    const std::uint64_t end = std::min<std::uint64_t>(
        data.size(), at + image_sector_bytes - (offset + at) % image_sector_bytes);
    if (fates.keep(offset + at))
      TRY(file.write_at(offset + at, std::string_view{data}.substr(at, end - at)));
    at = end;
  }
  return {};
}

}  // namespace

Result<void> CrashImages::build(const fs::path& directory, Kept kept, Random& random) const {
  Tree tree{names_, {directories_.begin(), directories_.end()}};
  const std::size_t changes = kept == Kept::everything ? namings_.size()
                              : kept == Kept::nothing  ? 0
                                                       : random.between(0, namings_.size());
  for (std::size_t i = 0; i < changes; ++i)
    tree.apply(namings_[i].kind, namings_[i].from, namings_[i].to);
  std::error_code error;
  fs::create_directories(directory, error);
  for (const std::string& name : tree.directories) fs::create_directories(directory / name, error);
  for (const auto& [name, number] : tree.names) {
    const fs::path path = directory / name;
    fs::create_directories(path.parent_path(), error);
    fs::copy_file(content(number), path, fs::copy_options::overwrite_existing, error);
    TRY(checked(error, path));
    const auto known = files_.find(number);
    if (known == files_.end() || known->second.pending.empty()) continue;
    TRY_ASSIGN(sys::File file, sys::File::open(path, sys::File::Mode::write));
    Fates fates{kept, random};
    for (const Change& change : known->second.pending) {
      if (!change.resize)
        TRY(write_part(file, change.offset, change.data, fates));
      else if (fates.keep_resize())
        TRY(resize(path, change.offset));
    }
  }
  return {};
}

}  // namespace mainstay::torture
