#include "actors/adapters/folder/folder_source.hpp"

#include <algorithm>

#include "actors/adapters/folder/names.hpp"
#include "runtime/base/json.hpp"
#include "runtime/base/log.hpp"
#include "runtime/config/values.hpp"

namespace mainstay::adapters {

namespace {

using integration::Page;
using integration::RawMessage;

constexpr std::size_t page_bytes_max = 1U << 20;    // of bodies, beyond the first message
constexpr std::size_t relist_done = 1'000;          // then the list of done files is cleaned
constexpr std::size_t done_max = 20'000;            // and then something is wrong with the archive
constexpr std::size_t quoted_bytes_max = 4U << 10;  // of an unreadable file in its message

bool is_unfinished(std::string_view name) {
  return name.starts_with('.') || name.ends_with(".tmp") || name.ends_with(".part") ||
         name.ends_with(".reason");
}

json::Value texts(std::initializer_list<std::string> all) {
  json::Array items;
  for (const std::string& text : all) items.push_back(json::Value::string(text));
  return json::Value::array(std::move(items));
}

bool fails_the_folder(const Error& error) {
  return error.code == Errc::unavailable || error.code == Errc::deadline_exceeded ||
         error.code == Errc::unauthorized;
}

}  // namespace

struct FolderSource::Position {
  std::vector<Done> done;
  std::string part_name, part_stamp, part_hash;
  std::size_t part_messages = 0;

  bool has_done(const FolderEntry& entry) const {
    return std::any_of(done.begin(), done.end(), [&entry](const Done& file) {
      return file.name == entry.name && file.stamp == entry.stamp;
    });
  }
};

FolderSource::FolderSource(Folder& folder, const sys::Clock& clock, FolderSourceOptions options,
                           TypeOf type_of, Split split, BeforeArchive before_archive)
    : folder_{folder},
      clock_{clock},
      options_{std::move(options)},
      type_of_{std::move(type_of)},
      split_{std::move(split)},
      before_archive_{std::move(before_archive)} {}

std::string FolderSource::hash_of(std::string_view content, const std::string& stamp) const {
  const std::string hash = content_hash(content);
  return options_.stamp_in_version ? content_hash(hash + stamp) : hash;
}

Result<FolderSource::Position> FolderSource::parse(const std::string& text) {
  Position position;
  if (text.empty()) return position;
  const auto wrong = [] {
    return fail(Errc::invalid_argument, "the position is not one of this adapter");
  };
  TRY_ASSIGN(const json::Value value, json::parse(text));
  const json::Value* done = value.is(json::Type::object) ? value.find("done") : nullptr;
  if (done == nullptr || !done->is(json::Type::array)) return wrong();
  for (const json::Value& file : done->items()) {
    if (!file.is(json::Type::array) || file.items().size() < 3) return wrong();
    const json::Array& words = file.items();
    position.done.push_back({words[0].text(), words[1].text(), words[2].text(),
                             words.size() > 3 ? words[3].text() : ""});
  }
  if (const json::Value* part = value.find("part")) {
    if (!part->is(json::Type::array) || part->items().size() != 4) return wrong();
    const json::Array& words = part->items();
    TRY_ASSIGN(const std::uint64_t messages, config::parse_integer(words[3].text()));
    position.part_name = words[0].text();
    position.part_stamp = words[1].text();
    position.part_hash = words[2].text();
    position.part_messages = static_cast<std::size_t>(messages);
  }
  return position;
}

std::string FolderSource::to_text(const Position& position) {
  json::Array done;
  for (const Done& file : position.done)
    done.push_back(file.reason.empty() ? texts({file.name, file.stamp, file.hash})
                                       : texts({file.name, file.stamp, file.hash, file.reason}));
  json::Value value = json::Value::object();
  value.set("done", json::Value::array(std::move(done)));
  if (!position.part_name.empty())
    value.set("part", texts({position.part_name, position.part_stamp, position.part_hash,
                             std::to_string(position.part_messages)}));
  return json::to_text(value);
}

bool FolderSource::is_settled(const FolderEntry& entry) {
  if (options_.by_rename || options_.settle.count() == 0) return true;
  const MonotonicTime now = clock_.monotonic();
  const auto [at, first] = seen_.try_emplace(entry.name, Seen{entry.stamp, now});
  if (!first && at->second.stamp != entry.stamp) at->second = {entry.stamp, now};
  return now - at->second.since >= options_.settle;
}

Result<void> FolderSource::list_anew(Position& at) {
  TRY_ASSIGN(std::vector<FolderEntry> all, folder_.list(options_.directory));
  std::set<std::pair<std::string, std::string>> present;
  for (const FolderEntry& entry : all) present.emplace(entry.name, entry.stamp);
  std::erase_if(at.done, [&](const Done& file) {
    return !present.contains({file.name, file.stamp});
  });
  std::set<std::pair<std::string, std::string>> done;
  for (const Done& file : at.done) done.emplace(file.name, file.stamp);
  if (!present.contains({at.part_name, at.part_stamp})) at.part_name.clear();
  std::erase_if(seen_, [&](const auto& seen) {
    return !present.contains({seen.first, seen.second.stamp});
  });
  std::erase_if(all, [&](const FolderEntry& entry) {
    return is_unfinished(entry.name) || done.contains({entry.name, entry.stamp}) ||
           !type_of_(entry.name) || !is_settled(entry);
  });
  // The one that was begun is finished first.
  std::stable_partition(all.begin(), all.end(),
                        [&](const FolderEntry& entry) { return entry.name == at.part_name; });
  round_ = std::move(all);
  cursor_ = 0;
  round_valid_ = true;
  opened_.reset();
  put_away_.clear();
  return {};
}

Result<std::optional<FolderSource::Opened>> FolderSource::open(const std::string& directory,
                                                               const FolderEntry& entry,
                                                               const std::string& name) {
  Opened opened{name, entry.stamp, "", "", {}};
  std::string type = type_of_(name).value_or("");
  if (type.empty()) type = "unreadable";
  std::string quoted;
  const auto unreadable = [&](const std::string& reason) {
    opened.reason = reason;
    RawMessage message{name, opened.hash, type, "", std::string{unreadable_content}, {}};
    message.body = name + ": " + reason + (quoted.empty() ? "" : "\n" + quoted);
    opened.messages = {std::move(message)};
  };
  auto content = folder_.read(directory + "/" + entry.name, options_.file_bytes_max);
  if (!content) {
    if (content.error().code == Errc::not_found) return std::optional<Opened>{};
    if (fails_the_folder(content.error())) return Failure{content.error()};
    opened.hash = content_hash(entry.stamp);
    unreadable(content.error().message);
    return std::optional<Opened>{std::move(opened)};
  }
  opened.hash = hash_of(*content, entry.stamp);
  quoted = content->substr(0, quoted_bytes_max);
  auto messages = split_(name, std::move(*content), opened.hash);
  if (messages)
    opened.messages = std::move(*messages);
  else
    unreadable(messages.error().message);
  return std::optional<Opened>{std::move(opened)};
}

Result<Page> FolderSource::fetch(const std::string& position, std::size_t messages_max) {
  TRY_ASSIGN(Position at, parse(position));
  const bool goes_on = round_valid_ && position == expected_ && cursor_ < round_.size() &&
                       at.done.size() < relist_done + put_away_.size();
  if (goes_on)
    std::erase_if(at.done, [&](const Done& file) {
      return put_away_.contains({file.name, file.stamp});
    });
  else
    TRY(list_anew(at));
  round_valid_ = false;  // until this page is whole
  if (at.done.size() > done_max)
    return fail(Errc::unavailable, "more than " + std::to_string(done_max) +
                                       " files that were read cannot be put into '" +
                                       options_.archive + "': see the log");
  Page page;
  std::size_t bytes = 0;
  while (cursor_ < round_.size() && page.messages.size() < messages_max && bytes < page_bytes_max) {
    const FolderEntry& entry = round_[cursor_];
    if (!opened_) {
      TRY_ASSIGN(opened_, open(options_.directory, entry, entry.name));
      if (!opened_) {
        ++cursor_;
        continue;
      }
    }
    const bool begun =
        at.part_name == entry.name && at.part_stamp == entry.stamp && at.part_hash == opened_->hash;
    std::size_t next = begun ? at.part_messages : 0;
    const std::size_t all = opened_->messages.size();
    for (; next < all && page.messages.size() < messages_max && bytes < page_bytes_max; ++next) {
      page.messages.push_back(opened_->messages[next]);
      bytes += page.messages.back().body.size();
    }
    if (next < all) {
      at.part_name = entry.name;
      at.part_stamp = entry.stamp;
      at.part_hash = opened_->hash;
      at.part_messages = next;
      break;
    }
    at.done.push_back({entry.name, entry.stamp, opened_->hash, opened_->reason});
    at.part_name.clear();
    opened_.reset();
    ++cursor_;
  }
  page.position = to_text(at);
  page.more = cursor_ < round_.size();
  if (page.messages.empty() && position.empty() && at.done.empty()) page.position.clear();
  expected_ = page.position;
  round_valid_ = true;
  return page;
}

Result<void> FolderSource::put_away(const Done& file) {
  const bool good = file.reason.empty();
  const std::string to = good ? options_.archive + "/" + archive_name(file.name, file.hash)
                              : options_.quarantine + "/" + archive_name(file.name, file.hash);
  if (!good) TRY(folder_.write(to + ".reason", file.reason + "\n"));
  if (good && before_archive_) {
    auto content = folder_.read(options_.directory + "/" + file.name, options_.file_bytes_max);
    if (!content && content.error().code != Errc::not_found) return Failure{content.error()};
    if (content && hash_of(*content, file.stamp) == file.hash)
      TRY(before_archive_(file.name, std::move(*content)));
  }
  auto moved = folder_.move(options_.directory + "/" + file.name, file.stamp, to);
  // Gone: put away before, or its sender took it back, or it is another one by now.
  if (!moved && moved.error().code != Errc::not_found) return moved;
  put_away_.emplace(file.name, file.stamp);
  if (!good)
    log_warn("adapter", "{}: put into {}: {}", file.name, options_.quarantine, file.reason);
  return {};
}

Result<void> FolderSource::acknowledge(const std::string& position) {
  TRY_ASSIGN(const Position at, parse(position));
  Result<void> outcome;
  bool any = false;
  for (const Done& file : at.done) {
    if (put_away_.contains({file.name, file.stamp})) continue;
    any = true;
    if (auto done = put_away(file); !done && outcome) outcome = std::move(done);
  }
  if (!any) return outcome;
  TRY(folder_.sync(options_.archive));
  TRY(folder_.sync(options_.directory));
  return outcome;
}

Result<Page> FolderSource::backfill(const integration::Range& range, const std::string& position,
                                    std::size_t messages_max) {
  // The position: the archived file and how many of its messages were given.
  const std::size_t colon = position.find(':');
  std::uint64_t given = 0;
  std::string archived_before;
  if (!position.empty()) {
    TRY_ASSIGN(given, config::parse_integer(position.substr(0, colon)));
    if (colon == std::string::npos)
      return fail(Errc::invalid_argument, "the position is not one of this adapter");
    archived_before = position.substr(colon + 1);
  }
  TRY_ASSIGN(const std::vector<FolderEntry> all, folder_.list(options_.archive));
  Page page;
  page.position = position;
  std::size_t bytes = 0;
  for (const FolderEntry& entry : all) {
    const auto name = name_of_archived(entry.name);
    const auto type = name ? type_of_(*name) : std::nullopt;
    if (!type || entry.name < archived_before || *name < range.from ||
        (!range.to.empty() && *name > range.to))
      continue;
    TRY_ASSIGN(const auto opened, open(options_.archive, entry, *name));
    if (!opened) continue;
    std::size_t next = entry.name == archived_before ? static_cast<std::size_t>(given) : 0;
    for (; next < opened->messages.size(); ++next) {
      if (page.messages.size() >= messages_max || bytes >= page_bytes_max) {
        page.more = true;
        return page;
      }
      const RawMessage& message = opened->messages[next];
      page.position = std::to_string(next + 1) + ":" + entry.name;
      if (!range.type.empty() && message.type != range.type) continue;
      page.messages.push_back(message);
      bytes += message.body.size();
    }
  }
  return page;
}

}  // namespace mainstay::adapters
