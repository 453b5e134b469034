#include "runtime/http/server.hpp"

#include <thread>

#include "runtime/base/log.hpp"
#include "runtime/http/connection.hpp"
#include "runtime/http/listen.hpp"

namespace mainstay::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// Connections over the limit that are still told why, before the rest are closed at once.
constexpr std::size_t refusing_connections_max = 64;
constexpr Millis accept_pause{100};
constexpr int backlog = 4096;

}  // namespace

Result<tcp::acceptor> listen_on(asio::io_context& context, const config::Endpoint& endpoint,
                                std::string_view option) {
  error_code error;
  tcp::resolver resolver{context};
  const auto found =
      resolver.resolve(endpoint.host, std::to_string(endpoint.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty())
    return fail(Errc::invalid_argument, std::string{option} + ": '" + endpoint.host +
                                            "' has no address: " + error.message());
  const tcp::endpoint address = found.begin()->endpoint();
  tcp::acceptor acceptor{context};
  acceptor.open(address.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
  if (!error) acceptor.bind(address, error);
  if (!error) acceptor.listen(backlog, error);
  if (error)
    return fail(Errc::unavailable,
                "cannot listen on " + to_string(endpoint) + ": " + error.message());
  return acceptor;
}

class Server::Core {
 public:
  Core(const ServerOptions& options, const sys::Clock& clock, Handler handler,
       std::unique_ptr<tls::ServerContextSource> tls)
      : shared_{std::make_shared<Shared>(options, clock, std::move(handler), std::move(tls))} {
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options.threads); ++i)
      threads_.push_back(std::make_shared<IoThread>(shared_));
  }
  ~Core() { stop(Millis{0}); }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  Result<void> listen();
  void start();
  void drain();
  void stop(Millis grace);
  void watch_certificates();

  config::Endpoint endpoint() const { return endpoint_; }
  config::Endpoint agent_endpoint() const { return agent_endpoint_; }
  Shared& shared() { return *shared_; }

 private:
  void accept();
  void on_accept(error_code error, tcp::socket socket, const std::shared_ptr<IoThread>& thread);
  void stop_accepting();

  std::shared_ptr<Shared> shared_;
  std::vector<std::shared_ptr<IoThread>> threads_;
  std::vector<std::thread> running_;
  std::optional<tcp::acceptor> acceptor_;  // on the first thread
  std::optional<asio::steady_timer> accept_timer_, certificate_timer_;
  config::Endpoint endpoint_, agent_endpoint_;
  std::optional<AgentListener> agent_;
  std::size_t next_thread_ = 0;
  bool stopped_ = false;
};

Result<void> Server::Core::listen() {
  const ServerOptions& options = shared_->options;
  asio::io_context& context = threads_.front()->context();
  TRY_ASSIGN(acceptor_, listen_on(context, options.listen, "api.listen"));
  endpoint_ = {options.listen.host, acceptor_->local_endpoint().port()};
  accept_timer_.emplace(context);
  if (!options.agent_check) return {};
  agent_.emplace(threads_.front(), options.agent_check);
  TRY_ASSIGN(agent_endpoint_, agent_->start(options.agent_listen));
  return {};
}

void Server::Core::start() {
  accept();
  if (shared_->tls) watch_certificates();
  for (const auto& thread : threads_) running_.emplace_back([thread] { thread->run(); });
}

void Server::Core::watch_certificates() {
  certificate_timer_.emplace(threads_.front()->context());
  certificate_timer_->expires_after(shared_->options.certificate_interval);
  certificate_timer_->async_wait([this](error_code cancelled) {
    if (cancelled || !acceptor_->is_open()) return;
    shared_->tls->refresh();
    watch_certificates();
  });
}

void Server::Core::accept() {
  const auto& thread = threads_[next_thread_++ % threads_.size()];
  acceptor_->async_accept(thread->context(), [this, thread](error_code error, tcp::socket socket) {
    on_accept(error, std::move(socket), thread);
  });
}

void Server::Core::on_accept(error_code error, tcp::socket socket,
                             const std::shared_ptr<IoThread>& thread) {
  if (!acceptor_->is_open()) return;
  if (error) {
    // Out of file descriptors, most likely: accepting at once again would only burn the processor.
    log_warn("http", "cannot accept a connection: {}", error.message());
    accept_timer_->expires_after(accept_pause);
    accept_timer_->async_wait([this](error_code cancelled) {
      if (!cancelled && acceptor_->is_open()) accept();
    });
    return;
  }
  const std::size_t open = shared_->open;
  const std::size_t max = shared_->options.connections_max;
  if (open >= max) ++shared_->refused;
  if (open < max + refusing_connections_max) {
    if (open < max) ++shared_->accepted;
    auto connection = std::make_shared<Connection>(thread, std::move(socket), open >= max);
    thread->dispatch([connection] { connection->start(); });
  }
  accept();
}

void Server::Core::stop_accepting() {
  error_code ignored;
  acceptor_->close(ignored);
  accept_timer_->cancel();
  if (certificate_timer_) certificate_timer_->cancel();
  if (agent_) agent_->close();
}

void Server::Core::drain() {
  shared_->draining = true;
  for (const auto& thread : threads_) thread->post([thread] { thread->begin_drain(); });
}

void Server::Core::stop(Millis grace) {
  if (std::exchange(stopped_, true) || running_.empty()) return;
  shared_->stopping = true;
  threads_.front()->post([this] { stop_accepting(); });
  for (const auto& thread : threads_) thread->post([thread] { thread->begin_stop(); });
  // Waited out in real time: it is a bound for the operator, and nothing is decided by it.
  shared_->wait_until_closed(grace);
  for (const auto& thread : threads_) thread->post([thread] { thread->close(); });
  for (std::thread& thread : running_) thread.join();
}

Server::Server(std::unique_ptr<Core> core) : core_{std::move(core)} {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, const sys::Clock& clock,
                                              Handler handler) {
  std::unique_ptr<tls::ServerContextSource> certificates;
  if (!options.tls_certificate.empty()) {
    TRY_ASSIGN(certificates,
               tls::ServerContextSource::open({options.tls_certificate, options.tls_key}));
  }
  auto core = std::make_unique<Core>(options, clock, std::move(handler), std::move(certificates));
  TRY(core->listen());
  core->start();
  return std::unique_ptr<Server>{new Server{std::move(core)}};
}

config::Endpoint Server::endpoint() const {
  return core_->endpoint();
}

config::Endpoint Server::agent_endpoint() const {
  return core_->agent_endpoint();
}

ServerCounts Server::counts() const {
  const Shared& shared = core_->shared();
  ServerCounts counts;
  counts.connections_open = shared.open;
  counts.connections_accepted = shared.accepted;
  counts.connections_refused = shared.refused;
  counts.requests = shared.requests;
  counts.requests_bad = shared.bad;
  counts.timeouts = shared.timeouts;
  counts.streams_open = shared.streams;
  counts.handshakes_failed = shared.handshakes_failed;
  return counts;
}

std::optional<WallTime> Server::certificate_expires() const {
  if (!core_->shared().tls) return std::nullopt;
  return core_->shared().tls->current()->expires();
}

void Server::reload_certificates() {
  if (!core_->shared().tls) return;
  // Refused or taken: the log has it.
  static_cast<void>(core_->shared().tls->reload());
}

void Server::drain() {
  core_->drain();
}

void Server::stop(Millis grace) {
  core_->stop(grace);
}

}  // namespace mainstay::http
