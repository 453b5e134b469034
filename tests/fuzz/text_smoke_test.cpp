// Mutated texts through the parsers of requests, JSON and configuration: the same few thousand at
// every run. The feeding functions abort if a promise is broken.
#include <gtest/gtest.h>

#include "runtime/base/random.hpp"
#include "tests/fuzz/feed_text.hpp"

namespace mainstay::fuzz {
namespace {

// Pieces that mean something to one of the parsers.
constexpr const char* telling[] = {
    "\r\n",
    "\n",
    "%",
    "%00",
    "%zz",
    "?",
    "&",
    "=",
    "+",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\\ud800",
    "\\u0000",
    ",",
    ":",
    "1e999",
    "-",
    "0x",
    "'''",
    "\"\"",
    "[[",
    "]]",
    "Host: ",
    " HTTP/1.1",
    "0\r\n",
    "\xc3",
    "\xf0",
    "#",
    ".",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 18446744073709551616\r\n",
};

std::string mutated(std::string text, const std::string& other, Random& random) {
  for (auto times = random.between(1, 4); times > 0; --times) {
    const std::size_t at = random.between(0, text.size());
    switch (random.between(0, 4)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random.next());
        break;
      case 1:
        text.insert(at, telling[random.between(0, std::size(telling) - 1)]);
        break;
      case 2:
        text.erase(at, random.between(1, 8));
        break;
      case 3:
        text.insert(at, text.substr(at / 2, random.between(1, 64)));
        break;
      default:
        text.replace(at, 16, other.substr(random.between(0, other.size()), 32));
        break;
    }
  }
  return text;
}

template <class Feed>
int feed_mutations(const std::vector<std::string>& samples, int rounds, Feed feed) {
  SeededRandom random{20261122};
  int accepted = 0;
  for (int round = 0; round < rounds; ++round)
    for (const std::string& sample : samples) {
      const std::string& other = samples[random.between(0, samples.size() - 1)];
      accepted += feed(mutated(sample, other, random)) ? 1 : 0;
    }
  return accepted;
}

TEST(TextFuzzSmoke, EverySampleIsAccepted) {
  EXPECT_EQ(feed_http(http_samples()[2]), 2);
  for (const std::string& text : http_samples()) EXPECT_GE(feed_http(text), 1) << text;
  for (const std::string& text : json_samples()) EXPECT_TRUE(feed_json(text)) << text;
  for (const std::string& text : config_samples()) EXPECT_TRUE(feed_config(text)) << text;
}

TEST(TextFuzzSmoke, MutatedRequests) {
  EXPECT_GT(feed_mutations(http_samples(), 2'000, feed_http), 500);
}

TEST(TextFuzzSmoke, MutatedJson) {
  EXPECT_GT(feed_mutations(json_samples(), 4'000, feed_json), 500);
}

TEST(TextFuzzSmoke, MutatedConfigurations) {
  EXPECT_GT(feed_mutations(config_samples(), 500, feed_config), 100);
}

}  // namespace
}  // namespace mainstay::fuzz
