// What a counterpart sends by itself: a listener that keeps each request waiting until what it
// brought is committed. Only then it is answered with 202; 503 when that takes too long, so that
// the sender repeats it. Nothing is lost with this process, because nothing was promised.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/http/server.hpp"
#include "runtime/integration/adapter.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::adapters {

struct WebhookOptions {
  config::Endpoint listen;
  std::string path;
  std::string type;  // of the messages; "": the event's own
  std::string id;    // pointer; "": id_header, the event's own, the body's hash
  std::string id_header;
  std::string subject;  // pointer
  std::string secret;   // "": requests are not signed
  std::string signature_header = "X-Signature";
  std::string signature_prefix = "sha256=";
  std::string timestamp_header;  // "": the body alone is signed; else "<seconds>.<body>"
  Millis window{300'000};        // how old or new that may be
  Millis answer_within{10'000};
  std::size_t waiting_max = 1'000;
  std::size_t body_bytes_max = 1U << 20;
  std::string tls_certificate;
  std::string tls_key;
};

// Thread-safe.
class Webhook {
 public:
  // `clock` must outlive it. Errors: those of http::Server::start.
  static Result<std::unique_ptr<Webhook>> start(const WebhookOptions& options,
                                                const sys::Clock& clock);
  ~Webhook();

  config::Endpoint endpoint() const { return server_->endpoint(); }

  struct Taken {
    std::uint64_t number = 0;
    integration::RawMessage message;
  };
  // Those that wait behind `number`, in the order they came; waits up to `wait` for one.
  std::vector<Taken> take(std::uint64_t number, std::size_t messages_max, Millis wait);
  // Everything up to `number` is committed.
  void acknowledge(std::uint64_t number);

 private:
  struct Waiting {
    Taken taken;
    std::optional<http::Responder> responder;  // none: it was told to come again
    MonotonicTime until;
  };

  Webhook(const WebhookOptions& options, const sys::Clock& clock)
      : options_{options}, clock_{clock} {}
  void handle(http::Request request, const http::Responder& responder);
  // What is wrong with it: status and detail.
  std::optional<http::Response> check(const http::Request& request) const;
  bool is_signed(const http::Request& request) const;
  integration::RawMessage message_of(const http::Request& request) const;
  void expire();

  const WebhookOptions options_;
  const sys::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;  // guarded by mutex_
  std::uint64_t last_ = 0;       // guarded by mutex_
  std::uint64_t given_ = 0;      // guarded by mutex_: taken up to here
  bool stopping_ = false;        // guarded by mutex_
  std::thread expirer_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace mainstay::adapters
