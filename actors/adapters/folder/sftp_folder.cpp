#include "actors/adapters/folder/sftp_folder.hpp"

#include <algorithm>
#include <cstring>

#include <curl/curl.h>

#include "runtime/config/values.hpp"

namespace mainstay::adapters {

namespace {

constexpr std::size_t listing_bytes_max = 256U << 20;
constexpr std::size_t commands_max = 64;  // of directories made

struct Sink {
  std::string data;
  std::size_t bytes_max = 0;
};
std::size_t take(char* data, std::size_t size, std::size_t count, void* to) {
  auto& sink = *static_cast<Sink*>(to);
  if (sink.data.size() + size * count > sink.bytes_max) return 0;
  sink.data.append(data, size * count);
  return size * count;
}
std::size_t give(char* data, std::size_t size, std::size_t count, void* from) {
  auto& rest = *static_cast<std::string_view*>(from);
  const std::size_t bytes = std::min(rest.size(), size * count);
  std::memcpy(data, rest.data(), bytes);
  rest.remove_prefix(bytes);
  return bytes;
}

Errc code_of(CURLcode code) {
  switch (code) {
    case CURLE_REMOTE_FILE_NOT_FOUND:
      return Errc::not_found;
    case CURLE_WRITE_ERROR:
      return Errc::too_large;
    case CURLE_LOGIN_DENIED:
    case CURLE_PEER_FAILED_VERIFICATION:
      return Errc::unauthorized;
    case CURLE_OPERATION_TIMEDOUT:
      return Errc::deadline_exceeded;
    case CURLE_REMOTE_ACCESS_DENIED:
    case CURLE_REMOTE_DISK_FULL:
    case CURLE_QUOTE_ERROR:
    case CURLE_UPLOAD_FAILED:
      return Errc::io_error;
    default:
      return Errc::unavailable;
  }
}

// The next word of a line; `rest` goes on behind the spaces after it.
std::string_view word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view found = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.find_first_not_of(' ', end), rest.size()));
  return found;
}

std::string encoded(std::string_view path) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
        std::string_view{"-._~/"}.find(c) != std::string_view::npos)
      out += c;
    else
      (out += '%').append({digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

}  // namespace

struct SftpFolder::Handle {
  CURL* curl = nullptr;
  curl_slist* commands = nullptr;
  char why[CURL_ERROR_SIZE] = {};

  Handle() {
    static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
    ASSERT(once == CURLE_OK);
    curl = curl_easy_init();
    ASSERT(curl != nullptr);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    curl_slist_free_all(commands);
    curl_easy_cleanup(curl);
  }
  template <class Value>
  void set(CURLoption option, Value value) const {
    ASSERT(curl_easy_setopt(curl, option, value) == CURLE_OK);
  }
  void add(const std::string& text) { commands = curl_slist_append(commands, text.c_str()); }
};

Result<void> check_sftp_url(std::string_view url) {
  const auto wrong = [] {
    return fail(Errc::invalid_argument, "expected sftp://user@host[:port]/directory");
  };
  if (!url.starts_with("sftp://")) return wrong();
  url.remove_prefix(7);
  const std::size_t slash = url.find('/');
  const std::string_view host = url.substr(0, slash);
  if (slash == std::string_view::npos || host.find('@') == std::string_view::npos ||
      host.front() == '@' || host.back() == '@' || host.find(':') < host.find('@'))
    return wrong();
  return {};
}

std::optional<FolderEntry> entry_of_line(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (!line.starts_with('-')) return std::nullopt;
  for (int i = 0; i < 4; ++i) word(line);  // mode, links, owner, group
  const std::string_view size = word(line);
  std::string time;
  for (int i = 0; i < 3; ++i) time.append(word(line)) += '.';
  const auto bytes = config::parse_integer(size);
  if (!bytes || line.empty()) return std::nullopt;
  return FolderEntry{std::string{line}, *bytes, std::string{size} + "-" + time};
}

SftpFolder::SftpFolder(SftpPlace place)
    : place_{std::move(place)}, handle_{std::make_unique<Handle>()} {
  const std::size_t slash = place_.url.find('/', 7);
  base_ = place_.url.substr(0, slash);
  root_ = place_.url.substr(slash);
  while (root_.size() > 1 && root_.ends_with('/')) root_.pop_back();
}

SftpFolder::~SftpFolder() = default;

std::string SftpFolder::url_of(const std::string& path) const {
  return base_ + encoded(root_ + "/" + path);
}

std::string SftpFolder::quoted(const std::string& path) const {
  std::string whole = root_ + "/" + path;
  if (whole.starts_with("/~/")) whole.erase(0, 3);
  std::string out = "\"";
  for (const char c : whole) {
    if (c == '"' || c == '\\' || c == '\'') out += '\\';
    out += c;
  }
  return out + '"';
}

Result<void> SftpFolder::perform(const std::string& what, std::int64_t* changed) {
  Handle& h = *handle_;
  h.why[0] = '\0';
  h.set(CURLOPT_ERRORBUFFER, static_cast<char*>(h.why));
  h.set(CURLOPT_PROTOCOLS_STR, "sftp");
  h.set(CURLOPT_NOSIGNAL, 1L);
  h.set(CURLOPT_TIMEOUT_MS, static_cast<long>(place_.call_timeout.count()));
  h.set(CURLOPT_SSH_AUTH_TYPES, static_cast<long>(CURLSSH_AUTH_PUBLICKEY));
  h.set(CURLOPT_SSH_PRIVATE_KEYFILE, place_.key_file.c_str());
  h.set(CURLOPT_SSH_KNOWNHOSTS, place_.known_hosts.c_str());
  const CURLcode code = curl_easy_perform(h.curl);
  const std::string why = h.why[0] != '\0' ? h.why : curl_easy_strerror(code);
  curl_off_t seconds = -1;
  curl_easy_getinfo(h.curl, CURLINFO_FILETIME_T, &seconds);
  if (changed != nullptr) *changed = seconds;
  curl_easy_reset(h.curl);  // the connection stays
  curl_slist_free_all(h.commands);
  h.commands = nullptr;
  if (code == CURLE_OK) return {};
  return fail(code_of(code), "cannot " + what + " at " + base_ + ": " + why);
}

Result<void> SftpFolder::command(const std::string& text) {
  handle_->add(text);
  handle_->set(CURLOPT_URL, (base_ + "/").c_str());
  handle_->set(CURLOPT_NOBODY, 1L);
  handle_->set(CURLOPT_QUOTE, handle_->commands);
  return perform(text);
}

Result<std::vector<FolderEntry>> SftpFolder::list(const std::string& directory) {
  Sink sink{{}, listing_bytes_max};
  handle_->set(CURLOPT_URL, (url_of(directory) + "/").c_str());
  handle_->set(CURLOPT_WRITEFUNCTION, &take);
  handle_->set(CURLOPT_WRITEDATA, &sink);
  if (auto done = perform("list '" + directory + "'"); !done)
    return fail(done.error().code == Errc::not_found ? Errc::unavailable : done.error().code,
                done.error().message);
  std::vector<FolderEntry> entries;
  for (std::string_view rest = sink.data; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (auto entry = entry_of_line(line)) entries.push_back(std::move(*entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
  return entries;
}

Result<std::int64_t> SftpFolder::changed(const std::string& path) {
  Handle& h = *handle_;
  Sink none{{}, 1};
  h.set(CURLOPT_URL, url_of(path).c_str());
  h.set(CURLOPT_FILETIME, 1L);
  h.set(CURLOPT_NOBODY, 1L);
  h.set(CURLOPT_WRITEFUNCTION, &take);
  h.set(CURLOPT_WRITEDATA, &none);
  std::int64_t seconds = -1;
  TRY(perform("look at '" + path + "'", &seconds));
  if (seconds < 0) return fail(Errc::not_found, "there is no '" + path + "' at " + base_);
  return seconds;
}

Result<std::string> SftpFolder::read(const std::string& path, std::size_t bytes_max) {
  TRY_ASSIGN(const std::int64_t before, changed(path));
  Sink sink{{}, bytes_max};
  handle_->set(CURLOPT_URL, url_of(path).c_str());
  handle_->set(CURLOPT_WRITEFUNCTION, &take);
  handle_->set(CURLOPT_WRITEDATA, &sink);
  if (auto done = perform("read '" + path + "'"); !done) {
    if (done.error().code != Errc::too_large) return Failure{done.error()};
    return fail(Errc::too_large, "'" + path + "' has more than " + std::to_string(bytes_max) +
                                     " bytes (file_bytes_max)");
  }
  read_[path] = before;
  return std::move(sink.data);
}

Result<void> SftpFolder::write(const std::string& path, std::string_view content) {
  std::string_view rest = content;
  Handle& h = *handle_;
  h.add("rename " + quoted(path + ".tmp") + " " + quoted(path));
  h.set(CURLOPT_URL, url_of(path + ".tmp").c_str());
  h.set(CURLOPT_UPLOAD, 1L);
  h.set(CURLOPT_READFUNCTION, &give);
  h.set(CURLOPT_READDATA, &rest);
  h.set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(content.size()));
  h.set(CURLOPT_POSTQUOTE, h.commands);
  auto done = perform("write '" + path + "'");
  if (done || done.error().code != Errc::io_error) return done;
  // SFTP does not rename onto a file that is there: then it was written before.
  TRY_ASSIGN(const bool there, exists(path));
  if (!there) return done;
  static_cast<void>(command("*rm " + quoted(path + ".tmp")));
  return {};
}

Result<bool> SftpFolder::exists(const std::string& path) {
  const auto found = changed(path);
  if (found) return true;
  if (found.error().code == Errc::not_found) return false;
  return Failure{found.error()};
}

Result<void> SftpFolder::move(const std::string& from, const std::string&, const std::string& to) {
  TRY_ASSIGN(const std::int64_t now, changed(from));
  if (const auto seen = read_.find(from); seen != read_.end() && seen->second != now)
    return fail(Errc::not_found, "'" + from + "' is another file now");
  read_.erase(from);
  auto done = command("rename " + quoted(from) + " " + quoted(to));
  if (done || done.error().code != Errc::io_error) return done;
  // The target's name holds the hash of its content: if it is there, this is the same once more.
  TRY_ASSIGN(const bool there, exists(to));
  return there ? command("rm " + quoted(from)) : done;
}

Result<void> SftpFolder::make_directory(const std::string& directory) {
  if (made_.contains(directory)) return {};
  std::size_t count = 0;
  for (std::size_t end = directory.find('/'); count < commands_max; ++count) {
    // The first question also tells whether the server can be asked at all.
    TRY(command("*mkdir " + quoted(directory.substr(0, end))));
    if (end == std::string::npos) break;
    end = directory.find('/', end + 1);
  }
  made_.insert(directory);
  return {};
}

Result<void> SftpFolder::sync(const std::string&) {
  return {};
}

}  // namespace mainstay::adapters
