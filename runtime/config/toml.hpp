// Flattens a TOML file into settings; the only place that sees toml++.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::config {

struct FileSetting {
  std::string name;     // "api.listen"
  std::string text;     // the value in the form of values.hpp
  std::string where;    // "mainstayd.toml:12:3"
  std::string problem;  // not empty: the value has a type that the option does not take
};

// Errors: invalid_argument when the text is not TOML, with file and line.
Result<std::vector<FileSetting>> read_toml(const std::string& file_name, const std::string& text);

// A file of texts that are no options of mainstayd, such as the tool's contexts: "section.name" or
// "name", a list of texts joined by commas. Errors: as above.
Result<std::vector<FileSetting>> read_texts(const std::string& file_name, const std::string& text);

// Any TOML file as JSON: tables are objects, dates and times are texts, integers keep their digits.
// Errors: as above.
Result<json::Value> read_table(const std::string& file_name, const std::string& text);

}  // namespace mainstay::config
