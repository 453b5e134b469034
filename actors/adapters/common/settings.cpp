#include "actors/adapters/common/settings.hpp"

#include <algorithm>

#include "runtime/config/values.hpp"

namespace mainstay::adapters {

struct Settings::Node {
  const json::Value* table;
  std::string where;  // "settings.in[0]."
  std::vector<std::string> known;
};

struct Settings::State {
  std::optional<Error> error;
  std::vector<std::shared_ptr<Node>> nodes;
};

Settings::Settings(const json::Value& table)
    : Settings{table, "settings.", std::make_shared<State>()} {}

Settings::Settings(const json::Value& table, std::string where, std::shared_ptr<State> state)
    : state_{std::move(state)}, node_{std::make_shared<Node>(Node{&table, std::move(where), {}})} {
  state_->nodes.push_back(node_);
}

bool Settings::has(std::string_view name) const {
  return node_->table->is(json::Type::object) && node_->table->find(name) != nullptr;
}

void Settings::wrong(std::string_view name, const std::string& reason) {
  if (!state_->error)
    state_->error = Error{Errc::invalid_argument, node_->where + std::string{name} + ": " + reason};
}

const json::Value* Settings::value(std::string_view name) {
  node_->known.emplace_back(name);
  return node_->table->is(json::Type::object) ? node_->table->find(name) : nullptr;
}

const json::Value* Settings::take(std::string_view name, std::string_view expected,
                                  json::Type type) {
  const json::Value* found = value(name);
  if (found == nullptr || found->is(type)) return found;
  wrong(name, "expected " + std::string{expected} + ", not " +
                  std::string{json::to_string(found->type())});
  return nullptr;
}

std::string Settings::text(std::string_view name, std::string_view otherwise) {
  const json::Value* found = take(name, "a text", json::Type::string);
  return found == nullptr ? std::string{otherwise} : found->text();
}

std::string Settings::required_text(std::string_view name) {
  std::string found = text(name, "");
  if (found.empty()) wrong(name, "must be given: a text that is not empty");
  return found;
}

bool Settings::boolean(std::string_view name, bool otherwise) {
  const json::Value* found = take(name, "true or false", json::Type::boolean);
  return found == nullptr ? otherwise : found->as_boolean();
}

std::uint64_t Settings::integer(std::string_view name, std::uint64_t otherwise, std::uint64_t min,
                                std::uint64_t max) {
  const json::Value* found = take(name, "a whole number", json::Type::number);
  if (found == nullptr) return otherwise;
  const auto number = config::parse_integer(found->text());
  if (number && *number >= min && *number <= max) return *number;
  wrong(name, "expected a whole number from " + std::to_string(min) + " to " + std::to_string(max) +
                  ", not " + found->text());
  return otherwise;
}

std::uint64_t Settings::size(std::string_view name, std::string_view otherwise) {
  const auto bytes = config::parse_size(text(name, otherwise));
  if (!bytes) wrong(name, bytes.error().message);
  return bytes.value_or(0);
}

Millis Settings::duration(std::string_view name, std::string_view otherwise) {
  const auto millis = config::parse_duration(text(name, otherwise));
  if (!millis) wrong(name, millis.error().message);
  return millis.value_or(Millis{0});
}

std::string Settings::choice(std::string_view name, std::string_view otherwise,
                             const std::vector<std::string_view>& words) {
  std::string word = text(name, otherwise);
  if (std::find(words.begin(), words.end(), word) != words.end()) return word;
  std::string expected = "expected one of";
  for (const std::string_view each : words) expected += " " + std::string{each};
  wrong(name, expected + (word.empty() ? "" : ", not " + word));
  return std::string{words.front()};
}

std::vector<std::string> Settings::texts(std::string_view name) {
  std::vector<std::string> all;
  const json::Value* found = take(name, "an array of texts", json::Type::array);
  if (found == nullptr) return all;
  for (const json::Value& item : found->items()) {
    if (item.is(json::Type::string))
      all.push_back(item.text());
    else
      wrong(name, "expected an array of texts");
  }
  return all;
}

std::optional<Settings> Settings::table(std::string_view name) {
  const json::Value* found = take(name, "a table", json::Type::object);
  if (found == nullptr) return std::nullopt;
  return Settings{*found, node_->where + std::string{name} + ".", state_};
}

std::vector<Settings> Settings::tables(std::string_view name) {
  std::vector<Settings> all;
  const json::Value* found = take(name, "an array of tables", json::Type::array);
  if (found == nullptr) return all;
  for (const json::Value& item : found->items()) {
    if (!item.is(json::Type::object)) {
      wrong(name, "expected an array of tables");
      continue;
    }
    const std::string index = "[" + std::to_string(all.size()) + "].";
    all.push_back(Settings{item, node_->where + std::string{name} + index, state_});
  }
  return all;
}

Result<void> Settings::done() const {
  if (state_->error) return Failure{*state_->error};
  for (const auto& node : state_->nodes) {
    if (!node->table->is(json::Type::object)) {
      if (node->table->is(json::Type::null)) continue;
      return fail(Errc::invalid_argument, node->where + " expected a table");
    }
    for (const auto& [name, unused] : node->table->members()) {
      const auto& known = node->known;
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const auto nearest = std::min_element(
          known.begin(), known.end(), [&name = name](const auto& a, const auto& b) {
            return config::edit_distance(a, name) < config::edit_distance(b, name);
          });
      std::string message = node->where + name + ": there is no such setting";
      if (nearest != known.end()) message += "; did you mean " + *nearest + "?";
      return fail(Errc::invalid_argument, message);
    }
  }
  return {};
}

}  // namespace mainstay::adapters
