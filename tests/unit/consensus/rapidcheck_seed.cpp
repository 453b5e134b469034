// Property tests are deterministic: RapidCheck draws from a fixed seed unless RC_PARAMS asks for
// another one.
#include <cstdlib>

namespace {

const bool seed_is_fixed = setenv("RC_PARAMS", "seed=2014 max_success=500", 0) == 0;

}  // namespace

namespace mainstay::consensus::testing {

bool property_seed_is_fixed() {
  return seed_is_fixed;
}

}  // namespace mainstay::consensus::testing
