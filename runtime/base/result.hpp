// Result<T>: a value or an Error. Used for everything the outside world can do to us; our own
// mistakes are ASSERTs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

#include "runtime/base/assert.hpp"

namespace mainstay {

// The kinds of failure; errc.def is the table that defines them.
enum class Errc {
#define X(name, status, exit_code, title) name,
#include "runtime/base/errc.def"
#undef X
};

// Stable name of the kind ("not_found"): problem type, log field, test expectation.
std::string_view to_string(Errc code);
// The kind with this name; nothing for a name this release does not know. Kinds are stored and sent
// by name, never by number.
std::optional<Errc> errc_of(std::string_view name);
std::string_view title_of(Errc code);
int http_status_of(Errc code);
int exit_code_of(Errc code);

// What went wrong: the kind for programs, the message for people (what, where, what to do).
struct Error {
  Errc code = Errc::internal;
  std::string message;

  bool operator==(const Error&) const = default;
};

// "not_found: collection 'orders' holds no record 'A-1'"
std::string to_string(const Error& error);

using Failure = tl::unexpected<Error>;

// return fail(Errc::not_found, "collection 'orders' holds no record 'A-1'");
inline Failure fail(Errc code, std::string message) {
  return Failure{Error{code, std::move(message)}};
}

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
 public:
  using tl::expected<void, Error>::expected;
};

}  // namespace mainstay

// Leaves the function with the error of `expression` (a Result<void>).
#define TRY(expression)                                                           \
  do {                                                                            \
    auto try_result_ = (expression);                                              \
    if (!try_result_) return ::mainstay::Failure{std::move(try_result_).error()}; \
  } while (false)

#define MAINSTAY_CONCAT_(a, b) a##b
#define MAINSTAY_CONCAT(a, b) MAINSTAY_CONCAT_(a, b)
#define MAINSTAY_TRY_ASSIGN_(name, declaration, expression)       \
  auto name = (expression);                                       \
  if (!name) return ::mainstay::Failure{std::move(name).error()}; \
  declaration = std::move(*name)
// TRY_ASSIGN(auto file, fs.open(path)): declares `file`, or leaves the function with the error.
#define TRY_ASSIGN(declaration, expression) \
  MAINSTAY_TRY_ASSIGN_(MAINSTAY_CONCAT(try_value_, __LINE__), declaration, expression)
