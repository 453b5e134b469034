#include "tests/fuzz/text_fuzzer.hpp"

MAINSTAY_TEXT_FUZZER(http)
