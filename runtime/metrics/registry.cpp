#include "runtime/metrics/registry.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace mainstay::metrics {

struct Registry::Impl {
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
};

namespace {

prometheus::Labels labels_of(const Labels& labels) {
  return {labels.begin(), labels.end()};
}

}  // namespace

void Counter::add(double amount) {
  impl_->Increment(amount);
}

double Counter::value() const {
  return impl_->Value();
}

void Gauge::set(double value) {
  impl_->Set(value);
}

double Gauge::value() const {
  return impl_->Value();
}

void Histogram::observe(double value) {
  impl_->Observe(value);
}

const std::vector<double>& latency_buckets() {
  static const std::vector<double> buckets{0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002,
                                           0.005,   0.01,   0.02,   0.05,   0.1,   0.2,
                                           0.5,     1,      2,      5,      10};
  return buckets;
}

Registry::Registry() : impl_{std::make_unique<Impl>()} {}
Registry::~Registry() = default;

Counter Registry::counter(const std::string& name, const std::string& help, const Labels& labels) {
  return Counter{prometheus::BuildCounter()
                     .Name(name)
                     .Help(help)
                     .Register(impl_->registry)
                     .Add(labels_of(labels))};
}

Gauge Registry::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return Gauge{prometheus::BuildGauge()
                   .Name(name)
                   .Help(help)
                   .Register(impl_->registry)
                   .Add(labels_of(labels))};
}

Histogram Registry::histogram(const std::string& name, const std::string& help,
                              const std::vector<double>& buckets, const Labels& labels) {
  return Histogram{prometheus::BuildHistogram()
                       .Name(name)
                       .Help(help)
                       .Register(impl_->registry)
                       .Add(labels_of(labels), buckets)};
}

std::string Registry::text() const {
  return prometheus::TextSerializer{}.Serialize(impl_->registry.Collect());
}

}  // namespace mainstay::metrics
