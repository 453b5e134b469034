// What the log's journal holds: each frame is one write() of the log store. Private to
// runtime/store.
//
//   frame   := persist …
//   persist := parts:u8 (1 snapshot, 2 truncation, 4 hard state) ∙ [snapshot:text] ∙
//   [truncate_from:u64] ∙ entries:u32 ∙ entry:text … ∙
//              [hard_state:text]
//   text    := bytes:u32 ∙ what wire::encode() made of it
//   Little-endian.
#pragma once

#include <string>
#include <vector>

#include "runtime/consensus/core.hpp"
#include "runtime/store/journal.hpp"

namespace mainstay::store {

std::string encode_frame(const std::vector<const consensus::Persist*>& persists);
// Marks are not kept: they mean nothing in another life. Errors: corrupt, wrong_version.
Result<std::vector<consensus::Persist>> decode_frame(std::string_view frame);

// The note of the log's checkpoint.
std::string encode_position(const Journal::Position& position);
Result<Journal::Position> decode_position(std::string_view note);

}  // namespace mainstay::store
