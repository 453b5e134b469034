// The settings of an adapter, taken one by one. What is wrong is remembered, the first of it, and
// told at the end: the setting's full name and what is expected. A setting that nobody asked for is
// wrong too. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::adapters {

class Settings {
 public:
  // `table` must outlive this and every table taken from it.
  explicit Settings(const json::Value& table);

  bool has(std::string_view name) const;

  std::string text(std::string_view name, std::string_view otherwise);
  std::string required_text(std::string_view name);
  bool boolean(std::string_view name, bool otherwise);
  std::uint64_t integer(std::string_view name, std::uint64_t otherwise, std::uint64_t min,
                        std::uint64_t max);
  std::uint64_t size(std::string_view name, std::string_view otherwise);  // "64MiB"
  Millis duration(std::string_view name, std::string_view otherwise);     // "1500ms"
  // One of `words`; "" for `otherwise`: must be given.
  std::string choice(std::string_view name, std::string_view otherwise,
                     const std::vector<std::string_view>& words);
  std::vector<std::string> texts(std::string_view name);         // an array of texts; empty if none
  std::optional<Settings> table(std::string_view name);          // [settings.name]
  std::vector<Settings> tables(std::string_view name);           // [[settings.name]]
  const json::Value* value(std::string_view name);               // as it came
  void wrong(std::string_view name, const std::string& reason);  // found by the caller

  // Everything taken: ok, or invalid_argument with the first that was wrong or unknown.
  Result<void> done() const;

 private:
  struct Node;
  struct State;
  Settings(const json::Value& table, std::string where, std::shared_ptr<State> state);
  const json::Value* take(std::string_view name, std::string_view expected, json::Type type);

  std::shared_ptr<State> state_;
  std::shared_ptr<Node> node_;
};

}  // namespace mainstay::adapters
