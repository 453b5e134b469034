// Feeds bytes to what hears edge nodes: messages of a plant, each as a byte for its topic, a byte
// for its length, and its payload. Checks what must hold for any; a breach aborts the process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mainstay::fuzz {

// What is decoded encodes to the same again; a node is trusted only from its birth on; every
// message for the hub has an id and a JSON body. The number of messages for the hub.
int feed_sparkplug(std::string_view bytes);

std::vector<std::string> sparkplug_samples();

}  // namespace mainstay::fuzz
