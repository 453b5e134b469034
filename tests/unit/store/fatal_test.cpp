#include "runtime/store/fatal.hpp"

#include <gtest/gtest.h>

namespace mainstay::store {
namespace {

TEST(StopProcess, EndsWithAnInputOutputErrorAndSaysWhy) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(stop_process()(Error{Errc::corrupt, "record 7 is damaged"}),
              ::testing::ExitedWithCode(74), "corrupt: record 7 is damaged");
}

}  // namespace
}  // namespace mainstay::store
