// Feeds request bodies to the handlers of the API over the real state machine, and checks what must
// hold for any of them. A breach aborts the process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mainstay::fuzz {

// The first byte chooses the request (transaction, batch, entries, declaration, patch, token,
// member), the rest is its body. It is answered once, with JSON and never with an internal error; a
// refused transaction or posting changes nothing; a declaration and an entry that are accepted are
// written and read again to the same. The status of the answer.
int feed_body(std::string_view text);

// Requests that are accepted, where mutation starts.
std::vector<std::string> body_samples();

}  // namespace mainstay::fuzz
