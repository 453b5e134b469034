// Numbers for the message types of all actors, and how an actor declares its messages.
//
// Each actor folder declares its messages at the end of its x_api.hpp, sorted by name, in the block
// that is reserved for it below:
//
//   MAINSTAY_BEGIN_MESSAGES(gateway)
//   MAINSTAY_MESSAGE(gateway, mainstay::gateway::CancelRequest)
//   MAINSTAY_MESSAGE(gateway, mainstay::gateway::SubmitCommand)
//   MAINSTAY_END_MESSAGES(gateway)
//
// These are local messages: plain structs that may hold anything copyable and default-constructible
// (shared pointers, functions), need no inspect function and cannot be serialized, so that they can
// never leave the process. CAF 0.17 matches local messages by C++ type; the numbers exist for a
// later CAF, where every message needs one. What leaves the process is one type, WireFrame.
#pragma once

#include <string>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/type_id.hpp>

namespace mainstay::kit::first_id {

// 50 numbers each. A new actor takes the next free block; blocks never move.
inline constexpr caf::type_id_t block_size = 50;
inline constexpr caf::type_id_t kit = 200;
inline constexpr caf::type_id_t peer_link = 250;
inline constexpr caf::type_id_t storage = 300;
inline constexpr caf::type_id_t replica = 350;
inline constexpr caf::type_id_t gateway = 400;
inline constexpr caf::type_id_t metrics = 450;
inline constexpr caf::type_id_t admin = 500;
inline constexpr caf::type_id_t node = 550;
inline constexpr caf::type_id_t adapters = 600;
inline constexpr caf::type_id_t backup = 650;
inline constexpr caf::type_id_t region = 700;
inline constexpr caf::type_id_t upgrade = 750;
inline constexpr caf::type_id_t tests = 10'000;  // messages that only tests know

static_assert(kit >= caf::first_custom_type_id);

}  // namespace mainstay::kit::first_id

#define MAINSTAY_BEGIN_MESSAGES(actor) \
  CAF_BEGIN_TYPE_ID_BLOCK(mainstay_##actor, ::mainstay::kit::first_id::actor)
#define MAINSTAY_MESSAGE(actor, type)       \
  CAF_ADD_TYPE_ID(mainstay_##actor, (type)) \
  CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
#define MAINSTAY_END_MESSAGES(actor)                                                          \
  CAF_END_TYPE_ID_BLOCK(mainstay_##actor)                                                     \
  static_assert(::caf::id_block::mainstay_##actor::end <=                                     \
                    ::mainstay::kit::first_id::actor + ::mainstay::kit::first_id::block_size, \
                "the block of actor " #actor " in actors/kit/type_ids.hpp is full");

// A message that an actor sends to itself only (its timers, answers of its threads): declared in
// its own header, without a number.
#define MAINSTAY_OWN_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)

namespace mainstay::kit {

// The one message that crosses between nodes; only actors/peer_link sends and receives it. Its
// bytes are our own (docs/decisions/0003), so that CAF's type layout is never part of what two
// versions must agree on.
struct WireFrame {
  std::string blob;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, WireFrame& x) {
  return f(caf::meta::type_name("frame"), x.blob);
}

}  // namespace mainstay::kit

// Numbered apart from the actors' blocks, at the end of the custom range: this number must never
// change.
CAF_BEGIN_TYPE_ID_BLOCK(mainstay_wire, 20'000)
CAF_ADD_TYPE_ID(mainstay_wire, (mainstay::kit::WireFrame))
CAF_END_TYPE_ID_BLOCK(mainstay_wire)
