// How a well-behaved client asks: first the node it belongs to, then, when that does not answer
// soon or cannot serve, the others in turn, always under the same operation id, until there is a
// definite answer or its patience ends. Every request is put into the timeline.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/http/client.hpp"
#include "runtime/torture/timeline.hpp"

namespace mainstay::torture {

struct Answer {
  int status = 0;  // 0: none that is definite; the request may have been carried out, or may yet be
  std::string body;
  std::uint64_t version = 0;   // of the record, as the ETag says; 0: none
  std::uint64_t revision = 0;  // of the commit
  std::uint64_t began = 0;     // nanoseconds, of one clock for all
  std::uint64_t ended = 0;
  std::uint32_t node = 0;  // that answered

  bool good() const { return status >= 200 && status < 300; }
};

struct Ask {
  http::Method method = http::Method::get;
  std::string target;
  std::string body = {};
  std::string operation = {};  // of a write
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// Thread-safe.
class Courier {
 public:
  // `home`: from 0, the place of its node among `endpoints`.
  Courier(std::vector<config::Endpoint> endpoints, std::size_t home, Timeline& timeline);

  // Blocks for at most `patience`.
  Answer ask(const Ask& ask, Millis patience = Millis{10'000});
  // The same, not counted: of checks, not of the load.
  Answer ask_quietly(const Ask& ask, Millis patience = Millis{10'000});
  // Of one node alone, once.
  Answer ask_node(std::uint32_t node, const Ask& ask, Millis wait = Millis{1000});

  enum class Fate : std::uint8_t { committed, refused, never, unknown };
  // What became of an operation without an answer; from then on it cannot happen any more. Waits
  // until there is a quorum again, at most `patience`.
  Fate settle(const std::string& operation, Millis patience = Millis{60'000});

 private:
  Answer try_node(std::size_t place, const Ask& ask, Millis wait);
  std::size_t first_place();
  void stay_at(std::size_t place);

  const std::vector<config::Endpoint> endpoints_;
  const std::size_t home_;
  Timeline& timeline_;
  // Where it goes first: to its own node, or for a while to the one that answered when that did
  // not.
  std::atomic<std::size_t> place_;
  std::atomic<std::int64_t> away_since_ns_{0};
  http::Client client_;
};

// Members of a JSON object; 0, "", false: not there.
std::uint64_t number_of(const json::Value& object, std::string_view name);
std::string text_of(const json::Value& object, std::string_view name);
bool flag_of(const json::Value& object, std::string_view name);
std::int64_t signed_in(std::string_view text);  // 0: no number
// The object that a body holds; null: none.
json::Value object_in(const std::string& body);

}  // namespace mainstay::torture
