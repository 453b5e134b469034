#include "runtime/daemon/request_meter.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace mainstay::daemon {

namespace {

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::size_t end = path.find('/');
    segments.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end, path.size()));
  }
  return segments;
}

}  // namespace

struct RequestMeter::Route {
  Route(metrics::NodeMetrics& metrics, std::string route_pattern)
      : pattern{std::move(route_pattern)}, seconds{metrics.http_seconds(pattern)} {
    for (const std::string_view segment : segments_of(pattern))
      segments.emplace_back(segment.starts_with('{') ? std::string_view{} : segment);
  }

  bool fits(const std::vector<std::string_view>& given) const {
    return std::equal(segments.begin(), segments.end(), given.begin(), given.end(),
                      [](const std::string& wanted, std::string_view segment) {
                        return wanted.empty() || wanted == segment;
                      });
  }

  void count(metrics::NodeMetrics& metrics, http::Method method, int status) {
    const std::lock_guard lock{mutex};
    auto at = counters.find({method, status});
    if (at == counters.end())
      at = counters
               .emplace(std::pair{method, status},
                        metrics.http_requests(to_string(method), pattern, status))
               .first;
    at->second.add();
  }

  const std::string pattern;
  std::vector<std::string> segments;  // "" for {…}
  metrics::Histogram seconds;
  std::mutex mutex;
  std::map<std::pair<http::Method, int>, metrics::Counter> counters;
};

// Stands between the router's answer and the connection.
class RequestMeter::Metered final : public http::Exchange {
 public:
  Metered(const RequestMeter& meter, http::Responder responder, http::Method method, Route& route)
      : meter_{meter},
        responder_{std::move(responder)},
        method_{method},
        route_{route},
        began_{meter.clock_.monotonic()} {}

  void answer(http::Response response) override {
    count(response.status);
    responder_.answer(std::move(response));
  }
  // A stream is counted when it begins: how long it lasts is its client's wish.
  void stream(http::Response head, std::shared_ptr<http::BodySource> source) override {
    count(head.status);
    responder_.stream(std::move(head), std::move(source));
  }
  void post(std::function<void()> work) override { responder_.post(std::move(work)); }

 private:
  void count(int status) {
    const std::chrono::duration<double> took = meter_.clock_.monotonic() - began_;
    route_.seconds.observe(took.count());
    route_.count(meter_.metrics_, method_, status);
  }

  const RequestMeter& meter_;
  const http::Responder responder_;
  const http::Method method_;
  Route& route_;
  const MonotonicTime began_;
};

RequestMeter::RequestMeter(const http::Router& router, metrics::NodeMetrics& metrics,
                           const sys::Clock& clock)
    : router_{router}, metrics_{metrics}, clock_{clock} {
  std::set<std::string> patterns;
  for (http::Router::Route& route : router.routes()) patterns.insert(std::move(route.pattern));
  for (const std::string& pattern : patterns)
    routes_.push_back(std::make_unique<Route>(metrics, pattern));
  routes_.push_back(std::make_unique<Route>(metrics, "other"));
}

RequestMeter::~RequestMeter() = default;

void RequestMeter::operator()(http::Request request, const http::Responder& responder) const {
  const auto exchange =
      std::make_shared<Metered>(*this, responder, request.method, route_of(request.path()));
  router_(std::move(request), http::Responder{exchange});
}

RequestMeter::Route& RequestMeter::route_of(std::string_view path) const {
  const std::vector<std::string_view> segments = segments_of(path);
  const auto last = std::prev(routes_.end());
  return **std::find_if(routes_.begin(), last,
                        [&segments](const auto& route) { return route->fits(segments); });
}

}  // namespace mainstay::daemon
