// What a failed statement means for the hub, by its SQLSTATE (PostgreSQL 15, appendix A). Pure.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters::postgres {

// Why a statement did not give a result.
struct SqlFailure {
  std::string sqlstate;  // "": the server did not answer
  std::string message;
  bool timed_out = false;  // our own deadline passed while the server said nothing
};

// Text for people: the message and its SQLSTATE.
std::string to_string(const SqlFailure& failure);

// How far a transaction had come when it failed.
enum class Stage {
  before_commit,  // COMMIT was not sent: the server rolls back whatever it has
  commit_sent,    // without an answer, both is possible
};

integration::Verdict verdict_of(const SqlFailure& failure, Stage stage);

// For reading: unavailable and deadline_exceeded (again later), unauthorized and invalid_argument
// (people must look).
Error error_of(const SqlFailure& failure);

}  // namespace mainstay::adapters::postgres
