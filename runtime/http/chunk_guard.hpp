// A mistake of Boost.Beast 1.81 that anybody on the network could end the process with: its parser
// asserts that at least five bytes of the last chunk ("0", CRLF, CRLF) are there when it is called
// again with more of it, but a body without any chunk before may come in smaller pieces. Internal
// to runtime/http. Corrected upstream in 2024 (boostorg/beast, pull request 2861), not in
// Debian 12.
#pragma once

#include <cstddef>

namespace mainstay::http {

// True while bytes must be kept back until there are more of them: no chunked message ends with
// fewer than these, wherever in its body they are.
template <class Parser>
bool must_wait_for_more(const Parser& parser, std::size_t bytes) {
  constexpr std::size_t last_chunk_bytes = 5;
  return parser.is_header_done() && !parser.is_done() && parser.chunked() &&
         bytes < last_chunk_bytes;
}

}  // namespace mainstay::http
