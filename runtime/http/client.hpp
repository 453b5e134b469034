// An HTTP/1.1 client with kept-alive connections, for the tool, tests and benchmarks. One thread of
// its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/config/values.hpp"
#include "runtime/http/message.hpp"

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

struct ClientOptions {
  std::size_t connections_max =
      4096;  // over all endpoints; more calls at once are refused with busy
  std::size_t body_bytes_max = 64U << 20;  // of a reply
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

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace mainstay::http
