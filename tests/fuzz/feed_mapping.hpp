// Feeds texts to mappings: the text of one, and a document for it behind a line "---". Checks what
// must hold for any; a breach aborts the process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mainstay::fuzz {

// A mapping that is accepted gives the same for the same document, within its limits, or says why
// not; the document's fingerprint is read again as it was written. True if there was a result.
bool feed_mapping(std::string_view text);

std::vector<std::string> mapping_samples();

}  // namespace mainstay::fuzz
