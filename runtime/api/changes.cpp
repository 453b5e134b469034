// The change feed over HTTP: pages with long poll, lines, server-sent events.
#include <algorithm>

#include "runtime/api/feed.hpp"
#include "runtime/api/render.hpp"

namespace mainstay::api {

namespace {

using http::Response;

constexpr Millis heartbeat{5000};
// A reader that wants few of many changes looks for them this often, not at each of them.
constexpr Millis look_interval{20};
constexpr record::Revision look_revisions = 64;

// Waits until there may be more to read; `then` runs on the HTTP thread, unless the client has
// gone. `empty`: changes came last time, but none that the feed wants.
void wait_for_more(const CallPtr& call, record::Revision after, bool empty, MonotonicTime until,
                   std::function<void(const Result<record::Revision>&)> then) {
  const MonotonicTime now = call->context->clock.monotonic();
  if (empty) {
    after += look_revisions;
    until = std::min(until, now + look_interval);
  }
  call->backend().wait_revision(
      after, until, [call, then = std::move(then)](const Result<record::Revision>& newest) {
        call->responder.post([then, newest] { then(newest); });
      });
}

// A stream's pieces, read when the client has taken those before.
class ChangeStream final : public http::BodySource,
                           public std::enable_shared_from_this<ChangeStream> {
 public:
  ChangeStream(CallPtr call, FeedRequest request, record::Revision after)
      : call_{std::move(call)},
        request_{std::move(request)},
        feed_{request_, call_->principal, after},
        given_at_{now()},
        admitted_at_{now()},
        data_at_{now()} {}

  void next(std::function<void(Bytes)> give) override {
    if (ended_) return give({});
    look(give);
  }

 private:
  using Give = std::function<void(Bytes)>;

  MonotonicTime now() const { return call_->context->clock.monotonic(); }

  void look(const Give& give) {
    const auto view = call_->backend().view();
    if (!view) return end_with(failure_response(view.error(), {}, call_->instance()), give);
    if (now() - admitted_at_ >= heartbeat) {
      if (auto admitted = still_admitted(*call_, **view); !admitted)
        return end_with(failure_response(admitted.error(), {}, call_->instance()), give);
      admitted_at_ = now();
    }
    const record::Revision before = feed_.after();
    auto text = feed_.read(**view);
    if (!text) return end_with(feed_failure(text.error(), **view, call_->instance()), give);
    if (!text->empty()) {
      given_at_ = data_at_ = now();
      return give(Bytes{std::move(*text)});
    }
    if (idle_end() <= now()) {
      ended_ = true;
      return give({});
    }
    if (now() - given_at_ >= heartbeat) return beat(give);
    wait(give, feed_.after() != before);
  }

  // The time when a stream with `wait` ends for want of changes.
  MonotonicTime idle_end() const {
    return request_.wait ? data_at_ + *request_.wait : MonotonicTime::max();
  }

  void wait(const Give& give, bool empty) {
    const MonotonicTime until = std::min(given_at_ + heartbeat, idle_end());
    wait_for_more(call_, feed_.after(), empty, until,
                  [weak = weak_from_this(), give](const Result<record::Revision>& newest) {
                    const auto self = weak.lock();
                    if (self == nullptr) return;
                    if (newest) return self->look(give);
                    self->end_with(failure_response(newest.error(), {}, self->call_->instance()),
                                   give);
                  });
  }

  void beat(const Give& give) {
    given_at_ = now();
    const std::string revision = std::to_string(feed_.after());
    give(Bytes{request_.form == FeedForm::events
                   ? ": heartbeat\nid: " + revision + "\n\n"
                   : "{\"revision\":" + revision + ",\"heartbeat\":true}\n"});
  }

  void end_with(const Response& problem, const Give& give) {
    ended_ = true;
    const std::string text{problem.body.view()};
    give(Bytes{request_.form == FeedForm::events ? "event: problem\ndata: " + text + "\n\n"
                                                 : "{\"problem\":" + text + "}\n"});
  }

  const CallPtr call_;
  const FeedRequest request_;
  Feed feed_;
  MonotonicTime given_at_;     // a piece of any kind
  MonotonicTime admitted_at_;  // the token was looked at
  MonotonicTime data_at_;      // a change, or the beginning
  bool ended_ = false;
};

void begin_stream(const CallPtr& call, const FeedRequest& request, record::Revision after,
                  const std::string& session) {
  Response head;
  head.content_type =
      request.form == FeedForm::events ? "text/event-stream" : "application/x-ndjson";
  head.headers.emplace_back("Cache-Control", "no-store");
  head.headers.emplace_back(session_header, session);
  call->responder.stream(std::move(head), std::make_shared<ChangeStream>(call, request, after));
}

// One page, which may wait for its first change.
struct PageWait {
  CallPtr call;
  Feed feed;
  MonotonicTime until;
};

void read_page(const std::shared_ptr<PageWait>& page) {
  const Call& call = *page->call;
  const auto view = call.backend().view();
  if (!view) return call.refuse(view.error());
  const record::Revision before = page->feed.after();
  const auto text = page->feed.read(**view);
  if (!text) return call.answer(feed_failure(text.error(), **view, call.instance()));
  if (text->empty() && call.context->clock.monotonic() < page->until)
    return wait_for_more(page->call, page->feed.after(), page->feed.after() != before, page->until,
                         [page](const Result<record::Revision>& newest) {
                           if (!newest) return page->call->refuse(newest.error());
                           read_page(page);
                         });
  Response response = http::json_response(
      200, "{\"changes\":[" + *text + "],\"next\":" + std::to_string(page->feed.after()) + "}");
  response.headers.emplace_back(session_header, session_of((*view)->counters().revision));
  call.answer(std::move(response));
}

// What can be refused is refused before a stream begins.
Result<record::Revision> start_of(const record::StateReader& view, const FeedRequest& request) {
  const record::Revision newest = view.counters().revision;
  if (request.collections)
    for (const std::string& name : *request.collections) TRY(collection_in(view, name));
  if (request.after && *request.after > newest && request.need.level == ReadLevel::linearizable)
    return fail(Errc::invalid_argument, "revision " + std::to_string(*request.after) +
                                            " has not been yet; the newest is " +
                                            std::to_string(newest));
  if (request.after && *request.after < view.counters().floor)
    return fail(Errc::compacted, "this revision is no longer held");
  return request.after.value_or(newest);
}

void begin(const CallPtr& call, const FeedRequest& request) {
  const auto view = call->backend().view();
  if (!view) return call->refuse(view.error());
  const auto after = start_of(**view, request);
  if (!after) return call->answer(feed_failure(after.error(), **view, call->instance()));
  if (request.form != FeedForm::page)
    return begin_stream(call, request, *after, session_of((*view)->counters().revision));
  read_page(std::make_shared<PageWait>(
      PageWait{call, Feed{request, call->principal, *after},
               call->context->clock.monotonic() + request.wait.value_or(Millis{0})}));
}

void watch_changes(const CallPtr& call) {
  auto request = feed_request_of(*call);
  if (!request) return call->refuse(request.error());
  const ReadNeed need = request->need;
  call->backend().read_barrier(need, call->deadline,
                               [call, request = std::move(*request)](const Result<void>& ready) {
                                 if (!ready) return call->refuse(ready.error());
                                 call->responder.post([call, request] { begin(call, request); });
                               });
}

}  // namespace

void add_change_routes(Routes& routes) {
  routes.add(http::Method::get, "/v1/changes", watch_changes);
}

}  // namespace mainstay::api
