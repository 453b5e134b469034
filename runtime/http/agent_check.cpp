#include "runtime/http/agent_check.hpp"

#include <algorithm>
#include <unordered_set>

#include "runtime/http/connection.hpp"
#include "runtime/http/listen.hpp"

namespace mainstay::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t connections_max = 32;  // of load balancers that ask at the same moment
constexpr Millis connection_time{1'000};
constexpr Millis accept_pause{100};

// From here on a node is asked for less: about two heartbeats of work, and what disks of the kind
// that is meant for this never need.
constexpr double lag_fine = 2'000;
constexpr double disk_write_fine_ms = 20;

// One question: the line, its end, and what the other side says is read and dropped, so that the
// kernel does not reset the connection before the line is read.
class Question : public std::enable_shared_from_this<Question> {
 public:
  Question(tcp::socket socket, std::string line, std::function<void(Question*)> closed)
      : socket_{std::move(socket)},
        timer_{socket_.get_executor()},
        line_{std::move(line)},
        closed_{std::move(closed)} {}

  void start() {
    timer_.expires_after(connection_time);
    timer_.async_wait([self = shared_from_this()](error_code) { self->close(); });
    asio::async_write(socket_, asio::buffer(line_),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (error) return self->close();
                        self->socket_.shutdown(tcp::socket::shutdown_send, error);
                        self->drop();
                      });
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
    if (closed_) std::exchange(closed_, nullptr)(this);
  }

 private:
  void drop() {
    socket_.async_read_some(asio::buffer(dropped_),
                            [self = shared_from_this()](error_code error, std::size_t) {
                              if (error)
                                self->close();
                              else
                                self->drop();
                            });
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  const std::string line_;
  std::function<void(Question*)> closed_;
  std::array<char, 256> dropped_{};
};

}  // namespace

std::string agent_line(const AgentReport& report) {
  switch (report.state) {
    case AgentReport::State::drain:
      return "drain\n";
    case AgentReport::State::down:
      return "down\n";
    case AgentReport::State::ready:
      break;
  }
  return "ready up " + std::to_string(std::clamp(report.weight_percent, 1U, 100U)) + "%\n";
}

unsigned weight_percent_of(const AgentLoad& load) {
  const double queue = 1 - std::clamp(load.queue_used, 0.0, 1.0);
  const double lag = lag_fine / std::max(lag_fine, static_cast<double>(load.lag));
  const double disk = disk_write_fine_ms /
                      std::max(disk_write_fine_ms, static_cast<double>(load.disk_write.count()));
  return std::max(1U, static_cast<unsigned>(100 * std::min({queue, lag, disk})));
}

class AgentListener::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(std::shared_ptr<IoThread> thread, AgentCheck check)
      : thread_{std::move(thread)},
        check_{std::move(check)},
        acceptor_{thread_->context()},
        pause_{thread_->context()} {}

  Result<config::Endpoint> listen(const config::Endpoint& endpoint) {
    TRY_ASSIGN(acceptor_, listen_on(thread_->context(), endpoint, "api.agent_listen"));
    accept();
    return config::Endpoint{endpoint.host, acceptor_.local_endpoint().port()};
  }

  void close() {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    const auto all = open_;  // close() changes the set
    for (const auto& question : all) question->close();
  }

 private:
  void accept() {
    acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
      if (!self->acceptor_.is_open()) return;
      if (error) return self->accept_later();
      if (self->open_.size() < connections_max) self->answer(std::move(socket));
      self->accept();
    });
  }

  // Out of file descriptors, most likely.
  void accept_later() {
    pause_.expires_after(accept_pause);
    pause_.async_wait([self = shared_from_this()](error_code error) {
      if (!error && self->acceptor_.is_open()) self->accept();
    });
  }

  void answer(tcp::socket socket) {
    auto question = std::make_shared<Question>(std::move(socket), agent_line(check_()),
                                               [self = weak_from_this()](Question* closed) {
                                                 if (auto core = self.lock())
                                                   core->open_.erase(closed->shared_from_this());
                                               });
    open_.insert(question);
    question->start();
  }

  const std::shared_ptr<IoThread> thread_;
  const AgentCheck check_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::unordered_set<std::shared_ptr<Question>> open_;
};

AgentListener::AgentListener(std::shared_ptr<IoThread> thread, AgentCheck check)
    : core_{std::make_shared<Core>(std::move(thread), std::move(check))} {}

AgentListener::~AgentListener() = default;

Result<config::Endpoint> AgentListener::start(const config::Endpoint& listen) {
  return core_->listen(listen);
}

void AgentListener::close() {
  core_->close();
}

}  // namespace mainstay::http
