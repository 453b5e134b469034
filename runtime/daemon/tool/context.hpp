// Which cluster the tool talks to, and as whom: flags, then the environment, then the context file.
//
//   ~/.config/mainstay/context.toml        (MAINSTAY_CONTEXT_FILE names another)
//     endpoints = "10.0.0.1:7400,10.0.0.2:7400,10.0.0.3:7400"     of the default context
//     token_file = "~/.config/mainstay/token"
//     ca = "/etc/mainstay/ca.pem"
//     [plant-b]                                                   chosen by --context plant-b
//     endpoints = "https://10.1.0.1:7400"
//
// Endpoints are host:port or http(s)://host:port; with a `ca` they are taken for https.
#pragma once

#include <string>
#include <vector>

#include "runtime/config/config.hpp"
#include "runtime/config/values.hpp"

namespace mainstay::tool {

struct Context {
  std::vector<config::Endpoint> endpoints;
  bool tls = false;
  std::string token;  // "" none
  std::string ca;     // file (PEM); "": the system's authorities
};

// As given on the command line; "" not given.
struct ContextFlags {
  std::vector<std::string> endpoints;
  std::string context, token, token_file, ca;
};

// The context file's place; "" when there is no home directory.
std::string context_file(const config::Settings& environment);

// Errors: invalid_argument naming the place (file and line, variable or flag); not_found for a
// named context or a token file that is not there.
Result<Context> find_context(const ContextFlags& flags, const config::Settings& environment);

std::string variable(const config::Settings& environment, std::string_view name);  // "" not set

}  // namespace mainstay::tool
