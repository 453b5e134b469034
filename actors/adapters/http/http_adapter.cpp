#include "actors/adapters/http/http_adapter.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "actors/adapters/folder/names.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/http/target.hpp"
#include "runtime/sys/random.hpp"

namespace mainstay::adapters {

namespace {

using integration::Effect;
using integration::EffectResult;
using integration::Page;
using integration::RawMessage;
using integration::Verdict;
using json::Type;
using json::Value;

std::string text_at(const Value& value, const std::string& pointer) {
  const Value* found = pointer.empty() ? nullptr : json::find(value, pointer);
  if (found == nullptr || (!found->is(Type::string) && !found->is(Type::number))) return {};
  return found->text();
}

std::string member(const Value& object, std::string_view name) {
  const Value* found = object.is(Type::object) ? object.find(name) : nullptr;
  return found != nullptr && found->is(Type::string) ? found->text() : std::string{};
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// As numbers where both are, else as text.
bool is_greater(const std::string& a, const std::string& b) {
  if (is_digits(a) && is_digits(b) && a.size() != b.size()) return a.size() > b.size();
  return a > b;
}

std::string with_parameter(const std::string& path, const std::string& name,
                           const std::string& value) {
  if (name.empty() || value.empty()) return path;
  return path + (path.find('?') == std::string::npos ? "?" : "&") + http::percent_encode(name) +
         "=" + http::percent_encode(value);
}

std::string boot_id() {
  auto& random = sys::system_random();
  return hex_of({random.next(), random.next()});
}

Value receipt_of(const http::Reply& reply) {
  Value receipt = Value::object();
  receipt.set("status", Value::number(std::to_string(reply.status)));
  for (const char* name : {"ETag", "Location"})
    if (const auto value = reply.headers.find(name))
      receipt.set(name[0] == 'E' ? "etag" : "location", Value::string(std::string{*value}));
  constexpr std::size_t kept_bytes_max = 4'096;
  if (reply.body.size() <= kept_bytes_max)
    if (auto body = json::parse(reply.body)) receipt.set("body", std::move(*body));
  return receipt;
}

}  // namespace

std::string earlier(const std::string& since, Millis overlap) {
  using namespace std::chrono;
  if (overlap.count() <= 0) return since;
  if (is_digits(since) && since.size() <= 18) {
    const std::int64_t unit = since.size() >= 13 ? overlap.count() : overlap.count() / 1000;
    return std::to_string(std::max<std::int64_t>(0, std::stoll(since) - unit));
  }
  const auto part = [&since](std::size_t at, std::size_t size) {
    int number = -1;
    if (since.size() >= at + size)
      std::from_chars(since.data() + at, since.data() + at + size, number);
    return number;
  };
  if (since.size() < 20 || since[10] != 'T' || !since.ends_with('Z')) return since;
  const year_month_day date{year{part(0, 4)}, month{static_cast<unsigned>(part(5, 2))},
                            day{static_cast<unsigned>(part(8, 2))}};
  if (!date.ok()) return since;
  const auto time = sys_days{date} + hours{part(11, 2)} + minutes{part(14, 2)} +
                    seconds{part(17, 2)} - floor<seconds>(overlap);
  const auto midnight = floor<days>(time);
  const year_month_day on{midnight};
  const hh_mm_ss clock{time - midnight};
  char out[32];
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(on.year()),
                static_cast<unsigned>(on.month()), static_cast<unsigned>(on.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return out;
}

HttpAdapter::HttpAdapter(HttpAdapterOptions options, const sys::Clock& clock)
    : options_{std::move(options)}, clock_{clock}, boot_{boot_id()} {
  if (options_.place) calls_ = std::make_unique<HttpCalls>(*options_.place);
}

integration::AdapterTraits HttpAdapter::traits() const {
  return {.has_source = !options_.polls.empty() || options_.webhook.has_value(),
          .has_effects = !options_.out.empty(),
          .idempotent = options_.idempotent};
}

std::optional<config::Endpoint> HttpAdapter::listens() const {
  return webhook_ ? std::optional{webhook_->endpoint()} : std::nullopt;
}

const HttpOut* HttpAdapter::out_of(std::string_view type) const {
  const auto at = std::find_if(options_.out.begin(), options_.out.end(),
                               [type](const HttpOut& out) { return out.type == type; });
  return at == options_.out.end() ? nullptr : &*at;
}

Result<HttpAdapter::Items> HttpAdapter::get(const HttpPoll& poll, const std::string& target,
                                            const std::string& etag) {
  http::Call call{.target = target, .headers = {{"Accept", "application/json"}}};
  if (!etag.empty()) call.headers.emplace_back("If-None-Match", etag);
  TRY_ASSIGN(const http::Reply reply, calls_->call(std::move(call)));
  Items items;
  items.unchanged = reply.status == 304;
  if (items.unchanged) return items;
  if (reply.status == 401 || reply.status == 403)
    return fail(Errc::unauthorized, "GET " + target + ": status " + std::to_string(reply.status));
  if (reply.status != 200)
    return fail(
        reply.status == 429 || reply.status >= 500 ? Errc::unavailable : Errc::invalid_argument,
        "GET " + target + ": status " + std::to_string(reply.status));
  const auto body = json::parse(reply.body);
  const Value* all = body ? json::find(*body, poll.items) : nullptr;
  if (all == nullptr || !all->is(Type::array))
    return fail(Errc::invalid_argument,
                "GET " + target + ": the answer has no array at '" + poll.items + "'");
  items.etag = std::string{reply.headers.find("ETag").value_or("")};
  for (const Value& item : all->items()) {
    RawMessage message;
    message.body = json::to_text(item);
    message.id = text_at(item, poll.id);
    if (message.id.empty()) message.id = content_hash(json::canonical_text(item));
    message.version = text_at(item, poll.version);
    if (message.version.empty()) message.version = content_hash(json::canonical_text(item));
    message.type = poll.type;
    message.subject = text_at(item, poll.subject);
    if (const std::string since = text_at(item, poll.since_field); is_greater(since, items.since))
      items.since = since;
    items.messages.push_back(std::move(message));
  }
  if (const std::string next = text_at(*body, poll.next); !next.empty()) {
    TRY_ASSIGN(items.next, calls_->path_of_link(next));
  }
  return items;
}

// The position: {"polls": {"<type>": {"since", "seen", "etag", "next"}}, "turn": "<type>",
// "part": "<boot>/<page>/<given>", "hook": {"boot", "number"}}. `since` moves when the last page is
// through, to the greatest seen.
Result<void> HttpAdapter::poll_page(Value& position, std::size_t messages_max, Page& page) {
  const std::string turn = member(position, "turn");
  auto at = std::find_if(options_.polls.begin(), options_.polls.end(),
                         [&turn](const HttpPoll& poll) { return poll.type == turn; });
  if (at == options_.polls.end()) at = options_.polls.begin();
  const HttpPoll& poll = *at;
  if (position.find("polls") == nullptr) position.set("polls", Value::object());
  Value& polls = *position.find("polls");
  if (polls.find(poll.type) == nullptr) polls.set(poll.type, Value::object());
  Value& state = *polls.find(poll.type);

  const std::string next = member(state, "next");
  const std::string target =
      next.empty()
          ? with_parameter(poll.path, poll.since, earlier(member(state, "since"), poll.overlap))
          : next;
  // In the middle of a page only this object goes on; another one begins the page again, and what
  // was committed before is known.
  const std::string mark = boot_ + "/" + std::to_string(pages_) + "/";
  const std::string part = member(position, "part");
  std::uint64_t given = 0;
  if (items_ && part.starts_with(mark)) {
    TRY_ASSIGN(given, config::parse_integer(part.substr(mark.size())));
  } else {
    items_.reset();
    TRY_ASSIGN(items_, get(poll, target, next.empty() ? member(state, "etag") : ""));
    ++pages_;
  }
  Items& items = *items_;
  while (given < items.messages.size() && page.messages.size() < messages_max)
    page.messages.push_back(items.messages[given++]);
  if (given < items.messages.size()) {
    position.set("part",
                 Value::string(boot_ + "/" + std::to_string(pages_) + "/" + std::to_string(given)));
    page.more = true;
    return {};
  }
  position.erase("part");
  if (!items.unchanged) {
    if (next.empty() && items.next.empty())
      state.set("etag", Value::string(items.etag));
    else
      state.erase("etag");  // of a first page alone it says nothing about the others
    if (is_greater(items.since, member(state, "seen")))
      state.set("seen", Value::string(items.since));
  }
  if (!items.next.empty()) {
    state.set("next", Value::string(items.next));
    page.more = true;
  } else {
    state.erase("next");
    if (is_greater(member(state, "seen"), member(state, "since"))) {
      state.set("since", Value::string(member(state, "seen")));
      if (!poll.since.empty()) state.erase("etag");  // of another question
    }
    const bool last = at + 1 == options_.polls.end();
    position.set("turn", Value::string(last ? options_.polls.front().type : (at + 1)->type));
    page.more = !last;
  }
  return {};
}

Result<void> HttpAdapter::open() {
  if (!options_.webhook || webhook_) return {};
  TRY_ASSIGN(webhook_, Webhook::start(*options_.webhook, clock_));
  return {};
}

Result<Page> HttpAdapter::fetch(const std::string& position, std::size_t messages_max) {
  TRY(open());
  Value at = Value::object();
  if (!position.empty()) {
    TRY_ASSIGN(at, json::parse(position));
    if (!at.is(Type::object))
      return fail(Errc::invalid_argument, "the position is not one of this adapter");
  }
  Page page;
  // A counterpart that cannot be asked does not stop what it sends by itself.
  std::optional<Error> failed;
  if (!options_.polls.empty()) {
    Value before = at;
    if (auto polled = poll_page(at, messages_max, page); !polled) {
      if (!webhook_) return Failure{polled.error()};
      failed = polled.error();
      at = std::move(before);
    }
  }
  if (webhook_ && page.messages.size() < messages_max) {
    const Value* hook = at.find("hook");
    std::uint64_t number = 0;
    if (hook != nullptr && member(*hook, "boot") == boot_) {
      TRY_ASSIGN(number, config::parse_integer(member(*hook, "number")));
    }
    const Millis wait = page.messages.empty() && !page.more ? options_.webhook_wait : Millis{0};
    for (Webhook::Taken& taken :
         webhook_->take(number, messages_max - page.messages.size(), wait)) {
      number = taken.number;
      page.messages.push_back(std::move(taken.message));
    }
    Value mark = Value::object();
    mark.set("boot", Value::string(boot_));
    mark.set("number", Value::string(std::to_string(number)));
    if (number > 0) at.set("hook", std::move(mark));
  }
  if (failed && page.messages.empty()) return Failure{*failed};
  page.position = json::to_text(at);
  return page;
}

Result<std::vector<Value>> HttpAdapter::decode(const RawMessage& message) {
  TRY_ASSIGN(Value document, json::parse(message.body));
  std::vector<Value> documents;
  documents.push_back(std::move(document));
  return documents;
}

Result<void> HttpAdapter::acknowledge(const std::string& position) {
  if (!webhook_ || position.empty()) return {};
  TRY_ASSIGN(const Value at, json::parse(position));
  const Value* hook = at.is(Type::object) ? at.find("hook") : nullptr;
  if (hook == nullptr || member(*hook, "boot") != boot_) return {};
  TRY_ASSIGN(const std::uint64_t number, config::parse_integer(member(*hook, "number")));
  webhook_->acknowledge(number);
  return {};
}

EffectResult HttpAdapter::apply(const Effect& effect) {
  const HttpOut* out = out_of(effect.type);
  if (out == nullptr)
    return EffectResult::failed(Verdict::refused,
                                "no [[settings.out]] has the type '" + effect.type + "'");
  const auto path = fill_path(out->path, effect);
  if (!path) return EffectResult::failed(Verdict::refused, path.error().message);
  http::Call call{.method = out->method, .target = *path};
  call.headers = {{"Idempotency-Key", "\"" + http::percent_encode(effect.key) + "\""},
                  {"Accept", "application/json"}};
  if (out->form == HttpOut::Form::structured) {
    Value event = Value::object();
    event.set("specversion", Value::string("1.0"));
    event.set("id", Value::string(effect.key));
    event.set("source", Value::string(out->event_source));
    event.set("type", Value::string(out->event_type));
    if (!effect.subject.empty()) event.set("subject", Value::string(effect.subject));
    event.set("datacontenttype", Value::string("application/json"));
    event.set("data", effect.document);
    call.headers.emplace_back("Content-Type", "application/cloudevents+json");
    call.body = Bytes{json::to_text(event)};
  } else {
    call.headers.emplace_back("Content-Type", "application/json");
    call.body = Bytes{json::to_text(effect.document)};
  }
  if (out->form == HttpOut::Form::binary) {
    // CloudEvents' HTTP binding, 3.1.3.2: what is no printable ASCII is percent-encoded.
    const auto header = [&call](const char* name, const std::string& value) {
      const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
        return c > 0x20 && c < 0x7F && c != '"' && c != '%';
      });
      call.headers.emplace_back(name, plain ? value : http::percent_encode(value));
    };
    header("ce-specversion", "1.0");
    header("ce-id", effect.key);
    header("ce-source", out->event_source);
    header("ce-type", out->event_type);
    if (!effect.subject.empty()) header("ce-subject", effect.subject);
  }
  bool sent = false;
  const auto reply = calls_->call(std::move(call), &sent);
  EffectResult result = judge(reply, sent);
  if (result.verdict == Verdict::done) result.receipt = receipt_of(*reply);
  return result;
}

Result<std::optional<Value>> HttpAdapter::lookup(const Effect& effect) {
  const HttpOut* out = out_of(effect.type);
  if (out == nullptr) return std::optional<Value>{};
  if (out->lookup.empty())
    return fail(Errc::unsupported, "[[settings.out]] of '" + effect.type + "' has no lookup");
  TRY_ASSIGN(const std::string path, fill_path(out->lookup, effect));
  TRY_ASSIGN(const http::Reply reply,
             calls_->call({.target = path, .headers = {{"Accept", "application/json"}}}));
  if (reply.status == 404 || reply.status == 410) return std::optional<Value>{};
  if (reply.status == 401 || reply.status == 403)
    return fail(Errc::unauthorized, "GET " + path + ": status " + std::to_string(reply.status));
  if (reply.status != 200)
    return fail(Errc::unavailable, "GET " + path + ": status " + std::to_string(reply.status));
  if (out->lookup_items.empty()) return std::optional<Value>{receipt_of(reply)};
  TRY_ASSIGN(const Value body, json::parse(reply.body));
  const Value* found = json::find(body, out->lookup_items);
  if (found == nullptr || !found->is(Type::array))
    return fail(Errc::unavailable,
                "GET " + path + ": the answer has no array at " + out->lookup_items);
  if (found->items().empty()) return std::optional<Value>{};
  return std::optional<Value>{receipt_of(reply)};
}

Result<Page> HttpAdapter::backfill(const integration::Range& range, const std::string& position,
                                   std::size_t) {
  const auto at = std::find_if(options_.polls.begin(), options_.polls.end(),
                               [&range](const HttpPoll& poll) { return poll.type == range.type; });
  if (at == options_.polls.end())
    return fail(Errc::invalid_argument, "no [[settings.poll]] has the type '" + range.type + "'");
  const std::string target =
      position.empty()
          ? with_parameter(with_parameter(at->path, at->since, range.from), at->until, range.to)
          : position;
  // The counterpart's own pages: they cannot be cut without asking for them again.
  TRY_ASSIGN(Items items, get(*at, target, ""));
  Page page;
  page.messages = std::move(items.messages);
  page.more = !items.next.empty();
  page.position = page.more ? items.next : target;
  return page;
}

Result<integration::ObservedPage> HttpAdapter::observe(const std::string& kind,
                                                       const std::string& after) {
  const auto at = std::find_if(options_.observes.begin(), options_.observes.end(),
                               [&kind](const HttpPoll& each) { return each.type == kind; });
  if (at == options_.observes.end())
    return fail(Errc::invalid_argument, "no [[settings.observe]] has the kind '" + kind + "'");
  TRY_ASSIGN(Items items, get(*at, after.empty() ? at->path : after, ""));
  integration::ObservedPage page;
  for (RawMessage& message : items.messages) {
    TRY_ASSIGN(Value document, json::parse(message.body));
    page.items.push_back({std::move(message.id), std::move(document)});
  }
  page.next = items.next;
  return page;
}

}  // namespace mainstay::adapters
