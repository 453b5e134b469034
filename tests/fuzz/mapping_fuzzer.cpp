#include "tests/fuzz/feed_mapping.hpp"
#include "tests/fuzz/text_fuzzer.hpp"

MAINSTAY_TEXT_FUZZER(mapping)
