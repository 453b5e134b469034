// What every handler of the API needs; internal to runtime/api.
#pragma once

#include <memory>

#include "runtime/api/api.hpp"

namespace mainstay::api {

struct Context {
  Backend& backend;
  const sys::Clock& clock;
  ApiOptions options;
};
using ContextPtr = std::shared_ptr<const Context>;

void add_record_routes(http::Router& router, const ContextPtr& context);
void add_cluster_routes(http::Router& router, const ContextPtr& context);
void add_health_routes(http::Router& router, const ContextPtr& context);

}  // namespace mainstay::api
