#include "actors/adapters/postgres/sqlstate.hpp"

#include <array>
#include <utility>

namespace mainstay::adapters::postgres {

namespace {

using integration::Verdict;

enum class Kind { silent, ended, busy, denied, missing, refused };

bool begins(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

struct ClassRow {
  std::string_view start;  // of the SQLSTATE; the first row that fits counts
  Kind kind;
};

constexpr std::array rows{
    ClassRow{"08", Kind::ended},      // connection exception
    ClassRow{"57P", Kind::ended},     // the server shuts down, starts up, crashed
    ClassRow{"58", Kind::busy},       // the server's own system fails
    ClassRow{"57014", Kind::busy},    // statement_timeout
    ClassRow{"25006", Kind::busy},    // read only: a standby, for now
    ClassRow{"25P03", Kind::ended},   // idle in a transaction for too long: cut off
    ClassRow{"40", Kind::busy},       // serialization failure, deadlock
    ClassRow{"53", Kind::busy},       // no memory, disk, connection left
    ClassRow{"55P03", Kind::busy},    // lock_timeout
    ClassRow{"55006", Kind::busy},    // object in use
    ClassRow{"XX", Kind::busy},       // internal error
    ClassRow{"28", Kind::denied},     // wrong user or password
    ClassRow{"42501", Kind::denied},  // no right to this table
    ClassRow{"3D", Kind::missing},    // no such database
    ClassRow{"3F", Kind::missing},    // no such schema
    ClassRow{"42", Kind::missing},    // no such table or column, wrong SQL
    ClassRow{"22", Kind::refused},    // a value that does not fit
    ClassRow{"23", Kind::refused},    // a constraint
    ClassRow{"P0", Kind::refused},    // RAISE in a trigger: the counterpart's own rule
};

Kind kind_of(const SqlFailure& failure) {
  if (failure.sqlstate.empty()) return Kind::silent;
  for (const ClassRow& row : rows)
    if (begins(failure.sqlstate, row.start)) return row.kind;
  return Kind::refused;
}

}  // namespace

std::string to_string(const SqlFailure& failure) {
  std::string text = failure.message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (!failure.sqlstate.empty()) text += " (SQLSTATE " + failure.sqlstate + ")";
  return text;
}

Verdict verdict_of(const SqlFailure& failure, Stage stage) {
  switch (kind_of(failure)) {
    case Kind::silent:
    case Kind::ended:
      return stage == Stage::commit_sent ? Verdict::unknown : Verdict::transient;
    case Kind::busy:
      return Verdict::transient;
    case Kind::denied:
      // A wrong login stops every effect alike and is mended by people: nothing must park for it.
      return begins(failure.sqlstate, "28") ? Verdict::transient : Verdict::refused;
    case Kind::missing:
      return begins(failure.sqlstate, "3D") ? Verdict::transient : Verdict::refused;
    case Kind::refused:
      return Verdict::refused;
  }
  return Verdict::refused;
}

Error error_of(const SqlFailure& failure) {
  switch (kind_of(failure)) {
    case Kind::silent:
      return {failure.timed_out ? Errc::deadline_exceeded : Errc::unavailable, to_string(failure)};
    case Kind::ended:
    case Kind::busy:
      return {Errc::unavailable, to_string(failure)};
    case Kind::denied:
      return {Errc::unauthorized, to_string(failure)};
    case Kind::missing:
    case Kind::refused:
      return {Errc::invalid_argument, to_string(failure)};
  }
  return {Errc::internal, to_string(failure)};
}

}  // namespace mainstay::adapters::postgres
