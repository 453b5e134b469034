// Feeds text to the parsers that see the network or an operator's file, and checks what must hold
// for any text. A breach aborts the process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mainstay::fuzz {

// HTTP: the requests in a stream of bytes, through router and target decoding. Each is answered
// once, what was decoded encodes back to the same, and bytes that come one by one make the same
// requests as bytes that come at once. The number of requests.
int feed_http(std::string_view bytes);

// JSON: what is accepted is written and read again to the same value, and so is its canonical text.
// True if it was accepted.
bool feed_json(std::string_view text);

// The configuration file. True if it was accepted; else there is a message.
bool feed_config(std::string_view text);

// Texts that are accepted, where mutation starts.
std::vector<std::string> http_samples();
std::vector<std::string> json_samples();
std::vector<std::string> config_samples();

}  // namespace mainstay::fuzz
