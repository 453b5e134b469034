// One client of a run: a loop of requests over one session at a time.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bench/load/run.hpp"
#include "bench/load/session.hpp"
#include "runtime/base/random.hpp"

namespace mainstay::bench {

// Lives until the run's end; counts itself out of Run::active when it will not send any more.
class Client final : public Listener {
 public:
  Client(boost::asio::io_context& io, Run& run, Protocol& protocol, std::size_t number);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  virtual ~Client();

  // `due`: when an open-loop client sends its first request; `interval` 0: closed loop.
  void start(SteadyTime due, Nanoseconds interval);
  // The run is over: the outage it may be in counts as a gap.
  void finish(SteadyTime now);

  void connected(Outcome outcome) override;
  void answered(Outcome outcome) override;

 private:
  struct Request {
    bool pending = false;  // was begun, is not done
    bool write = true;
    std::uint64_t key = 0;
    std::uint64_t count = 1;  // of keys, for a fill
    SteadyTime since;
  };

  void connect();
  void next();
  void begin(SteadyTime since);
  bool choose();  // false: nothing is left to write
  void send();
  void succeeded();
  void refused();
  void failed();
  void give_up_unless_retried();
  void reconnect(bool elsewhere);
  void watch_attempt();
  void pause_then(Nanoseconds pause, void (Client::*then)());
  void done();

  boost::asio::io_context& io_;
  Run& run_;
  Protocol& protocol_;
  boost::asio::steady_timer timer_;    // until the next request or attempt
  boost::asio::steady_timer attempt_;  // until the attempt under way is given up
  SeededRandom random_;
  std::size_t endpoint_;
  std::shared_ptr<Session> session_;
  std::string value_;
  Request request_;
  SteadyTime due_;
  Nanoseconds interval_{0};
  SteadyTime last_success_;
  Nanoseconds longest_gap_{0};
  bool active_ = false;
};

}  // namespace mainstay::bench
