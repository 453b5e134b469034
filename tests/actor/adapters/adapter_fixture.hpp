// What the tests of adapters on folders share: a directory of their own, and the part of the kit
// that commits messages with positions.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <toml++/toml.h>
#include <unistd.h>

#include "runtime/base/json.hpp"
#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters {

inline json::Value json_of(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : json::Value{};
}

// The settings in config/examples/adapters/<file>.
inline json::Value example_settings(const std::string& file) {
  std::ostringstream text;
  const toml::table table = toml::parse_file("config/examples/adapters/" + file);
  text << toml::json_formatter{*table["settings"].as_table()};
  return json_of(text.str());
}

class FolderTest : public ::testing::Test {
 protected:
  FolderTest() {
    std::string name = (std::filesystem::temp_directory_path() / "adapter-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    std::filesystem::create_directories(root_ / "in");
  }
  ~FolderTest() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, std::string_view content) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream{root_ / path, std::ios::binary} << content;
  }
  std::string read(const std::string& path) const {
    std::ostringstream text;
    text << std::ifstream{root_ / path, std::ios::binary}.rdbuf();
    return text.str();
  }
  std::vector<std::string> names(const std::string& directory) const {
    std::set<std::string> all;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{root_ / directory, error})
      all.insert(entry.path().filename().string());
    return {all.begin(), all.end()};
  }
  integration::AdapterContext context(std::string_view settings) const {
    integration::AdapterContext context;
    context.name = "test";
    context.settings = json_of(settings);
    context.settings.set("directory", json::Value::string(root_.string()));
    return context;
  }

  std::filesystem::path root_;
};

// Commits as the kit does: messages and position together, each (id, version) once.
struct Inbox {
  std::string position;
  std::map<std::string, std::string> taken;  // "id version" -> body
  std::vector<std::string> order;            // of the ids
  std::size_t duplicates = 0;

  void commit(const integration::Page& page) {
    for (const auto& message : page.messages) {
      if (taken.emplace(message.id + " " + message.version, message.body).second)
        order.push_back(message.id);
      else
        ++duplicates;
    }
    position = page.position;
  }
  // Until nothing comes any more.
  void drain(integration::Adapter& adapter, std::size_t messages_max = 100) {
    for (;;) {
      const auto page = adapter.fetch(position, messages_max);
      ASSERT_TRUE(page) << to_string(page.error());
      commit(*page);
      const auto done = adapter.acknowledge(position);
      ASSERT_TRUE(done) << to_string(done.error());
      if (page->messages.empty() && !page->more) return;
    }
  }
};

}  // namespace mainstay::adapters
