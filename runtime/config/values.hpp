// The kinds of option values and how each is written: the same text in the file, the environment
// and a flag. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::config {

enum class Kind {
  integer,   // 3
  text,      // any
  path,      // a file or directory
  size,      // 256MiB; units B KiB MiB GiB TiB
  duration,  // 1500ms; units ms s m h
  boolean,   // true, false
  address,   // host:port, [::1]:port
  choice,    // one of the words of its range
  peers,     // 1@host:port/api=host:port, 2@…; in the file rather an array of tables
};
std::string_view to_string(Kind kind);

struct Endpoint {
  std::string host;  // without brackets
  std::uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;
};
// "host:port", with brackets around an IPv6 host.
std::string to_string(const Endpoint& endpoint);

// A node of the initial cluster.
struct Peer {
  NodeId id;
  std::string peer_address;  // host:port for other nodes
  std::string api_address;   // host:port for clients; "" not given

  bool operator==(const Peer&) const = default;
};

// The C++ type that holds a value of a kind.
template <Kind kind>
struct ValueOf {
  using Type = std::string;
};
template <>
struct ValueOf<Kind::integer> {
  using Type = std::uint64_t;
};
template <>
struct ValueOf<Kind::size> {
  using Type = std::uint64_t;  // bytes
};
template <>
struct ValueOf<Kind::duration> {
  using Type = Millis;
};
template <>
struct ValueOf<Kind::boolean> {
  using Type = bool;
};
template <>
struct ValueOf<Kind::peers> {
  using Type = std::vector<Peer>;
};

// All: invalid_argument with what is expected.
Result<std::uint64_t> parse_integer(std::string_view text);
Result<std::uint64_t> parse_size(std::string_view text);
Result<Millis> parse_duration(std::string_view text);
Result<bool> parse_boolean(std::string_view text);
Result<Endpoint> parse_endpoint(std::string_view text);
Result<std::vector<Peer>> parse_peers(std::string_view text);

// Number of single-character edits between two words: for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace mainstay::config
