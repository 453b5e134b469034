#include "runtime/api/feed.hpp"

#include <algorithm>

#include "runtime/api/render.hpp"
#include "runtime/api/times.hpp"

namespace mainstay::api {

namespace {

// A piece of a stream ends at this size; one change may go beyond it.
constexpr std::size_t piece_bytes = 256 * limits::kib;
// A commit of a page is not cut; one larger than this needs a stream.
constexpr std::size_t commit_bytes_max = 16 * limits::mib;

FeedForm form_of(const http::Request& request) {
  const auto accept = request.headers.find("Accept");
  if (!accept || request.method == http::Method::head) return FeedForm::page;
  const auto lines =
      std::min(accept->find("application/x-ndjson"), accept->find("application/ndjson"));
  const auto events = accept->find("text/event-stream");
  if (lines == std::string_view::npos && events == std::string_view::npos) return FeedForm::page;
  return events < lines ? FeedForm::events : FeedForm::lines;
}

Result<std::vector<std::string>> collections_of(const std::string& list,
                                                const Principal& principal) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    names.push_back(list.substr(begin, end - begin));
    TRY(record::check_collection_name(names.back()));
    TRY(principal.need_collection(names.back()));
    begin = end + 1;
  }
  return names;
}

// Last-Event-ID of a browser that comes back, else ?after=.
Result<std::optional<record::Revision>> after_of(const http::Request& request, FeedForm form) {
  const std::string* after = request.parameter("after");
  if (form == FeedForm::events)
    if (const auto last = request.headers.find("Last-Event-ID"); last) {
      http::Request given;
      given.query.emplace_back("Last-Event-ID", std::string{*last});
      return number_parameter(given, "Last-Event-ID", 0, UINT64_MAX);
    }
  if (after != nullptr && *after == "now") return std::optional<record::Revision>{};
  TRY_ASSIGN(const auto revision, number_parameter(request, "after", 0, UINT64_MAX));
  return std::optional{revision.value_or(0)};
}

// Line ends in JSON are white space between its parts: a line of the feed must have none.
void append_on_one_line(std::string& out, std::string_view json) {
  const std::size_t begin = out.size();
  out += json;
  for (std::size_t i = begin; i < out.size(); ++i)
    if (out[i] == '\n' || out[i] == '\r') out[i] = ' ';
}

}  // namespace

Result<FeedRequest> feed_request_of(const Call& call) {
  const http::Request& request = call.request;
  TRY(check_query(request, {"after", "collection", "wait", "limit", "level"}));
  FeedRequest feed;
  feed.form = form_of(request);
  TRY_ASSIGN(feed.after, after_of(request, feed.form));
  if (const std::string* list = request.parameter("collection"); list != nullptr) {
    TRY_ASSIGN(feed.collections, collections_of(*list, call.principal));
  }
  TRY_ASSIGN(const auto wait, number_parameter(request, "wait", 0, limits::request_ms_max));
  if (wait) feed.wait = Millis{static_cast<std::int64_t>(*wait)};
  if (feed.form != FeedForm::page && request.parameter("limit") != nullptr)
    return fail(Errc::invalid_argument, "limit is for pages; a stream has none");
  TRY_ASSIGN(feed.limit, limit_of(request, limits::list_records_max));
  TRY_ASSIGN(feed.need, need_of(request));
  return feed;
}

bool Feed::wants(const std::string& collection) const {
  if (request_.collections)
    return std::find(request_.collections->begin(), request_.collections->end(), collection) !=
           request_.collections->end();
  return !collection.starts_with('_') && principal_.may_see(collection);
}

// `whole`: the next change begins a commit.
bool Feed::full(const std::string& text, bool whole, std::size_t items, std::size_t scanned) const {
  if (request_.form != FeedForm::page)
    return text.size() >= piece_bytes || scanned >= page_scanned_max;
  return whole &&
         (items >= request_.limit || text.size() >= page_bytes_max || scanned >= page_scanned_max);
}

void Feed::append(std::string& out, const record::ChangeView& change, std::size_t position,
                  std::size_t of) const {
  const record::Commit& commit = *change.commit;
  const bool removed = change.change->kind == record::ChangeKind::remove;
  const bool last = position + 1 == of;
  if (request_.form == FeedForm::page && !out.empty()) out += ',';
  if (request_.form == FeedForm::events && last)
    out += "id: " + std::to_string(commit.revision) + "\n";
  if (request_.form == FeedForm::events) out += "data: ";
  out += "{\"revision\":" + std::to_string(commit.revision);
  out += ",\"position\":" + std::to_string(position) + ",\"of\":" + std::to_string(of);
  out += ",\"collection\":" + json_string(change.change->collection);
  out += ",\"key\":" + json_string(change.change->key);
  out += removed ? ",\"type\":\"delete\"" : ",\"type\":\"put\"";
  out += ",\"version\":" + std::to_string(change.change->version);
  out += ",\"time\":\"" + time_text(commit.stamp.millis) + "\"";
  out += ",\"operation\":" + json_string(commit.operation);
  if (!removed) {
    out += ",\"value\":";
    append_on_one_line(out, change.record.value.view());
  }
  out += '}';
  if (request_.form != FeedForm::page) out += '\n';
  if (request_.form == FeedForm::events) out += '\n';
}

Result<std::string> Feed::read(const record::StateReader& view) {
  std::string text;
  std::size_t items = 0, scanned = 0, position = 0, of = 0, commit_begin = 0;
  bool cut = false;
  Result<void> failed;
  record::Revision current = 0;
  const auto take = [&](const record::ChangeView& change) {
    const bool begins = change.commit->revision != current;
    if (begins && current != 0) {
      after_ = current;
      skip_ = 0;
    }
    if (full(text, begins, items, scanned)) {
      cut = true;
      return false;
    }
    if (begins) {
      const auto& changes = change.commit->changes;
      const auto wanted = [&](const record::Change& each) { return wants(each.collection); };
      current = change.commit->revision;
      of = static_cast<std::size_t>(std::count_if(changes.begin(), changes.end(), wanted));
      position = static_cast<std::size_t>(std::count_if(
          changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(change.position), wanted));
      commit_begin = text.size();
    }
    ++scanned;
    skip_ = change.position + 1;
    if (!wants(change.change->collection)) return true;
    append(text, change, position++, of);
    ++items;
    if (request_.form == FeedForm::page && text.size() - commit_begin > commit_bytes_max)
      failed = fail(Errc::too_large, "the commit of revision " + std::to_string(current) +
                                         " is too large for a page; take it as a stream: Accept: "
                                         "application/x-ndjson");
    return failed.has_value();
  };
  TRY(record::scan_changes(view, after_, skip_, take));
  TRY(failed);
  if (!cut) {
    after_ = std::max(after_, view.counters().revision);
    skip_ = 0;
  }
  return text;
}

http::Response feed_failure(const Error& error, const record::StateReader& view,
                            const std::string& instance) {
  if (error.code != Errc::compacted) return failure_response(error, {}, instance);
  const record::Counters counters = view.counters();
  return failure_response(
      Error{error.code, "changes up to revision " + std::to_string(counters.floor) +
                            " are no longer held: read the records, then go on from revision " +
                            std::to_string(counters.revision) +
                            ", and ignore what is not newer than read"},
      {}, instance, {},
      {{"floor", std::to_string(counters.floor)},
       {"snapshot", "{\"revision\":" + std::to_string(counters.revision) + "}"}});
}

}  // namespace mainstay::api
