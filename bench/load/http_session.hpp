// Sessions over HTTP/1.1 with kept connections.
#pragma once

#include <memory>
#include <string>

#include "bench/load/session.hpp"

namespace mainstay::bench {

// `dialect`: a name that make_dialect knows.
std::unique_ptr<Protocol> make_http_protocol(const std::string& dialect);

}  // namespace mainstay::bench
