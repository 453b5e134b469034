// The HTTP API of a node: pure translation between HTTP requests and api::Backend. docs/api.md
// tells it to users, schemas/openapi.yaml to programs; tests compare the latter with the routes,
// and its schemas with the answers.
#pragma once

#include <string>
#include <string_view>

#include "runtime/api/backend.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/http/router.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::api {

struct ApiOptions {
  Millis deadline_default{limits::request_ms_default};  // of a request that names none
  bool metrics = true;                                  // serve /metrics
  bool auth_enabled = true;                             // false: everybody is an admin
  std::string bootstrap_token_hash;  // "sha256:…" of a token with the role admin; "": none
  bool metrics_open = false;         // /metrics without a token
};

// Adds every route. `backend` and `clock` must outlive the router. Handlers run on HTTP threads,
// read views there, and do not block.
void add_routes(http::Router& router, Backend& backend, const sys::Clock& clock,
                const ApiOptions& options = {});

// The OpenAPI document, JSON.
std::string_view openapi_document();

// docs/errors.md, made from the table of errors.
std::string errors_document();

}  // namespace mainstay::api
