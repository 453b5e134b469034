// What clients saw, and that an answer which no order explains fails the check.
#include "runtime/torture/registers.hpp"

#include <gtest/gtest.h>

namespace mainstay::torture {
namespace {

using history::Call;

class RegistersTest : public ::testing::Test {
 protected:
  RegistersTest() { evidence_.expect(check::linearizable, "calls"); }

  static Answer answer(int status, std::uint64_t began, std::uint64_t ended, std::uint64_t version,
                       const std::string& body = {}) {
    Answer found;
    found.status = status;
    found.began = began;
    found.ended = ended;
    found.version = version;
    found.body = body;
    return found;
  }

  static Call put(std::uint64_t value) {
    Call call;
    call.kind = Call::Kind::put;
    call.value = value;
    return call;
  }

  void happen(Millis when, std::size_t record, const Call& call, const Answer& answer) {
    const auto begun = history_.begin(when, record);
    history_.end(begun, seen(call, answer));
  }

  Check result() { return evidence_.checks().front(); }

  Evidence evidence_;
  RegisterHistory history_{evidence_};
};

TEST_F(RegistersTest, AnHonestHistoryPasses) {
  happen(Millis{1}, 0, put(7), answer(201, 10, 20, 1));
  happen(Millis{2}, 0, {}, answer(200, 30, 40, 1, "7"));
  happen(Millis{3}, 0, put(8), answer(0, 50, 90, 0));  // unknown, and it did happen
  happen(Millis{4}, 0, {}, answer(200, 100, 110, 2, "8"));
  history_.judge_rest();
  EXPECT_TRUE(result().passed());
  EXPECT_EQ(result().looked, 4U);
}

TEST_F(RegistersTest, AStaleReadIsFound) {
  happen(Millis{1}, 2, put(7), answer(201, 10, 20, 1));
  happen(Millis{2}, 2, put(8), answer(200, 30, 40, 2));
  happen(Millis{3}, 2, {}, answer(200, 50, 60, 1, "7"));
  history_.judge_rest();
  EXPECT_EQ(result().wrong, 1U);
  EXPECT_NE(result().findings.front().find("no order explains"), std::string::npos);
}

TEST_F(RegistersTest, ALostWriteIsFound) {
  happen(Millis{1}, 0, put(7), answer(201, 10, 20, 1));
  happen(Millis{2}, 0, {}, answer(404, 30, 40, 0));
  history_.judge_rest();
  EXPECT_EQ(result().wrong, 1U);
}

TEST_F(RegistersTest, AWriteThatTookEffectTwiceIsFound) {
  happen(Millis{1}, 0, put(7), answer(201, 10, 20, 1));
  happen(Millis{2}, 0, {}, answer(200, 30, 40, 2, "7"));
  history_.judge_rest();
  EXPECT_EQ(result().wrong, 1U);
}

TEST_F(RegistersTest, AWindowIsJudgedWhenItsLastCallHasEnded) {
  const auto slow = history_.begin(Millis{1}, 0);
  happen(register_window + Millis{1}, 0, put(9), answer(201, 10, 20, 1));
  EXPECT_EQ(result().looked, 0U) << "a call into the first one is open";
  history_.end(slow, seen(put(7), answer(201, 5, 30, 1)));
  EXPECT_EQ(result().looked, 1U);
  happen(2 * register_window + Millis{1}, 0, {}, answer(404, 40, 50, 0));
  EXPECT_EQ(result().looked, 2U);
}

TEST_F(RegistersTest, RecordsAreJudgedApart) {
  happen(Millis{1}, 0, put(7), answer(201, 10, 20, 1));
  happen(Millis{2}, 1, {}, answer(404, 30, 40, 0));
  history_.judge_rest();
  EXPECT_TRUE(result().passed());
}

}  // namespace
}  // namespace mainstay::torture
