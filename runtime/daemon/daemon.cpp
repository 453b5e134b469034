#include "runtime/daemon/daemon.hpp"

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <caf/actor_system.hpp>

#include "actors/kit/actor_system.hpp"
#include "actors/node/node.hpp"
#include "runtime/api/api.hpp"
#include "runtime/base/log.hpp"
#include "runtime/daemon/adapters.hpp"
#include "runtime/daemon/load_report.hpp"
#include "runtime/daemon/request_meter.hpp"
#include "runtime/daemon/server_meter.hpp"
#include "runtime/daemon/signals.hpp"
#include "runtime/http/server.hpp"
#include "runtime/sys/clock.hpp"
#include "runtime/sys/file.hpp"
#include "runtime/sys/random.hpp"

namespace mainstay::daemon {

namespace {

constexpr Millis drain_poll{10};
constexpr Millis certificate_look{5000};
// Clients with open connections learn from their next answer that they should go elsewhere.
constexpr Millis quiet_before_stop{200};
// Those who come back all the same are refused after this; what is in flight then still has
// drain.timeout to finish.
constexpr Millis clients_leave_max{1000};
constexpr Millis actors_stop_max{5000};
constexpr Millis last_resort{10'000};  // after everything else should have ended

// No destructor, no exit handler: what must be durable is.
[[noreturn]] void end_at_once(int exit_code, const std::string& why) {
  log_error("mainstayd", "{}: the process ends with exit code {}", why, exit_code);
  std::fflush(nullptr);
  std::_Exit(exit_code);
}

store::StoreOptions store_options(const config::Config& config, const Surroundings& around) {
  store::StoreOptions options;
  options.directory = config.data_directory;
  options.node = NodeId{config.node_id};
  options.log_map_bytes = config.storage_log_map_max;
  options.record_map_bytes = config.storage_record_map_max;
  options.apply.window_ms = around.retention_window_ms;
  options.free_bytes_min = config.storage_free_min;
  options.free_bytes_resume = config.storage_free_min + config.storage_free_min / 2;
  return options;
}

// Errors: invalid_argument: an address is none.
Result<http::ServerOptions> server_options(const config::Config& config, api::Backend& backend) {
  http::ServerOptions options;
  TRY_ASSIGN(options.listen, config::parse_endpoint(config.api_listen));
  if (!config.api_agent_listen.empty()) {
    TRY_ASSIGN(options.agent_listen, config::parse_endpoint(config.api_agent_listen));
    options.agent_check = [&backend] { return load_report(backend); };
  }
  options.tls_certificate = config.api_tls_certificate;
  options.tls_key = config.api_tls_key;
  options.threads = config.http_threads;
  options.connections_max = config.http_connections_max;
  options.idle_timeout = config.http_idle_timeout;
  options.request_timeout = config.http_request_timeout;
  return options;
}

api::ApiOptions api_options(const config::Config& config) {
  api::ApiOptions options;
  options.deadline_default = config.api_deadline;
  options.metrics = config.metrics_enabled;
  options.metrics_open = config.metrics_open;
  options.auth_enabled = config.auth_enabled;
  options.bootstrap_token_hash = config.auth_bootstrap_token_hash;
  return options;
}

// Ends the process when stopping takes too long: something hangs, and nothing of it is worth
// waiting for.
class Watchdog {
 public:
  explicit Watchdog(Millis time)
      : thread_{[this, time] {
          std::unique_lock lock{mutex_};
          if (!stopped_.wait_for(lock, time, [this] { return done_; }))
            end_at_once(EXIT_FAILURE, "stopping takes too long");
        }} {}
  ~Watchdog() {
    {
      const std::lock_guard lock{mutex_};
      done_ = true;
    }
    stopped_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool done_ = false;
  std::thread thread_;  // last: it uses the others as soon as it is made
};

// Readiness off and leadership away; clients are sent elsewhere.
void begin_drain(node::Node& node, http::Server& server) {
  log_info("mainstayd", "drains");
  node.begin_drain();
  server.drain();
}

// Drains, and waits while clients learn from their answers and load balancers from /readyz to go
// elsewhere: until nothing came for a moment, at most `time`. A second signal ends the wait.
void drain(node::Node& node, http::Server& server, Millis time) {
  begin_drain(node, server);
  Millis quiet{};
  for (Millis waited{}; waited < time && quiet < quiet_before_stop; waited += drain_poll) {
    if (const auto signal = wait_for_signal(drain_poll); signal && asks_to_end(*signal)) {
      log_warn("mainstayd", "second signal: stops without waiting");
      return;
    }
    quiet = node.drained() ? quiet + drain_poll : Millis{};
    if (waited >= clients_leave_max && !node.leads()) return;
  }
}

// What the core was last told, for the simulator (`mainstay-sim --replay-dump FILE`). It holds no
// record.
void dump_inputs(const config::Config& config, node::Node& node) {
  const sys::Path path = sys::Path{config.data_directory} / "inputs.dump";
  const auto written = sys::write_file_durably(path, node.dump_inputs());
  if (written)
    log_info("mainstayd", "wrote the core's last inputs to {}", path.string());
  else
    log_warn("mainstayd", "no dump: {}", to_string(written.error()));
}

// Links read their certificate again by themselves, when its file has changed and a connection is
// made.
void show_certificate(node::Node& node, const http::Server& server) {
  const auto expires = server.certificate_expires();
  node.show_api_certificate(expires ? static_cast<std::int64_t>(sys::millis_of(*expires) / 1000)
                                    : 0);
}

int wait_for_end(const config::Config& config, node::Node& node, http::Server& server) {
  for (;;) {
    show_certificate(node, server);
    const auto signal = wait_for_signal(certificate_look);
    if (!signal) continue;
    if (asks_to_end(*signal)) return *signal;
    if (asks_to_reload(*signal)) server.reload_certificates();
    if (asks_for_dump(*signal)) dump_inputs(config, node);
    if (asks_to_drain(*signal)) begin_drain(node, server);
  }
}

void tell_where(const config::Config& config, const node::Node& node, const http::Server& server) {
  const bool tls = !config.api_tls_certificate.empty();
  log_info("mainstayd", "{} serves clients at {}://{}", config.display_name(),
           tls ? "https" : "http", to_string(server.endpoint()));
  if (!config.auth_enabled)
    log_warn("mainstayd", "auth.enabled is false: whoever reaches the API may do everything");
  if (!config.api_agent_listen.empty())
    log_info("mainstayd", "answers load balancers at {}", to_string(server.agent_endpoint()));
  if (const auto port = node.peer_port(); port != 0)
    log_info("mainstayd", "takes other nodes' connections at {} (port {})", config.peer_listen,
             port);
}

// `watchdog` starts with the stop and outlives the actors.
int serve(const config::Config& config, const sys::Clock& clock, node::Node& node,
          metrics::NodeMetrics& metrics, ServerMeter& server_meter,
          std::optional<Watchdog>& watchdog) {
  const auto options = server_options(config, node.backend());
  if (!options) {
    log_error("mainstayd", "{}", to_string(options.error()));
    return EXIT_FAILURE;
  }
  http::Router router;
  api::add_routes(router, node.backend(), clock, api_options(config));
  const RequestMeter meter{router, metrics, clock};
  auto server = http::Server::start(
      *options, clock, [&meter](http::Request request, const http::Responder& responder) {
        meter(std::move(request), responder);
      });
  if (!server) {
    log_error("mainstayd", "{}", to_string(server.error()));
    return EXIT_FAILURE;
  }
  server_meter.look_at([&server] { return (*server)->counts(); });
  tell_where(config, node, **server);
  const int signal = wait_for_end(config, node, **server);
  log_info("mainstayd", "stops on {}", sigdescr_np(signal));
  watchdog.emplace(config.drain_timeout * 2 + actors_stop_max + last_resort);
  drain(node, **server, config.drain_timeout);
  (*server)->stop(config.drain_timeout);
  server_meter.look_at(nullptr);
  // Whoever does not end holds nothing that is not durable.
  if (!node.stop(actors_stop_max)) end_at_once(EXIT_SUCCESS, "an actor did not stop");
  return EXIT_SUCCESS;
}

}  // namespace

int run(const config::Config& config, const Surroundings& around) {
  log_info("mainstayd", "mainstayd {} starts as node {} in {}", around.release, config.node_id,
           config.data_directory);
  auto adapters = load_adapters(config.adapters_directory);
  if (!adapters) {
    log_error("mainstayd", "{}", to_string(adapters.error()));
    return EXIT_FAILURE;
  }
  auto store = store::NodeStore::open(store_options(config, around), sys::system_random());
  if (!store) {
    log_error("mainstayd", "{}", to_string(store.error()));
    return EXIT_FAILURE;
  }
  metrics::NodeMetrics metrics{around.release};
  ServerMeter server_meter;
  int exit_code = EXIT_FAILURE;
  std::optional<Watchdog> watchdog;
  {
    kit::ActorSystemConfig system_config;
    caf::actor_system system{system_config};
    node::NodeParts parts;
    parts.config = &config;
    parts.release = around.release;
    parts.store = store->get();
    parts.metrics = &metrics;
    parts.clock = around.clock;
    parts.random = &sys::system_random();
    parts.end = end_at_once;
    parts.drain = ask_to_drain;
    parts.adapters = std::move(adapters->definitions);
    parts.adapter_kinds = adapters->kinds;
    parts.measure = [&server_meter](metrics::NodeMetrics& into) { server_meter.measure(into); };
    node::Node node{system, std::move(parts)};
    if (const auto started = node.start(); !started)
      log_error("mainstayd", "{}", to_string(started.error()));
    else
      exit_code = serve(config, *around.clock, node, metrics, server_meter, watchdog);
    node.stop(actors_stop_max);
  }
  log_info("mainstayd", "stopped");
  return exit_code;
}

}  // namespace mainstay::daemon
