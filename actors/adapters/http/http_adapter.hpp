// The adapter `http`: polls a JSON interface, takes webhooks, sends CloudEvents.
// docs/integration/adapters/http.md is for its users.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/adapters/http/http_calls.hpp"
#include "actors/adapters/http/webhook.hpp"
#include "runtime/integration/adapter.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::adapters {

// [[settings.poll]], and [[settings.observe]] with its kind as type.
struct HttpPoll {
  std::string type;
  std::string path;
  std::string items;        // pointer; "": the document is the array
  std::string id;           // pointer
  std::string version;      // pointer; "": the item's hash
  std::string subject;      // pointer
  std::string since;        // name of the parameter; "": everything each time
  std::string until;        // the same, for backfill
  std::string since_field;  // pointer to what the next `since` is the greatest of
  Millis overlap{0};
  std::string next;  // pointer to the link of the next page; "": there is one page
};

// [[settings.out]]
struct HttpOut {
  std::string type;
  http::Method method = http::Method::post;
  std::string path;          // template
  std::string lookup;        // template of a GET; "": none
  std::string lookup_items;  // pointer: it is there if this array holds something
  enum class Form : std::uint8_t { structured, binary, plain } form = Form::structured;
  std::string event_type;
  std::string event_source;
};

struct HttpAdapterOptions {
  std::optional<HttpPlace> place;
  std::vector<HttpPoll> polls;
  std::vector<HttpPoll> observes;
  std::vector<HttpOut> out;
  std::optional<WebhookOptions> webhook;
  Millis webhook_wait{1'000};
  bool idempotent = false;
};

class HttpAdapter final : public integration::Adapter {
 public:
  // `clock` must outlive this.
  HttpAdapter(HttpAdapterOptions options, const sys::Clock& clock);

  integration::AdapterTraits traits() const override;
  Result<integration::Page> fetch(const std::string& position, std::size_t messages_max) override;
  Result<std::vector<json::Value>> decode(const integration::RawMessage& message) override;
  Result<void> acknowledge(const std::string& position) override;
  integration::EffectResult apply(const integration::Effect& effect) override;
  Result<std::optional<json::Value>> lookup(const integration::Effect& effect) override;
  Result<integration::Page> backfill(const integration::Range& range, const std::string& position,
                                     std::size_t messages_max) override;
  Result<integration::ObservedPage> observe(const std::string& kind,
                                            const std::string& after) override;

  // Opens the listener of the webhook, if there is one; fetch does it too.
  Result<void> open();
  // Where the webhook listens; nothing before.
  std::optional<config::Endpoint> listens() const;

 private:
  struct Items {
    std::vector<integration::RawMessage> messages;
    std::string next;  // path; "": that was the last page
    std::string etag;
    std::string since;  // greatest since_field seen
    bool unchanged = false;
  };
  Result<Items> get(const HttpPoll& poll, const std::string& target, const std::string& etag);
  Result<void> poll_page(json::Value& position, std::size_t messages_max, integration::Page& page);
  const HttpOut* out_of(std::string_view type) const;

  const HttpAdapterOptions options_;
  const sys::Clock& clock_;
  std::unique_ptr<HttpCalls> calls_;
  std::unique_ptr<Webhook> webhook_;
  const std::string boot_;  // of this adapter: numbers of webhooks are only worth something in it

  // Only to be fast: the page of items in the middle of which the last fetch ended.
  std::optional<Items> items_;
  std::uint64_t pages_ = 0;  // which page that is
};

Result<std::unique_ptr<integration::Adapter>> make_http_adapter(
    const integration::AdapterContext& context);

// "2026-11-28T07:00:00Z" or seconds or milliseconds since 1970, so much earlier. What is neither
// stays as it is.
std::string earlier(const std::string& since, Millis overlap);

}  // namespace mainstay::adapters
