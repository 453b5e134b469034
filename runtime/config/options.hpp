// The table of options (options.def) at run time: names, setters, and the texts made from it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runtime/config/config.hpp"

namespace mainstay::config {

struct Option {
  std::string_view name;  // "api.listen"
  Kind kind;
  std::string_view default_text;
  std::string_view range;
  bool restart;
  std::string_view sentence;
  // Parses, checks the range, stores. Errors: invalid_argument, without the option's name.
  Result<void> (*set)(Config& config, std::string_view text);
};

// In the order of options.def.
std::span<const Option> options();
const Option* find_option(std::string_view name);
// The option whose name is nearest, "" if none is near.
std::string_view nearest_option(std::string_view name);

std::string environment_name(std::string_view option);  // "MAINSTAY_API_LISTEN"
std::string flag_name(std::string_view option);         // "--api-listen"

// config/mainstayd.example.toml and docs/configuration.md; tests compare the files with these.
std::string example_file();
std::string options_document();

}  // namespace mainstay::config
