// An HTTP/1.1 client with kept-alive connections, for the tool, tests and benchmarks. One thread of
// its own. An answer is taken whole, or piece by piece as it comes (feeds, exports).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/config/values.hpp"
#include "runtime/http/message.hpp"
#include "runtime/tls/api_context.hpp"

namespace mainstay::http {

struct Call {
  Method method = Method::get;
  std::string target;  // percent-encoded path and query
  std::vector<std::pair<std::string, std::string>> headers = {};
  Bytes body = {};
};

struct Reply {
  int status = 0;
  Headers headers;
  std::string body;
};

// How an answer is taken piece by piece.
struct Taking {
  // Gets what has come of the body, never empty; false: enough, the connection is closed. On the
  // client's thread; must not block for long, for it holds up the client's other calls.
  std::function<bool(std::string_view piece)> take;
  // Called before the first piece; may be null.
  std::function<void(const Reply& head)> begin = nullptr;
  Millis quiet_max{15'000};  // a server that sends nothing for this long counts as gone
};

struct ClientOptions {
  std::size_t connections_max =
      4096;  // over all endpoints; more calls at once are refused with busy
  std::size_t body_bytes_max = 64U << 20;  // of a reply
  // What to trust (tls::ClientContext::load); null: plain HTTP.
  std::shared_ptr<const tls::ClientContext> tls = nullptr;
};

// Thread-safe. Errors of a call: unavailable (no connection: nothing was sent), deadline_exceeded
// and io_error (sent, perhaps carried out), busy. A call that finds its kept connection closed
// before any answer is sent once more if its method may be repeated (not POST, PATCH).
class Client {
 public:
  explicit Client(const ClientOptions& options = {});
  ~Client();  // cancels what is under way: its callers get unavailable or io_error

  using Done = std::function<void(Result<Reply>)>;
  // `done` runs on the client's thread and must not block or call().
  void send(const config::Endpoint& endpoint, Call call, MonotonicTime deadline, Done done);
  // Blocks until the answer or the deadline.
  Result<Reply> call(const config::Endpoint& endpoint, Call call, MonotonicTime deadline);

  // As send and call, but the body of an answer below 300 goes to `taking`, and the reply has none.
  // `deadline` is for the answer's head; from then on quiet_max counts. The end: ok when the server
  // ended the answer properly or `take` had enough; else deadline_exceeded (quiet) or io_error
  // (broken off).
  void send(const config::Endpoint& endpoint, Call call, MonotonicTime deadline, Taking taking,
            Done done);
  Result<Reply> call(const config::Endpoint& endpoint, Call call, MonotonicTime deadline,
                     Taking taking);

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace mainstay::http
