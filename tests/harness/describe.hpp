// Consensus values as one line of text, for transcripts.
#pragma once

#include <string>

#include "runtime/consensus/core.hpp"

namespace mainstay::harness {

std::string_view to_string(consensus::MessageType type);
std::string describe(const consensus::Entry& entry);
std::string describe(const consensus::Message& message);
std::string describe(const consensus::Membership& membership);
std::string describe(const consensus::Persist& persist);

}  // namespace mainstay::harness
