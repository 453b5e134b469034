// Which actors of a node have a thread of their own, and why: what they do may block, or must not
// be held up by others. The rest never blocks: what a write or a read waits for runs on the network
// thread (kit::NetworkActor), everything else shares the scheduler's threads. Only what is listed
// here is spawned detached (children.cpp), beside the group's supervisor, whose start functions
// open files.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace mainstay::node {

struct DetachedActor {
  std::string_view name;
  std::string_view why;
};

inline constexpr std::array<DetachedActor, 7> detached_actors{{
    {"log_writer", "waits for the disk at every commit"},
    {"applier", "writes the records, and waits while a snapshot is installed"},
    {"copier", "copies all records"},
    {"snapshots", "reads and stages pieces of snapshots, looks at the disk"},
    {"scrubber", "reads everything that is stored"},
    {"adapter_host", "asks the cluster and waits; so do the workers of its adapters"},
    {"steward", "forming a cluster writes to the disk"},
}};

constexpr bool is_detached(std::string_view name) {
  return std::any_of(detached_actors.begin(), detached_actors.end(),
                     [name](const DetachedActor& actor) { return actor.name == name; });
}

}  // namespace mainstay::node
