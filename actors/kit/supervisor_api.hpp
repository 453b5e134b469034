// Messages that a supervisor understands, and what it tells about its children.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/actor.hpp>

#include "actors/kit/type_ids.hpp"

namespace mainstay::kit {

enum class ChildState : std::uint8_t { stopped, running, stopping, ended };
std::string_view to_string(ChildState state);

struct ChildStatus {
  std::string name;
  ChildState state = ChildState::stopped;
  bool critical = false;
  std::uint64_t restarts = 0;  // since the supervisor started
  caf::actor_id actor = 0;     // 0: not running
  std::string last_end;        // why it last ended, "" if it never did
};

// Answered by ChildList: children in start order.
struct ListChildren {};
struct ChildList {
  std::vector<ChildStatus> children;
};

// Answered by ChildFound; `child` is empty while it does not run.
struct FindChild {
  std::string name;
};
struct ChildFound {
  caf::actor child;
};

// Timer of the supervisor: a child that was asked to stop has had its time.
struct ShutdownTick {
  std::size_t child = 0;
  std::uint64_t round = 0;
};

}  // namespace mainstay::kit

MAINSTAY_BEGIN_MESSAGES(kit)
MAINSTAY_MESSAGE(kit, mainstay::kit::ChildFound)
MAINSTAY_MESSAGE(kit, mainstay::kit::ChildList)
MAINSTAY_MESSAGE(kit, mainstay::kit::FindChild)
MAINSTAY_MESSAGE(kit, mainstay::kit::ListChildren)
MAINSTAY_MESSAGE(kit, mainstay::kit::ShutdownTick)
MAINSTAY_END_MESSAGES(kit)
