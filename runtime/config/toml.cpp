#include "runtime/config/toml.hpp"

#include <sstream>

#include <toml++/toml.h>

#include "runtime/config/options.hpp"

namespace mainstay::config {

namespace {

std::string position(const std::string& file, const toml::source_region& source) {
  return file + ":" + std::to_string(source.begin.line) + ":" + std::to_string(source.begin.column);
}

// "id", "peer", "api" of one [[cluster.peers]] table, as the text form of a peer. A missing or
// misspelt key is a problem.
std::string peer_text(const toml::table& table, std::string& problem) {
  for (auto&& [key, value] : table) {
    const std::string_view name = key.str();
    const bool known =
        name == "id" ? value.is_integer() : (name == "peer" || name == "api") && value.is_string();
    if (!known) problem = "a peer has id = <number>, peer = \"host:port\", api = \"host:port\"";
  }
  const auto id = table["id"].value<std::int64_t>();
  const auto peer = table["peer"].value<std::string>();
  const auto api = table["api"].value<std::string>();
  if (!id || !peer || *id < 0) {
    problem = "a peer needs id = <number> and peer = \"host:port\"";
    return {};
  }
  return std::to_string(*id) + "@" + *peer + (api ? "/api=" + *api : "");
}

std::string peers_text(const toml::array& array, std::string& problem) {
  std::string text;
  for (const toml::node& node : array) {
    if (!text.empty()) text += ",";
    if (const toml::table* table = node.as_table())
      text += peer_text(*table, problem);
    else if (const auto word = node.value<std::string>(); word && node.is_string())
      text += *word;
    else
      problem = "a list of tables is expected: [[cluster.peers]]";
  }
  return text;
}

void read_value(FileSetting& setting, const toml::node& node, Kind kind) {
  auto expect = [&](bool right, std::string_view what) {
    if (!right) setting.problem = std::string{what} + " is expected";
  };
  switch (kind) {
    case Kind::integer:
      expect(node.is_integer(), "a whole number without quotes");
      if (node.is_integer()) setting.text = std::to_string(node.as_integer()->get());
      return;
    case Kind::boolean:
      expect(node.is_boolean(), "true or false without quotes");
      if (node.is_boolean()) setting.text = node.as_boolean()->get() ? "true" : "false";
      return;
    case Kind::peers:
      expect(node.is_array(), "a list of tables: [[cluster.peers]]");
      if (node.is_array()) setting.text = peers_text(*node.as_array(), setting.problem);
      return;
    default:
      expect(node.is_string(), "text in double quotes");
      if (node.is_string()) setting.text = node.as_string()->get();
  }
}

bool is_section(std::string_view name) {
  for (const Option& option : options())
    if (option.name.substr(0, option.name.find('.')) == name) return true;
  return false;
}

}  // namespace

Result<std::vector<FileSetting>> read_toml(const std::string& file_name, const std::string& text) {
  toml::table root;
  try {
    root = toml::parse(text, file_name);
  } catch (const toml::parse_error& error) {
    return fail(Errc::invalid_argument, position(file_name, error.source()) +
                                            ": not TOML: " + std::string{error.description()});
  }
  std::vector<FileSetting> settings;
  for (auto&& [section, content] : root) {
    const std::string section_name{section.str()};
    const toml::table* table = content.as_table();
    if (table == nullptr) {
      settings.push_back({section_name, "", position(file_name, content.source()), ""});
      continue;
    }
    // A misspelt empty section would otherwise go unnoticed.
    if (table->empty() && !is_section(section_name))
      settings.push_back({section_name, "", position(file_name, content.source()), ""});
    for (auto&& [key, node] : *table) {
      FileSetting setting;
      setting.name = section_name + "." + std::string{key.str()};
      setting.where = position(file_name, node.source());
      if (const Option* option = find_option(setting.name)) read_value(setting, node, option->kind);
      settings.push_back(std::move(setting));
    }
  }
  return settings;
}

namespace {

// A string as it is, a list of strings with commas between.
FileSetting text_setting(std::string name, const std::string& file_name, const toml::node& node) {
  FileSetting setting{std::move(name), "", position(file_name, node.source()), ""};
  const auto add = [&setting](const toml::node& item) {
    if (!item.is_string()) setting.problem = "text in double quotes is expected";
    if (!setting.text.empty()) setting.text += ",";
    setting.text += item.value_or(std::string{});
  };
  if (const toml::array* list = node.as_array())
    for (const toml::node& item : *list) add(item);
  else
    add(node);
  return setting;
}

}  // namespace

Result<std::vector<FileSetting>> read_texts(const std::string& file_name, const std::string& text) {
  toml::table root;
  try {
    root = toml::parse(text, file_name);
  } catch (const toml::parse_error& error) {
    return fail(Errc::invalid_argument, position(file_name, error.source()) +
                                            ": not TOML: " + std::string{error.description()});
  }
  std::vector<FileSetting> settings;
  for (auto&& [key, node] : root) {
    const std::string name{key.str()};
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      settings.push_back(text_setting(name, file_name, node));
      continue;
    }
    for (auto&& [inner, value] : *table)
      settings.push_back(text_setting(name + "." + std::string{inner.str()}, file_name, value));
  }
  return settings;
}

namespace {

json::Value value_of(const toml::node& node) {
  using json::Value;
  if (const toml::table* table = node.as_table()) {
    Value object = Value::object();
    for (auto&& [key, inner] : *table) object.set(std::string{key.str()}, value_of(inner));
    return object;
  }
  if (const toml::array* list = node.as_array()) {
    json::Array items;
    for (const toml::node& inner : *list) items.push_back(value_of(inner));
    return Value::array(std::move(items));
  }
  if (const auto* text = node.as_string()) return Value::string(text->get());
  if (const auto* boolean = node.as_boolean()) return Value::boolean(boolean->get());
  if (const auto* number = node.as_integer()) return Value::number(std::to_string(number->get()));
  std::ostringstream text;
  text << toml::node_view<const toml::node>{node};
  // inf and nan are no JSON numbers; dates and times are texts anyway.
  if (node.is_floating_point() && json::is_number(text.str())) return Value::number(text.str());
  return Value::string(text.str());
}

}  // namespace

Result<json::Value> read_table(const std::string& file_name, const std::string& text) {
  try {
    return value_of(toml::parse(text, file_name));
  } catch (const toml::parse_error& error) {
    return fail(Errc::invalid_argument, position(file_name, error.source()) +
                                            ": not TOML: " + std::string{error.description()});
  }
}

}  // namespace mainstay::config
