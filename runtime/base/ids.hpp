// Identifiers. Each is its own type, so that a node id cannot be passed where a group id is wanted.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace mainstay {

template <class Tag>
struct NumericId {
  std::uint64_t value = 0;

  constexpr explicit operator bool() const { return value != 0; }
  auto operator<=>(const NumericId&) const = default;
};

// A host's place in the cluster, given by the operator, 1 or more; 0 means "none".
using NodeId = NumericId<struct NodeTag>;
// One life of a node's disk: made at random when a data directory is initialised. A node that lost
// its disk has another incarnation and is therefore another member, even under the same node id. 0
// means "none".
using Incarnation = NumericId<struct IncarnationTag>;
// One life of a process: made at random at every start.
using BootId = NumericId<struct BootTag>;
// One Raft group; there is one a cluster today.
using GroupId = NumericId<struct GroupTag>;

inline constexpr GroupId first_group{1};

// 128 random bits, printed as 32 lower-case hexadecimal digits.
template <class Tag>
struct WideId {
  std::array<std::uint64_t, 2> words{};  // most significant first

  constexpr explicit operator bool() const { return words[0] != 0 || words[1] != 0; }
  auto operator<=>(const WideId&) const = default;
};

using ClusterId = WideId<struct ClusterTag>;

std::string hex_of(const std::array<std::uint64_t, 2>& words);
Result<std::array<std::uint64_t, 2>> words_of_hex(std::string_view text);

template <class Tag>
std::string to_string(const NumericId<Tag>& id) {
  return std::to_string(id.value);
}

template <class Tag>
std::string to_string(const WideId<Tag>& id) {
  return hex_of(id.words);
}

}  // namespace mainstay

template <class Tag>
struct std::hash<mainstay::NumericId<Tag>> {
  std::size_t operator()(const mainstay::NumericId<Tag>& id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value);
  }
};
