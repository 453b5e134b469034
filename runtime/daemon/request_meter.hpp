// Counts and times HTTP requests by route and status, around the router. Thread-safe once built.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/http/router.hpp"
#include "runtime/metrics/node_metrics.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::daemon {

class RequestMeter {
 public:
  // The router is complete; it, `metrics` and `clock` outlive the meter.
  RequestMeter(const http::Router& router, metrics::NodeMetrics& metrics, const sys::Clock& clock);
  ~RequestMeter();

  // Hands the request to the router; its answer is counted on the way to the client.
  void operator()(http::Request request, const http::Responder& responder) const;

 private:
  class Metered;
  struct Route;

  // The route that the path fits, "other" for none: what users make up never becomes a label.
  Route& route_of(std::string_view path) const;

  const http::Router& router_;
  metrics::NodeMetrics& metrics_;
  const sys::Clock& clock_;
  std::vector<std::unique_ptr<Route>> routes_;  // the last one takes what fits no other
};

}  // namespace mainstay::daemon
