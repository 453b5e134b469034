#include "bench/load/run.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace mainstay::bench {

namespace {

double milliseconds(Nanoseconds span) {
  return std::chrono::duration<double, std::milli>(span).count();
}

std::string quantiles(const Histogram& latencies) {
  const auto ms = [&](double share) {
    return static_cast<double>(latencies.quantile(share)) / 1000.0;
  };
  return fmt::format(
      R"("p50_ms":{:.3f},"p90_ms":{:.3f},"p99_ms":{:.3f},"p999_ms":{:.3f},"max_ms":{:.3f})",
      ms(0.5), ms(0.9), ms(0.99), ms(0.999), static_cast<double>(latencies.max()) / 1000.0);
}

}  // namespace

void Run::succeeded(SteadyTime now, SteadyTime since, std::uint64_t weight) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now - since).count();
  const auto latency = static_cast<std::uint64_t>(std::max<std::int64_t>(0, micros));
  for (std::uint64_t i = 0; i < weight; ++i) latencies.record(latency);
  if (options.interval_seconds > 0) interval_latencies.record(latency);
  if (micros > 1'000'000) ++late_answers;
  if (last_success != SteadyTime{} && now - last_success > longest_gap)
    longest_gap = now - last_success;
  last_success = now;
}

void Run::failed(SteadyTime now) {
  if (!counted(now)) return;
  ++failures;
  ++interval_failures;
}

std::string Run::result(double seconds, double cpu_seconds) const {
  std::vector<Nanoseconds> gaps = client_gaps;
  std::sort(gaps.begin(), gaps.end());
  const auto of_client = [&](std::size_t index) {
    return gaps.empty() ? 0.0 : milliseconds(gaps[index]);
  };
  return fmt::format(
      R"({{"protocol":"{}","operation":"{}","clients":{},"rate":{},"value_bytes":{},"seed":{},)"
      R"("seconds":{:.3f},"ops":{},"ops_per_s":{:.1f},{},"failures":{},"over_1s":{},)"
      R"("longest_gap_ms":{:.1f},"client_gap_ms":{:.1f},"client_gap_median_ms":{:.1f},"cpu_s":{:.4f}}})",
      options.protocol, options.operation, options.clients, options.rate, options.value_bytes,
      options.seed, seconds, latencies.total(),
      static_cast<double>(latencies.total()) / std::max(seconds, 1e-9), quantiles(latencies),
      failures, late_answers, milliseconds(longest_gap), of_client(gaps.size() - 1),
      of_client(gaps.size() / 2), cpu_seconds);
}

std::string Run::interval_line(SteadyTime now) {
  const double at = std::chrono::duration<double>(now - counted_from).count();
  std::string line =
      fmt::format(R"({{"interval":{:.3f},"ops":{},{},"failures":{}}})", at,
                  interval_latencies.total(), quantiles(interval_latencies), interval_failures);
  interval_latencies = {};
  interval_failures = 0;
  return line;
}

}  // namespace mainstay::bench
