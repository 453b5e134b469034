// Planted bugs for the mutation gate (`./check --mutants`). In a normal build MUTANT(name) is the
// constant false and the bug does not exist; with MAINSTAY_MUTANTS the simulator switches one on by
// name. tests/sim/mutants.def lists and explains them all.
#pragma once

#ifdef MAINSTAY_MUTANTS

namespace mainstay {
// The name of the one active mutant, "" for none. Set by the simulator's main before anything else
// runs.
inline const char* active_mutant = "";
namespace detail {
constexpr bool same(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) ++a, ++b;
  return *a == *b;
}
}  // namespace detail
}  // namespace mainstay
#define MUTANT(name) (::mainstay::detail::same(::mainstay::active_mutant, #name))

#else

#define MUTANT(name) false

#endif
