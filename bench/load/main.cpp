// Load generator: closed loop (each client sends its next request when the last is answered) or
// open loop at a constant rate, where latency counts from the moment a request was due, so that a
// stall is not hidden (coordinated omission). One thread. Prints a line `counting` when the warm-up
// is over, a JSON object for each --interval, and one for the run at the end.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "bench/load/client.hpp"
#include "bench/load/options.hpp"
#include "bench/load/run.hpp"
#include "bench/load/session.hpp"

namespace mainstay::bench {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds answers_wait_max{1};
constexpr std::chrono::milliseconds turn_max{20};

Nanoseconds span(double seconds) {
  return Nanoseconds{static_cast<std::int64_t>(seconds * 1e9)};
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

// Runs the loop until no client has anything left to do, or the time is over. Returns the CPU time
// spent within the counted time.
double run_clients(asio::io_context& io, Run& run) {
  bool counting = false;
  double cpu_before = 0;
  double cpu_after = -1;
  auto next_line = run.counted_from + span(run.options.interval_seconds);
  // A request without an answer at the end must not hold the program: its client is dropped.
  for (auto now = std::chrono::steady_clock::now();
       run.active > 0 && now < run.ends + answers_wait_max;
       now = std::chrono::steady_clock::now()) {
    if (!counting && now >= run.counted_from) {
      counting = true;
      cpu_before = cpu_seconds();
      say("counting");
    }
    if (run.options.interval_seconds > 0 && now >= next_line && now < run.ends) {
      say(run.interval_line(now));
      next_line += span(run.options.interval_seconds);
    }
    if (cpu_after < 0 && now >= run.ends) cpu_after = cpu_seconds();
    auto until = std::min(now + turn_max, run.ends + answers_wait_max);
    for (const auto mark : {run.counted_from, run.ends})
      if (mark > now) until = std::min(until, mark);
    io.run_until(until);
    if (io.stopped()) break;
  }
  if (!counting) return 0;
  return (cpu_after < 0 ? cpu_seconds() : cpu_after) - cpu_before;
}

int drive(const Options& options) {
  asio::io_context io{1};  // outlives every socket, those that the protocol keeps too
  const auto protocol = make_protocol(options.protocol);
  if (protocol == nullptr) {
    fmt::print(stderr, "unknown protocol '{}'; known: {}\n", options.protocol, protocol_names);
    return 2;
  }
  if (const auto wrong = protocol->prepare(options.endpoints.front()); !wrong.empty()) {
    fmt::print(stderr, "cannot make the collection to write to: {}\n", wrong);
    return 1;
  }
  const auto start = std::chrono::steady_clock::now();
  Run run{options};
  run.counted_from = start + span(options.warmup_seconds);
  run.ends = run.counted_from + span(options.seconds);
  asio::signal_set stop{io, SIGINT, SIGTERM};
  stop.async_wait([&run](const boost::system::error_code& error, int) {
    if (!error) run.ends = std::chrono::steady_clock::now();
  });
  const auto interval =
      options.rate > 0 ? span(static_cast<double>(options.clients) / options.rate) : Nanoseconds{0};
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < options.clients; ++i) {
    clients.push_back(std::make_unique<Client>(io, run, *protocol, i));
    clients.back()->start(start + interval * static_cast<std::int64_t>(i) /
                                      static_cast<std::int64_t>(options.clients),
                          interval);
  }
  const double cpu = run_clients(io, run);
  const auto ended = std::min(std::chrono::steady_clock::now(), run.ends);
  for (const auto& client : clients) client->finish(ended);
  say(run.result(std::chrono::duration<double>(ended - run.counted_from).count(), cpu));
  return run.latencies.total() > 0 ? 0 : 1;
}

void add_load_options(CLI::App& app, Options& options) {
  app.add_option("--endpoint", options.endpoints, "host:port; repeat to spread the clients")
      ->required();
  app.add_option("--protocol", options.protocol, std::string{protocol_names})
      ->capture_default_str();
  app.add_option(
         "--operation", options.operation,
         "write, read, mixed, or fill (each of --keys once, in batches where there are any)")
      ->check(CLI::IsMember({"write", "read", "mixed", "fill"}))
      ->capture_default_str();
  app.add_option("--read-share", options.read_share, "reads among the requests of mixed")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--clients", options.clients, "connections")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--value-bytes", options.value_bytes, "size of a value")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--keys", options.keys, "number of different keys")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of the random keys")->capture_default_str();
}

void add_time_options(CLI::App& app, Options& options) {
  app.add_option("--seconds", options.seconds, "counted time; SIGTERM ends it early")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--warmup", options.warmup_seconds, "seconds before counting")
      ->capture_default_str();
  app.add_option("--rate", options.rate, "requests/s of all clients together; 0: closed loop")
      ->capture_default_str();
  app.add_option("--interval", options.interval_seconds,
                 "print figures every so many seconds; 0: only at the end")
      ->capture_default_str();
  app.add_option("--attempt-ms", options.attempt_ms,
                 "give an attempt up after so long without an answer; 0: never")
      ->capture_default_str();
  app.add_flag("--failover", options.failover, "after a failure, go on at the next endpoint");
  app.add_flag("--retry", options.retry, "repeat a request that failed until it is done");
}

}  // namespace

}  // namespace mainstay::bench

int main(int argc, char** argv) {
  mainstay::bench::Options options;
  CLI::App app{"Load generator for Mainstay and its peers"};
  mainstay::bench::add_load_options(app, options);
  mainstay::bench::add_time_options(app, options);
  CLI11_PARSE(app, argc, argv);
  return mainstay::bench::drive(options);
}
