#include "tests/fuzz/feed_body.hpp"
#include "tests/fuzz/text_fuzzer.hpp"

MAINSTAY_TEXT_FUZZER(body)
