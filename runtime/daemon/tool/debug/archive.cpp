#include "runtime/daemon/tool/debug/archive.hpp"

#include <archive.h>
#include <archive_entry.h>

namespace mainstay::tool {

namespace {

constexpr std::size_t file_bytes_max = 256U << 20;

struct Freer {
  void operator()(::archive* writer) const { ::archive_write_free(writer); }
  void operator()(::archive_entry* entry) const { ::archive_entry_free(entry); }
};

}  // namespace

struct Archive::State {
  std::unique_ptr<::archive, Freer> writer{::archive_write_new()};
  std::filesystem::path path;
  std::int64_t seconds = 0;

  Failure failure(const std::string& action) const {
    const char* why = ::archive_error_string(writer.get());
    return fail(Errc::io_error, "cannot " + action + " '" + path.string() +
                                    "': " + (why == nullptr ? "unknown" : why));
  }
};

Archive::Archive(std::unique_ptr<State> state) : state_{std::move(state)} {}
Archive::Archive(Archive&& other) noexcept = default;
Archive::~Archive() = default;

Result<Archive> Archive::create(const std::filesystem::path& path, WallTime now) {
  std::error_code error;
  if (std::filesystem::exists(path, error))
    return fail(Errc::already_exists, "'" + path.string() + "' exists already");
  auto state = std::make_unique<State>();
  state->path = path;
  state->seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  ::archive* writer = state->writer.get();
  if (::archive_write_set_format_pax_restricted(writer) != ARCHIVE_OK ||
      ::archive_write_add_filter_zstd(writer) != ARCHIVE_OK ||
      ::archive_write_open_filename(writer, path.c_str()) != ARCHIVE_OK)
    return state->failure("create");
  return Archive{std::move(state)};
}

Result<void> Archive::add(const std::string& name, std::string_view content) {
  if (content.size() > file_bytes_max)
    return fail(Errc::too_large, "'" + name + "' is too large for a bundle");
  const std::unique_ptr<::archive_entry, Freer> entry{::archive_entry_new()};
  ::archive_entry_set_pathname(entry.get(), name.c_str());
  ::archive_entry_set_size(entry.get(), static_cast<std::int64_t>(content.size()));
  ::archive_entry_set_filetype(entry.get(), AE_IFREG);
  ::archive_entry_set_perm(entry.get(), 0640);
  ::archive_entry_set_mtime(entry.get(), state_->seconds, 0);
  ::archive* writer = state_->writer.get();
  if (::archive_write_header(writer, entry.get()) != ARCHIVE_OK) return state_->failure("write");
  if (::archive_write_data(writer, content.data(), content.size()) !=
      static_cast<::la_ssize_t>(content.size()))
    return state_->failure("write");
  return {};
}

Result<void> Archive::close() {
  if (::archive_write_close(state_->writer.get()) != ARCHIVE_OK) return state_->failure("finish");
  return {};
}

}  // namespace mainstay::tool
