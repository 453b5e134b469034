#include "runtime/api/gate.hpp"

#include <gtest/gtest.h>

namespace mainstay::api {
namespace {

constexpr MonotonicTime start = MonotonicTime{} + Millis{3'600'000};
constexpr Millis one{limits::denial_entry_ms};

TEST(Gate, LooksAreBounded) {
  Gate gate;
  for (std::size_t i = 0; i < limits::token_looks_max; ++i) EXPECT_TRUE(gate.begin_look());
  EXPECT_FALSE(gate.begin_look());
  gate.end_look();
  EXPECT_TRUE(gate.begin_look());
  EXPECT_FALSE(gate.begin_look());
}

TEST(Gate, DenialsAreToldAFewAtOnceThenOneAMinuteWithTheNumberOfTheOthers) {
  Gate gate;
  for (std::size_t i = 0; i < limits::denial_entries_max; ++i)
    EXPECT_EQ(gate.tell_denial(start), 0u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(gate.tell_denial(start + one / 2), std::nullopt);
  EXPECT_EQ(gate.tell_denial(start + one), 5u);
  EXPECT_EQ(gate.tell_denial(start + one), std::nullopt);
  // A quiet time saves up no more than the first few.
  for (std::size_t i = 0; i < limits::denial_entries_max; ++i)
    EXPECT_TRUE(gate.tell_denial(start + 1000 * one).has_value());
  EXPECT_EQ(gate.tell_denial(start + 1000 * one), std::nullopt);
}

}  // namespace
}  // namespace mainstay::api
