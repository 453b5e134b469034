#include "runtime/api/request_parts.hpp"

#include <set>

#include <gtest/gtest.h>

namespace mainstay::api {
namespace {

record::Command command_with(std::string collection, std::string key, std::string value) {
  record::Command command;
  command.collection = std::move(collection);
  command.key = std::move(key);
  command.value = Bytes{std::move(value)};
  return command;
}

TEST(RequestHash, DiffersWhereverTheRequestDiffers) {
  std::set<Hash128> seen;
  int requests = 0;
  const auto add = [&](http::Method method, const record::Command& command) {
    seen.insert(request_hash(method, command));
    ++requests;
  };
  const record::Command base = command_with("c", "k", "1");
  add(http::Method::put, base);
  add(http::Method::remove, base);
  add(http::Method::put, command_with("ck", "", "1"));
  add(http::Method::put, command_with("", "ck", "1"));
  add(http::Method::put, command_with("c", "k1", ""));
  add(http::Method::put, command_with("c", "k", "2"));
  record::Command changed = base;
  changed.condition.version_is = 12;
  add(http::Method::put, changed);
  changed = base;
  changed.condition.version_is_not = {12};
  add(http::Method::put, changed);
  changed.condition.version_is_not = {1, 2};
  add(http::Method::put, changed);
  changed = base;
  changed.condition.must_exist = true;
  add(http::Method::put, changed);
  changed = base;
  changed.condition.must_be_absent = true;
  add(http::Method::put, changed);
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(requests));
}

TEST(RequestHash, IsTheSameForARepetition) {
  record::Command one = command_with("c", "k", "1");
  record::Command two = one;
  one.operation = "a";
  two.operation = "b";
  EXPECT_EQ(request_hash(http::Method::put, one), request_hash(http::Method::put, two));
}

// Stored in every deduplication row: another value would refuse the repetitions of requests made
// before an upgrade.
TEST(RequestHash, NeverChanges) {
  record::Command command = command_with("orders", "A-1", "{\"n\":1}");
  command.condition.version_is = 3;
  EXPECT_EQ(hex_of(request_hash(http::Method::put, command)), "c1d33b5eac569f395f735ff3faa7db82");
}

}  // namespace
}  // namespace mainstay::api
