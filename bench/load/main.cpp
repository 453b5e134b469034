// Load generator: closed loop (each client sends its next request when the last is answered) or
// open loop at a constant rate, where latency counts from the moment a request was due, so that a
// stall is not hidden (coordinated omission). One thread. Prints one JSON object.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

#include "bench/load/histogram.hpp"
#include "bench/load/protocol.hpp"
#include "runtime/base/random.hpp"

namespace mainstay::bench {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using SteadyTime = std::chrono::steady_clock::time_point;

struct Options {
  std::vector<std::string> endpoints;
  std::string protocol = "mainstay";
  std::string operation = "write";
  std::size_t clients = 64;
  double seconds = 10;
  double warmup_seconds = 1;
  double rate = 0;  // requests a second over all clients; 0: closed loop
  std::size_t value_bytes = 256;
  std::uint64_t keys = 100'000;
  std::uint64_t seed = 1;
};

// What all clients share while a run lasts.
struct Run {
  const Options& options;
  SteadyTime counted_from;
  SteadyTime ends;
  Histogram latencies;
  std::uint64_t failures = 0;  // connection errors and unexpected statuses, within the counted time
  std::uint64_t late_answers = 0;
  SteadyTime last_success;
  std::chrono::nanoseconds longest_gap{0};
};

// One connection and its one request in flight. Lives until the run's end.
class Client {
 public:
  Client(asio::io_context& io, Run& run, const std::string& endpoint, std::uint64_t seed)
      : run_{run}, socket_{io}, timer_{io}, random_{seed}, value_(run.options.value_bytes, 'v') {
    const auto colon = endpoint.rfind(':');
    host_ = endpoint.substr(0, colon);
    port_ = endpoint.substr(colon + 1);
    dialect_ = make_dialect(run.options.protocol, endpoint);
  }

  // `due`: when an open-loop client sends its first request.
  void start(SteadyTime due, std::chrono::nanoseconds interval) {
    due_ = due;
    interval_ = interval;
    connect();
  }

 private:
  void connect() {
    boost::system::error_code error;
    tcp::resolver resolver{socket_.get_executor()};
    const auto found = resolver.resolve(host_, port_, error);
    if (!error) asio::connect(socket_, found, error);
    if (error) return failed();
    socket_.set_option(tcp::no_delay{true}, error);
    next();
  }

  void next() {
    if (interval_.count() == 0) return send(std::chrono::steady_clock::now());
    timer_.expires_at(due_);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) send(due_);
    });
  }

  void send(SteadyTime counted_since) {
    if (std::chrono::steady_clock::now() >= run_.ends) return;
    since_ = counted_since;
    const std::uint64_t key = random_.between(0, run_.options.keys - 1);
    for (std::size_t i = 0; i + 8 <= value_.size(); i += 64)  // not compressible to one value
      value_[i] = static_cast<char>('a' + random_.between(0, 25));
    request_ = run_.options.operation == "write" ? dialect_->write_request(key, value_)
                                                 : dialect_->read_request(key);
    asio::async_write(socket_, asio::buffer(request_),
                      [this](const boost::system::error_code& error, std::size_t) {
                        error ? reconnect() : receive();
                      });
  }

  void receive() {
    parser_.emplace();
    parser_->body_limit(std::uint64_t{16} << 20);
    http::async_read(socket_, buffer_, *parser_,
                     [this](const boost::system::error_code& error, std::size_t) {
                       error ? reconnect() : answered();
                     });
  }

  void answered() {
    const unsigned status = parser_->get().result_int();
    const bool write = run_.options.operation == "write";
    const bool good = write ? status / 100 == 2 : dialect_->read_done(status);
    const auto now = std::chrono::steady_clock::now();
    if (now >= run_.counted_from && now < run_.ends) good ? count(now) : void(++run_.failures);
    due_ += interval_;
    next();
  }

  void count(SteadyTime now) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now - since_).count();
    run_.latencies.record(static_cast<std::uint64_t>(micros));
    if (micros > 1'000'000) ++run_.late_answers;
    if (run_.last_success != SteadyTime{} && now - run_.last_success > run_.longest_gap)
      run_.longest_gap = now - run_.last_success;
    run_.last_success = now;
  }

  void reconnect() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    buffer_.clear();
    failed();
  }

  void failed() {
    const auto now = std::chrono::steady_clock::now();
    if (now >= run_.counted_from && now < run_.ends) ++run_.failures;
    if (now >= run_.ends) return;
    timer_.expires_after(std::chrono::milliseconds{10});
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) connect();
    });
  }

  Run& run_;
  std::string host_;
  std::string port_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  SeededRandom random_;
  std::unique_ptr<Dialect> dialect_;
  std::string value_;
  std::string request_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::string_body>> parser_;
  SteadyTime since_;
  SteadyTime due_;
  std::chrono::nanoseconds interval_{0};
};

// Errors: what went wrong, for people; "" for none.
std::string prepare(const std::string& protocol, const std::string& endpoint) {
  const std::string request = make_dialect(protocol, endpoint)->prepare_request();
  if (request.empty()) return {};
  const auto colon = endpoint.rfind(':');
  asio::io_context io{1};
  boost::system::error_code error;
  const auto found =
      tcp::resolver{io}.resolve(endpoint.substr(0, colon), endpoint.substr(colon + 1), error);
  tcp::socket socket{io};
  if (!error) asio::connect(socket, found, error);
  if (!error) asio::write(socket, asio::buffer(request), error);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> answer;
  if (!error) http::read(socket, buffer, answer, error);
  if (error) return error.message();
  return answer.result_int() / 100 == 2 ? std::string{} : answer.body();
}

void print(const Run& run) {
  const auto seconds = run.options.seconds;
  const auto& latencies = run.latencies;
  const auto ms = [&](double share) {
    return static_cast<double>(latencies.quantile(share)) / 1000.0;
  };
  fmt::print(
      R"({{"protocol":"{}","operation":"{}","clients":{},"rate":{},"value_bytes":{},"seconds":{},"ops":{},)"
      R"("ops_per_s":{:.1f},"p50_ms":{:.3f},"p90_ms":{:.3f},"p99_ms":{:.3f},"p999_ms":{:.3f},"max_ms":{:.3f},)"
      R"("failures":{},"over_1s":{},"longest_gap_ms":{:.1f}}})"
      "\n",
      run.options.protocol, run.options.operation, run.options.clients, run.options.rate,
      run.options.value_bytes, seconds, latencies.total(),
      static_cast<double>(latencies.total()) / seconds, ms(0.5), ms(0.9), ms(0.99), ms(0.999),
      static_cast<double>(latencies.max()) / 1000.0, run.failures, run.late_answers,
      std::chrono::duration<double, std::milli>(run.longest_gap).count());
}

int drive(const Options& options) {
  if (make_dialect(options.protocol, "") == nullptr) {
    fmt::print(stderr, "unknown protocol '{}': mainstay and etcd are known\n", options.protocol);
    return 2;
  }
  if (const auto wrong = prepare(options.protocol, options.endpoints.front()); !wrong.empty()) {
    fmt::print(stderr, "cannot make the collection to write to: {}\n", wrong);
    return 1;
  }
  asio::io_context io{1};
  const auto start = std::chrono::steady_clock::now();
  const auto span = [](double seconds) {
    return std::chrono::nanoseconds{static_cast<std::int64_t>(seconds * 1e9)};
  };
  Run run{options,
          start + span(options.warmup_seconds),
          start + span(options.warmup_seconds + options.seconds),
          {},
          0,
          0,
          {},
          {}};
  const auto interval = options.rate > 0 ? span(static_cast<double>(options.clients) / options.rate)
                                         : std::chrono::nanoseconds{0};
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < options.clients; ++i) {
    clients.push_back(std::make_unique<Client>(
        io, run, options.endpoints[i % options.endpoints.size()], options.seed * 1000 + i));
    const auto offset =
        interval * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(options.clients);
    clients.back()->start(start + offset, interval);
  }
  // A request without an answer at the end must not hold the program: its client is simply dropped.
  io.run_until(run.ends + std::chrono::seconds{1});
  print(run);
  return run.latencies.total() > 0 ? 0 : 1;
}

}  // namespace mainstay::bench

int main(int argc, char** argv) {
  mainstay::bench::Options options;
  CLI::App app{"Load generator for Mainstay and its peers"};
  app.add_option("--endpoint", options.endpoints, "host:port; repeat to spread the clients")
      ->required();
  app.add_option("--protocol", options.protocol, "mainstay or etcd")->capture_default_str();
  app.add_option("--operation", options.operation, "write or read")
      ->check(CLI::IsMember({"write", "read"}))
      ->capture_default_str();
  app.add_option("--clients", options.clients, "connections")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "counted time")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--warmup", options.warmup_seconds, "seconds before counting")
      ->capture_default_str();
  app.add_option("--rate", options.rate, "requests/s of all clients together; 0: closed loop")
      ->capture_default_str();
  app.add_option("--value-bytes", options.value_bytes, "size of a value")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--keys", options.keys, "number of different keys")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of the random keys")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return mainstay::bench::drive(options);
}
