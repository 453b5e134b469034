// The HTTP/1.1 server. It owns its threads; each connection lives on one of them, so that nothing
// in it is locked. Requests of one connection are handled one after the other, in order, pipelined
// or not. Everything is bounded: connections, header and body sizes, the time a client may take to
// send a request or to take an answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/base/limits.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/config/values.hpp"
#include "runtime/http/agent_check.hpp"
#include "runtime/http/message.hpp"
#include "runtime/http/responder.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::http {

struct ServerOptions {
  config::Endpoint listen;  // port 0: a free one
  std::size_t threads = 2;
  std::size_t connections_max = limits::http_connections_max;
  std::size_t header_bytes_max = limits::http_header_bytes_max;
  std::size_t body_bytes_max = limits::http_body_bytes_max;
  Millis idle_timeout{75'000};     // without a request
  Millis request_timeout{15'000};  // for a whole request to come in, and for an answer to be taken
  Millis sweep_interval{200};      // how often those times are checked
  // TLS: PEM files of the certificate chain and its key; both empty: plain HTTP.
  std::string tls_certificate = {};
  std::string tls_key = {};
  // HAProxy's agent-check, on a port of its own; null: none.
  AgentCheck agent_check = nullptr;
  config::Endpoint agent_listen = {};
  Millis certificate_interval{2'000};  // how often those files are looked at
};

struct ServerCounts {
  std::uint64_t connections_open = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;  // over connections_max
  std::uint64_t requests = 0;             // handed to the handler
  std::uint64_t requests_bad = 0;         // refused before: not HTTP, too large
  std::uint64_t timeouts = 0;             // clients cut off for being slow
  std::uint64_t streams_open = 0;         // answers whose body is made while it is sent
  std::uint64_t handshakes_failed = 0;    // of TLS
};

class Server {
 public:
  // Runs on an HTTP thread and must not block for long. It answers from any thread, through the
  // responder.
  using Handler = std::function<void(Request request, const Responder& responder)>;

  // Errors: invalid_argument (the host has no address; certificate and key do not belong together),
  // not_found (their files), unavailable (the address cannot be bound).
  // `clock` must outlive the server.
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options,
                                               const sys::Clock& clock, Handler handler);
  ~Server();  // stop with no grace

  config::Endpoint endpoint() const;        // with the port that was bound
  config::Endpoint agent_endpoint() const;  // the same of agent_listen
  ServerCounts counts() const;
  // When the certificate in use ends; nothing without TLS. Any thread.
  std::optional<WallTime> certificate_expires() const;

  // Reads certificate and key again, for new connections; done by itself too when the files change.
  // A pair that is no good is refused, and the one before stays; the log tells either way. Does
  // nothing without TLS. Any thread.
  void reload_certificates();
  // Goes on serving, but every answer ends its connection, and feeds end, so that clients move to
  // other nodes.
  void drain();
  // Takes no more connections, closes idle ones, lets requests in flight finish for up to `grace`,
  // then ends the rest. Blocks; idempotent.
  void stop(Millis grace);

 private:
  class Core;
  explicit Server(std::unique_ptr<Core> core);

  std::unique_ptr<Core> core_;
};

}  // namespace mainstay::http
