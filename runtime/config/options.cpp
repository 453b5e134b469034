#include "runtime/config/options.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace mainstay::config {

namespace {

// "low..high" with either end open.
template <class Parse, class T>
Result<void> check_range(std::string_view range, Parse parse, const T& value) {
  if (range.empty()) return {};
  const auto dots = range.find("..");
  ASSERT_MSG(dots != std::string_view::npos, "a range in options.def needs '..'");
  const std::string_view low = range.substr(0, dots);
  const std::string_view high = range.substr(dots + 2);
  const bool below = !low.empty() && value < parse(low).value();
  const bool above = !high.empty() && value > parse(high).value();
  if (below || above) return fail(Errc::invalid_argument, "is out of range " + std::string{range});
  return {};
}

Result<void> check_choice(std::string_view range, std::string_view text) {
  std::string_view rest = range;
  while (!rest.empty()) {
    const auto bar = rest.find('|');
    if (rest.substr(0, bar) == text) return {};
    rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
  }
  return fail(Errc::invalid_argument,
              "'" + std::string{text} + "' is not one of " + std::string{range});
}

template <Kind kind>
Result<typename ValueOf<kind>::Type> parse_value(std::string_view text, std::string_view range) {
  if constexpr (kind == Kind::integer) {
    TRY_ASSIGN(const auto value, parse_integer(text));
    TRY(check_range(range, parse_integer, value));
    return value;
  } else if constexpr (kind == Kind::size) {
    TRY_ASSIGN(const auto value, parse_size(text));
    TRY(check_range(range, parse_size, value));
    return value;
  } else if constexpr (kind == Kind::duration) {
    TRY_ASSIGN(const auto value, parse_duration(text));
    TRY(check_range(range, parse_duration, value));
    return value;
  } else if constexpr (kind == Kind::boolean) {
    return parse_boolean(text);
  } else if constexpr (kind == Kind::peers) {
    return parse_peers(text);
  } else if constexpr (kind == Kind::address) {
    if (text.empty()) return std::string{};
    TRY_ASSIGN(const Endpoint endpoint, parse_endpoint(text));
    return to_string(endpoint);
  } else if constexpr (kind == Kind::choice) {
    TRY(check_choice(range, text));
    return std::string{text};
  } else {
    return std::string{text};
  }
}

constexpr std::array table{
#define X(field, name, kind, default_text, range, restart, sentence)       \
  Option{name,                                                             \
         Kind::kind,                                                       \
         default_text,                                                     \
         range,                                                            \
         restart,                                                          \
         sentence,                                                         \
         [](Config& config, std::string_view text) -> Result<void> {       \
           TRY_ASSIGN(config.field, parse_value<Kind::kind>(text, range)); \
           return {};                                                      \
         }},
#include "runtime/config/options.def"
#undef X
};

bool quoted_in_toml(Kind kind) {
  return kind != Kind::integer && kind != Kind::boolean;
}

std::string_view section_of(std::string_view name) {
  return name.substr(0, name.find('.'));
}

std::string_view key_of(std::string_view name) {
  return name.substr(name.find('.') + 1);
}

std::string example_entry(const Option& option) {
  std::string text = "# " + std::string{option.sentence} + "\n";
  if (!option.range.empty()) text += "# Range: " + std::string{option.range} + "\n";
  if (option.kind == Kind::peers) {
    for (const char* node : {"1", "2", "3"})
      text += std::string{"# [[cluster.peers]]\n# id = "} + node + "\n# peer = \"10.0.0." + node +
              ":7401\"\n# api = \"10.0.0." + node + ":7400\"\n";
    return text;
  }
  if (option.name == "node.id") return text + "id = 1\n";
  const std::string value = quoted_in_toml(option.kind)
                                ? "\"" + std::string{option.default_text} + "\""
                                : std::string{option.default_text};
  return text + "# " + std::string{key_of(option.name)} + " = " + value + "\n";
}

std::string upper_with_underscores(std::string_view name) {
  std::string text{name};
  for (char& c : text) c = c == '.' ? '_' : static_cast<char>(std::toupper(c));
  return text;
}

}  // namespace

std::span<const Option> options() {
  return table;
}

const Option* find_option(std::string_view name) {
  auto at = std::find_if(table.begin(), table.end(),
                         [&](const Option& option) { return option.name == name; });
  return at == table.end() ? nullptr : &*at;
}

std::string_view nearest_option(std::string_view name) {
  std::string_view nearest;
  std::size_t best = std::max<std::size_t>(3, name.size() / 3) + 1;
  for (const Option& option : table) {
    // A key written without its section counts as near.
    const std::size_t distance =
        std::min(edit_distance(name, option.name), edit_distance(name, key_of(option.name)) + 1);
    if (distance < best) {
      best = distance;
      nearest = option.name;
    }
  }
  return nearest;
}

std::string environment_name(std::string_view option) {
  return "MAINSTAY_" + upper_with_underscores(option);
}

std::string flag_name(std::string_view option) {
  std::string text = "--" + std::string{option};
  for (char& c : text)
    if (c == '.' || c == '_') c = '-';
  return text;
}

std::string example_file() {
  std::string text =
      "# Configuration of mainstayd: every option with its default. Lines that start with '#' are\n"
      "# comments; remove the '#' to set an option. Each can also be given as an environment "
      "variable\n"
      "# (api.listen: MAINSTAY_API_LISTEN) or a flag (--api-listen); a flag overrules the "
      "environment,\n"
      "# the environment this file. Made from runtime/config/options.def; a test compares the "
      "two.\n";
  std::string_view section;
  std::string peers;  // [[cluster.peers]] opens a table, so it must be the last of its section
  for (const Option& option : table) {
    if (section_of(option.name) != section) {
      text += std::exchange(peers, "");
      section = section_of(option.name);
      text += "\n[" + std::string{section} + "]\n";
    }
    (option.kind == Kind::peers ? peers : text) += example_entry(option);
  }
  return text + peers;
}

std::string options_document() {
  std::string text =
      "# Configuration\n\n"
      "`mainstayd --config FILE` reads one TOML file. Every option can also be given as an "
      "environment variable or a flag: flags\n"
      "overrule the environment, the environment the file, the file the defaults. An unknown "
      "option, a wrong type or a value out of range\n"
      "stops the start with file, line and what is expected; `mainstayd --check-config` only "
      "checks. Sizes are written with `B`, `KiB`, `MiB`,\n"
      "`GiB`, `TiB`; durations with `ms`, `s`, `m`, `h`. All changes need a restart of the "
      "node; certificate and key\n"
      "files are read again by themselves when they change (docs/security.md).\n\n"
      "Made from `runtime/config/options.def`; a test compares the two.\n\n"
      "| option | kind | default | range | environment variable | meaning |\n"
      "|---|---|---|---|---|---|\n";
  for (const Option& option : table) {
    auto code = [](std::string_view value) {
      if (value.empty()) return std::string{};
      std::string escaped;  // a bar would end the table cell
      for (const char c : value) escaped += c == '|' ? std::string{"\\|"} : std::string{c};
      return "`" + escaped + "`";
    };
    text += "| `" + std::string{option.name} + "` | " + std::string{to_string(option.kind)} +
            " | " + code(option.default_text) + " | " + code(option.range) + " | `" +
            environment_name(option.name) + "` | " + std::string{option.sentence} + " |\n";
  }
  text +=
      "\nThe nodes of the cluster, in the file:\n\n"
      "```toml\n[[cluster.peers]]\nid = 1\npeer = \"10.0.0.1:7401\"\napi = "
      "\"10.0.0.1:7400\"\n```\n\n"
      "and in a variable or flag: `1@10.0.0.1:7401/api=10.0.0.1:7400,2@…`.\n";
  return text;
}

}  // namespace mainstay::config
