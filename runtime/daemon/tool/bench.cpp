// bench: an open loop. Requests start at a constant rate, whatever became of those before, and each
// latency counts from the moment at which its request was meant to start: a system that stalls does
// not slow its own measurement down (coordinated omission).
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <ostream>

#include <fmt/format.h>

#include "runtime/base/histogram.hpp"
#include "runtime/daemon/tool/commands.hpp"
#include "runtime/daemon/tool/print.hpp"

namespace mainstay::tool {

namespace {

constexpr std::size_t bar_columns = 40;
constexpr Millis start_step{1};  // those that are due are started together, this often at most

struct BenchOptions {
  std::string collection, duration = "10s", wait = "5s";
  std::uint64_t rate = 1000, keys = 10'000, value_bytes = 128, reads = 0, in_flight_max = 2000;
};

// What the answers add up to; they come on the client's thread.
class Tally {
 public:
  void started() {
    const std::lock_guard lock{mutex_};
    ++open_;
  }
  void done(bool good, std::uint64_t micros) {
    const std::lock_guard lock{mutex_};
    --open_;
    histogram_.record(micros);
    if (!good) ++failed_;
    idle_.notify_all();
  }
  std::size_t open() const {
    const std::lock_guard lock{mutex_};
    return open_;
  }
  bool wait(Millis most) {
    std::unique_lock lock{mutex_};
    return idle_.wait_for(lock, most, [this] { return open_ == 0; });
  }
  Histogram histogram() const {
    const std::lock_guard lock{mutex_};
    return histogram_;
  }
  std::uint64_t failed() const {
    const std::lock_guard lock{mutex_};
    return failed_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  Histogram histogram_;       // guarded by mutex_
  std::size_t open_ = 0;      // guarded by mutex_
  std::uint64_t failed_ = 0;  // guarded by mutex_
};

class Load {
 public:
  Load(Run& run, Session& session, const BenchOptions& options, Millis wait)
      : run_{run},
        session_{session},
        options_{options},
        wait_{wait},
        prefix_{new_operation_id(run)},
        body_{"{\"bench\":\"" + std::string(options.value_bytes, 'x') + "\"}"},
        tally_{std::make_shared<Tally>()} {}

  // Runs for `duration`; returns how long it took, the last answers included.
  Millis go(Millis duration) {
    const sys::Clock& clock = run_.world.clock;
    const MonotonicTime begin = clock.monotonic();
    const auto all = static_cast<std::uint64_t>(duration.count()) * options_.rate / 1000;
    while (count_ < all) {
      const auto passed = clock.monotonic() - begin;
      const auto due = std::min<std::uint64_t>(
          all, static_cast<std::uint64_t>(std::chrono::duration<double>(passed).count() *
                                          static_cast<double>(options_.rate)) +
                   1);
      while (count_ < due) start(begin);
      run_.world.pause(start_step);
    }
    tally_->wait(wait_ + Millis{1000});
    return std::chrono::duration_cast<Millis>(clock.monotonic() - begin);
  }

  const Tally& tally() const { return *tally_; }
  std::uint64_t shed() const { return shed_; }

 private:
  void start(MonotonicTime begin) {
    const std::uint64_t n = count_++;
    const auto meant = begin + std::chrono::nanoseconds{n * 1'000'000'000 / options_.rate};
    // What the client cannot hold counts as failed, not as never asked for.
    if (tally_->open() >= options_.in_flight_max) {
      ++shed_;
      return;
    }
    const bool read = run_.world.random.next() % 100 < options_.reads;
    http::Call call{
        read ? http::Method::get : http::Method::put,
        record_target(options_.collection,
                      "bench-" + std::to_string(run_.world.random.next() %
                                                std::max<std::uint64_t>(options_.keys, 1)))};
    if (!read) {
      call.headers.emplace_back("Content-Type", "application/json");
      call.headers.emplace_back("Idempotency-Key", prefix_ + "/" + std::to_string(n));
      call.body = body_;
    }
    const auto& endpoints = session_.endpoints();
    tally_->started();
    session_.send(
        endpoints[n % endpoints.size()], std::move(call), wait_,
        [tally = tally_, meant, read, &clock = run_.world.clock](const Result<http::Reply>& reply) {
          const auto took = clock.monotonic() - meant;
          const bool good = reply && (reply->status < 300 || (read && reply->status == 404));
          tally->done(good,
                      static_cast<std::uint64_t>(std::chrono::duration_cast<Micros>(took).count()));
        });
  }

  Run& run_;
  Session& session_;
  const BenchOptions& options_;
  const Millis wait_;
  const std::string prefix_;
  const Bytes body_;
  const std::shared_ptr<Tally> tally_;
  std::uint64_t count_ = 0, shed_ = 0;
};

std::string millis_text(double micros) {
  return fmt::format("{:.2f} ms", micros / 1000);
}

std::string picture(const Histogram& histogram) {
  std::uint64_t most = 1;
  const auto bands = histogram.bands();
  for (const Histogram::Band& band : bands) most = std::max(most, band.count);
  std::vector<Row> rows;
  for (const Histogram::Band& band : bands)
    rows.push_back({millis_text(static_cast<double>(band.from)), std::to_string(band.count),
                    std::string(band.count * bar_columns / most, '#')});
  std::string text = table_text(rows);
  if (!text.empty()) text.pop_back();
  return text;
}

constexpr std::pair<const char*, double> quantiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};

int report(const Run& run, const BenchOptions& options, const Load& load, Millis took) {
  const Histogram histogram = load.tally().histogram();
  const std::uint64_t failed = load.tally().failed() + load.shed() + load.tally().open();
  const double rate = took.count() == 0 ? 0
                                        : static_cast<double>(histogram.total()) * 1000 /
                                              static_cast<double>(took.count());
  json::Value latency = json::Value::object();
  std::string line = "latency from the intended start: ";
  for (const auto& [name, share] : quantiles) {
    latency.set(std::string{name} + "_us", number(histogram.quantile(share)));
    line +=
        fmt::format("{} {}, ", name, millis_text(static_cast<double>(histogram.quantile(share))));
  }
  latency.set("max_us", number(histogram.max()));
  latency.set("mean_us", number(static_cast<std::uint64_t>(histogram.mean())));
  line += "max " + millis_text(static_cast<double>(histogram.max()));
  json::Array bands;
  for (const Histogram::Band& band : histogram.bands())
    bands.push_back(json::Value::object({{"from_us", number(band.from)},
                                         {"to_us", number(band.to)},
                                         {"count", number(band.count)}}));
  print(run,
        json::Value::object({{"rate_wanted", number(options.rate)},
                             {"rate", number(static_cast<std::uint64_t>(rate))},
                             {"answered", number(histogram.total())},
                             {"failed", number(failed)},
                             {"latency", latency},
                             {"histogram", json::Value::array(std::move(bands))}}),
        fmt::format("{} answered in {:.1f} s ({:.0f}/s of {}/s), {} failed\n{}\n{}",
                    histogram.total(), static_cast<double>(took.count()) / 1000, rate, options.rate,
                    failed, line, picture(histogram)));
  return failed == 0 ? 0 : 1;
}

Result<int> bench(Run& run, const BenchOptions& options) {
  TRY_ASSIGN(const Millis duration, config::parse_duration(options.duration));
  TRY_ASSIGN(const Millis wait, config::parse_duration(options.wait));
  TRY_ASSIGN(Session * session, run.session());
  // Also shows whether there is such a collection, before a thousand refusals do.
  TRY(run.get(collection_target(options.collection)));
  Load load{run, *session, options, wait};
  const Millis took = load.go(duration);
  return report(run, options, load, took);
}

}  // namespace

void add_bench_command(CLI::App& app, Run& run) {
  const auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand(
      "bench",
      "Load a collection at a constant rate and show latencies from the intended starts; writes "
      "records bench-N");
  command->add_option("collection", options->collection, "A collection for it")->required();
  command->add_option("--rate", options->rate, "Requests a second, over all endpoints.")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--duration", options->duration, "How long.")->capture_default_str();
  command->add_option("--reads", options->reads, "How many of a hundred are reads.")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command->add_option("--keys", options->keys, "Different records.")->capture_default_str();
  command->add_option("--value-bytes", options->value_bytes, "Size of a value.")
      ->check(CLI::Range(0, 1 << 19))
      ->capture_default_str();
  command->add_option("--wait", options->wait, "How long one request may take.")
      ->capture_default_str();
  command
      ->add_option("--in-flight", options->in_flight_max,
                   "More open requests than these are not sent and count as failed.")
      ->check(CLI::Range(1, 4000))
      ->capture_default_str();
  on(run, command, [&run, options] { return bench(run, *options); });
}

}  // namespace mainstay::tool
