// Takes secrets out of texts that leave the host: tokens, hashes of tokens, private keys. Pure.
#pragma once

#include <string>

namespace mainstay::tool {

// "mst_abcdefgh_…" keeps its id, "sha256:…" nothing, a PEM private key only its frame.
std::string redacted(const std::string& text);

}  // namespace mainstay::tool
