#include "runtime/history/linearizability.hpp"

#include <gtest/gtest.h>

#include "runtime/base/random.hpp"

namespace mainstay::history {
namespace {

using Verdict = Judgement::Verdict;

Call put(std::uint64_t called, std::uint64_t answered, std::uint64_t value, std::uint64_t version) {
  Call call;
  call.kind = Call::Kind::put;
  call.called = called;
  call.answered = answered;
  call.value = value;
  call.version = version;
  call.answer = answered == never ? Call::Answer::none : Call::Answer::done;
  return call;
}

Call read(std::uint64_t called, std::uint64_t answered, std::uint64_t value,
          std::uint64_t version) {
  Call call = put(called, answered, value, version);
  call.kind = Call::Kind::read;
  return call;
}

Call remove(std::uint64_t called, std::uint64_t answered, std::uint64_t version) {
  Call call = put(called, answered, 0, version);
  call.kind = Call::Kind::remove;
  return call;
}

Call if_version(Call call, std::uint64_t version) {
  call.demand = Call::Demand::version_is;
  call.demanded_version = version;
  return call;
}

Call refused(Call call, std::uint64_t found) {
  call.answer = Call::Answer::refused;
  call.version = found;
  return call;
}

Verdict verdict(std::vector<Call> calls) {
  return judge(std::move(calls)).verdict;
}

TEST(Linearizability, AcceptsNothingAndSequences) {
  EXPECT_EQ(verdict({}), Verdict::linearizable);
  EXPECT_EQ(verdict({read(1, 2, 0, 0), put(3, 4, 7, 1), read(5, 6, 7, 1), remove(7, 8, 2),
                     read(9, 10, 0, 0), put(11, 12, 8, 3)}),
            Verdict::linearizable);
}

TEST(Linearizability, RejectsAStaleRead) {
  EXPECT_EQ(verdict({put(1, 2, 7, 1), put(3, 4, 8, 2), read(5, 6, 7, 1)}), Verdict::violated);
}

TEST(Linearizability, RejectsALostWrite) {
  EXPECT_EQ(verdict({put(1, 2, 7, 1), read(3, 4, 0, 0)}), Verdict::violated);
}

TEST(Linearizability, AcceptsEitherOrderOfConcurrentWrites) {
  EXPECT_EQ(verdict({put(1, 10, 7, 2), put(2, 9, 8, 1), read(11, 12, 7, 2)}),
            Verdict::linearizable);
  EXPECT_EQ(verdict({put(1, 10, 7, 1), put(2, 9, 8, 2), read(11, 12, 8, 2)}),
            Verdict::linearizable);
}

TEST(Linearizability, RejectsReadsThatGoBack) {
  EXPECT_EQ(verdict({put(1, 20, 7, 1), read(2, 3, 7, 1), read(4, 5, 0, 0)}), Verdict::violated);
}

TEST(Linearizability, UnansweredWriteMayHappenLateOrNever) {
  EXPECT_EQ(verdict({put(1, never, 7, 0), read(2, 3, 0, 0), read(4, 5, 7, 1)}),
            Verdict::linearizable);
  EXPECT_EQ(verdict({put(1, never, 7, 0), read(2, 3, 0, 0)}), Verdict::linearizable);
}

TEST(Linearizability, UnansweredWriteHappensAtMostOnce) {
  EXPECT_EQ(verdict({put(1, never, 7, 0), read(2, 3, 7, 1), put(4, 5, 8, 2), read(6, 7, 7, 3)}),
            Verdict::violated);
}

TEST(Linearizability, DoubledWriteShowsInTheVersion) {
  EXPECT_EQ(verdict({put(1, 2, 7, 1), read(3, 4, 7, 2)}), Verdict::violated);
}

TEST(Linearizability, ConditionsAreChecked) {
  EXPECT_EQ(verdict({put(1, 2, 7, 1), if_version(put(3, 4, 8, 2), 1)}), Verdict::linearizable);
  EXPECT_EQ(verdict({put(1, 2, 7, 1), put(3, 4, 9, 2), if_version(put(5, 6, 8, 3), 1)}),
            Verdict::violated);
  EXPECT_EQ(verdict({put(1, 2, 7, 1), refused(if_version(put(3, 4, 8, 0), 1), 1)}),
            Verdict::violated);
}

TEST(Linearizability, TwoWinnersOfOneConditionAreRejected) {
  EXPECT_EQ(
      verdict({put(1, 2, 7, 1), if_version(put(3, 9, 8, 2), 1), if_version(put(4, 8, 9, 2), 1)}),
      Verdict::violated);
}

TEST(Linearizability, ExplanationNamesTheCallThatFitsNowhere) {
  const Judgement judgement = judge({put(1, 2, 7, 1), read(3, 4, 0, 0)});
  EXPECT_NE(judgement.explanation.find("value 0"), std::string::npos) << judgement.explanation;
}

// Histories made by running a register in a random order inside random intervals are accepted; with
// one answer falsified they are not.
TEST(Linearizability, GeneratedHistories) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random{seed};
    std::vector<Call> calls;
    std::uint64_t version = 0;
    std::uint64_t value = 0;
    for (std::uint64_t at = 10; at < 600; at += 10) {
      const std::uint64_t called = at - random.between(0, 25) % at;
      const std::uint64_t answered = at + random.between(1, 25);
      if (random.between(0, 1) == 0) {
        calls.push_back(read(called, answered, value, version));
      } else {
        value = at;
        ++version;
        const bool lost = random.between(0, 5) == 0;
        calls.push_back(put(called, lost ? never : answered, value, version));
      }
    }
    ASSERT_EQ(verdict(calls), Verdict::linearizable) << seed;
    calls.push_back(read(1000, 1001, value, version + 1));
    ASSERT_EQ(verdict(calls), Verdict::violated) << seed;
  }
}

}  // namespace
}  // namespace mainstay::history
