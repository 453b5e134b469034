// Feeds bytes to decoders and checks what must hold for any bytes: the decoder returns, and what it
// accepts is a value that this release writes and reads again unchanged. A breach aborts the
// process.
#pragma once

#include <string>
#include <string_view>

#include "runtime/wire/seal.hpp"

namespace mainstay::fuzz {

// The bytes as they are, into the decoder of this kind. True if they were accepted.
bool feed(wire::SealKind kind, std::string_view bytes);

// The same bytes with segment table, kind and checksum put right first, so that they get past the
// seal to what Cap'n Proto makes of them.
bool feed_resealed(wire::SealKind kind, std::string_view bytes);

// Into every decoder, both ways. The number of decoders that accepted them.
int feed_all(std::string_view bytes);

}  // namespace mainstay::fuzz
