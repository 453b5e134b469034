#include "tests/fuzz/feed_sparkplug.hpp"
#include "tests/fuzz/text_fuzzer.hpp"

MAINSTAY_TEXT_FUZZER(sparkplug)
