// Is a history of reads and conditional writes of one record explained by some order in which each
// took effect at one moment between its call and its answer? Search after Wing and Gong ("Testing
// and verifying concurrent objects", 1993) with the memory of visited configurations of Lowe
// (2017). Calls without an answer may have taken effect once, at any time after the call, or never.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace mainstay::history {

inline constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

// One call on one record. Values are small numbers that the workload makes unique; 0 stands for
// "absent".
struct Call {
  enum class Kind : std::uint8_t { read, put, remove };
  enum class Demand : std::uint8_t { none, version_is, must_exist, must_be_absent };
  enum class Answer : std::uint8_t {
    none,     // time-out: unknown
    done,     // read: `version` and `value` as seen; write: `version` after it
    refused,  // the demand did not hold; `version` as found
  };

  Kind kind = Kind::read;
  Demand demand = Demand::none;
  std::uint64_t demanded_version = 0;
  std::uint64_t value = 0;  // put: written; read: seen
  std::uint64_t called = 0;
  std::uint64_t answered = never;
  Answer answer = Answer::none;
  std::uint64_t version = 0;
  std::string label;  // for people
};

struct Judgement {
  enum class Verdict : std::uint8_t { linearizable, violated, undecided };
  Verdict verdict = Verdict::linearizable;
  std::string
      explanation;  // violated: the longest explained order and the calls that fit nowhere after it
};

// `steps_max` bounds the search; beyond it the verdict is undecided.
Judgement judge(std::vector<Call> calls, std::uint64_t steps_max = 2'000'000);

std::string to_string(const Call& call);

}  // namespace mainstay::history
