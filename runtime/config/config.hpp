// The configuration of a node: one immutable value, put together from a file, the environment and
// flags, checked as a whole.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/config/values.hpp"

namespace mainstay::config {

// One member an option, as options.def names it; sizes in bytes.
struct Config {
#define X(field, name, kind, default_text, range, restart, sentence) \
  ValueOf<Kind::kind>::Type field{};
#include "runtime/config/options.def"
#undef X

  // What involves more than one option. Errors: invalid_argument, a line for each finding.
  Result<void> validate() const;
  // What is allowed but should be known: a line for each.
  std::vector<std::string> warnings() const;

  // The addresses others are told: the advertised one, else what cluster.peers says of this node,
  // else where it listens.
  std::string peer_address() const;
  std::string api_address() const;
  std::string display_name() const;

  bool operator==(const Config&) const = default;
};

using Settings = std::vector<std::pair<std::string, std::string>>;

// Where the settings come from; later ones here are overruled by earlier ones: flags, environment,
// file, defaults.
struct Sources {
  Settings flags;         // option name ("api.listen") and value
  Settings environment;   // variables; those that do not start with MAINSTAY_ are ignored
  std::string file_name;  // for messages; "" when there is no file
  std::string file_text;  // TOML
};

struct Loaded {
  Config config;
  // Config::warnings(), and variables MAINSTAY_… that no option has.
  std::vector<std::string> warnings;
};

// Errors: invalid_argument; the message has a line for each finding, with file, line and the
// nearest option where one is misspelt.
Result<Loaded> load(const Sources& sources);

// Defaults only, node.id aside: for tests and examples.
Config default_config(NodeId node);

}  // namespace mainstay::config
