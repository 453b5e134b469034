// The mutation gate of the integration hub (`./check --mutants`): the tests of its workers, once
// for each planted bug, each time in a process of its own. Every bug must make some test fail, and
// without one all must pass.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/mutant.hpp"

namespace {

struct Mutant {
  const char* name;
  const char* sentence;
};

constexpr Mutant mutants[] = {
#define X(name, sentence) {#name, sentence},
#include "tests/unit/integration/mutants.def"
#undef X
};

constexpr unsigned seconds_max = 120;

// Whether a test failed; a process that ends in another way counts as caught too.
bool is_caught(const char* mutant) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(seconds_max);
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    mainstay::active_mutant = mutant;
    testing::FLAGS_gtest_fail_fast = true;  // one is enough
    std::_Exit(RUN_ALL_TESTS());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (is_caught("")) {
    std::puts("the tests fail without a planted bug");
    return EXIT_FAILURE;
  }
  std::size_t caught = 0;
  for (const Mutant& mutant : mutants) {
    const bool good = is_caught(mutant.name);
    caught += good ? 1 : 0;
    std::printf("%-28s %-8s %s\n", mutant.name, good ? "caught" : "MISSED", mutant.sentence);
    std::fflush(stdout);
  }
  std::printf("%zu of %zu mutants caught\n", caught, std::size(mutants));
  return caught == std::size(mutants) ? EXIT_SUCCESS : EXIT_FAILURE;
}
