// Instruments and their text. The only place behind which prometheus-cpp stands.
// Names: mainstay_<what>_<unit>, counters end in _total, times are in seconds, sizes in bytes
// (checked by `promtool check metrics`).
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace mainstay::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

// Handles: cheap to copy, valid as long as their Registry. Every call is thread-safe.
class Counter {
 public:
  explicit Counter(prometheus::Counter& impl) : impl_{&impl} {}
  void add(double amount = 1);
  double value() const;

 private:
  prometheus::Counter* impl_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& impl) : impl_{&impl} {}
  void set(double value);
  double value() const;

 private:
  prometheus::Gauge* impl_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& impl) : impl_{&impl} {}
  void observe(double value);

 private:
  prometheus::Histogram* impl_;
};

// Buckets of latencies, in seconds: 50 us to 10 s.
const std::vector<double>& latency_buckets();

// Thread-safe. Asking twice for one name and label set gives the same instrument; `help` counts the
// first time.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram histogram(const std::string& name, const std::string& help,
                      const std::vector<double>& buckets, const Labels& labels = {});

  // Everything in Prometheus' text format, version 0.0.4.
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mainstay::metrics
