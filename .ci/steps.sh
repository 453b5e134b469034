# Sourced by ./check: its steps. Each is one function that returns non-zero when it fails.
# shellcheck shell=bash

# The C++ files that belong to the tree; in an unpacked archive without git, all there are.
cpp_files() {
  if git -C "$top" rev-parse --git-dir >/dev/null 2>&1; then
    git -C "$top" ls-files -- '*.cpp' '*.hpp' | while read -r file; do [ ! -f "$file" ] || say "$file"; done
  else
    find runtime actors tests bench -name '*.cpp' -o -name '*.hpp' | sort
  fi
}

check_format() {
  local bad
  bad=$(cpp_files | xargs -r -n 16 -P "$(jobs)" clang-format --dry-run 2>&1 | sed -n 's/^\([^:]*\):[0-9].*/\1/p' | sort -u)
  [ -z "$bad" ] || { say "not formatted; run: clang-format -i" $bad && return 1; }
}

# run_tests DIR [ctest options]
run_tests() {
  local dir=$1
  shift
  # Counterparts are installed by ./check --integration only.
  [[ " $* " == *" -L"* ]] || set -- "$@" -LE integration
  ctest --test-dir "$dir" --output-on-failure --no-tests=error --timeout 300 -j "$(jobs)" \
    ${pattern:+-R "$pattern"} "$@"
}

# Installs the counterparts of the integration tests. The tests start what they need; no service of a package starts, now or with the
# machine. What was installed before is left as it is.
ensure_counterparts() {
  local before package
  ensure_tools peer
  [ -n "$(missing_of integration)" ] || return 0
  before=$(dpkg-query -W -f '${Package} ')
  without_services ensure_packages integration || return 1
  set --
  for package in $(dpkg-query -W -f '${Package} '); do
    [[ " $before" == *" $package "* ]] || set -- "$@" "$package"
  done
  leave_services_off "$@"
}

# Runs a command while packages may start nothing: Debian asks this file. One that forbids everything already is left alone.
without_services() (
  policy=/usr/sbin/policy-rc.d
  if [ -x $policy ]; then
    answer=0
    as_root $policy any-service start >/dev/null 2>&1 || answer=$?
    if [ "$answer" = 101 ]; then
      "$@"
      exit
    fi
    as_root mv $policy $policy.before-check
  fi
  trap 'as_root rm -f $policy; [ ! -e $policy.before-check ] || as_root mv $policy.before-check $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null && as_root chmod 755 $policy && "$@"
)

# leave_services_off PACKAGE...: what was just installed does not start with the machine either, whichever init it has.
leave_services_off() {
  local script units=()
  [ $# -gt 0 ] || return 0
  for script in $(dpkg -L "$@" | sed -n 's,^/etc/init\.d/\([^/]*\)$,\1,p' | sort -u); do
    as_root update-rc.d "$script" disable || say "The service $script may start with the machine."
  done
  command -v systemctl >/dev/null || return 0
  # shellcheck disable=SC2207
  units=($(dpkg -L "$@" | sed -nE 's,^(/usr)?/lib/systemd/system/([^/@]+\.(service|socket|timer))$,\2,p' | sort -u))
  [ ${#units[@]} -gt 0 ] || return 0
  as_root systemctl --quiet disable "${units[@]}" || say "These services may start with the machine: ${units[*]}"
}

# --- clang-tidy ---

# A build directory for clang-tidy alone: without precompiled headers, which clang cannot read from gcc.
tidy_directory() {
  configure build/tidy -DMAINSTAY_PCH=OFF && build_in build/tidy --target mainstay_generated
}

# Reads file names; checks those that are compiled and were not clean before.
tidy_files() { .ci/tidy build/tidy "$(jobs)"; }

# Changed: since the upstream branch, or the last commit where there is none; and what is not committed.
changed_files() {
  local base
  base=$(git -C "$top" merge-base HEAD '@{upstream}' 2>/dev/null) || base=HEAD~1
  [ "$base" != "$(git -C "$top" rev-parse HEAD 2>/dev/null)" ] || base=HEAD~1
  git -C "$top" diff --name-only --diff-filter=d "$base" -- '*.cpp' 2>/dev/null
}

# At most this many on every run, to keep it short; --all checks every file.
changed_files_max=24

tidy_changed() {
  local changed
  changed=$(changed_files) || { say "no history to compare with: ./check --all checks every file" && return 0; }
  [ -n "$changed" ] || { say "no changed file" && return 0; }
  if [ "$(wc -l <<<"$changed")" -gt $changed_files_max ]; then
    say "more than $changed_files_max changed files: the first ones here, every file in ./check --all"
  fi
  tidy_directory && head -n $changed_files_max <<<"$changed" | tidy_files
}

tidy_all() { tidy_directory && cpp_files | grep '\.cpp$' | tidy_files; }

# --- ./check --all ---

check_all() {
  step "packages of --all" ensure_packages all
  step "clang-tidy of all files" tidy_all
  step "clang with ASan and UBSan: build" address_sanitizer_build
  step "clang with ASan and UBSan: tests" run_tests build/asan -LE 'fuzz|integration'
  step "fuzz smoke" run_tests build/asan -L fuzz
  step "TSan: build" thread_sanitizer_build
  step "TSan: tests" thread_sanitizer_tests
  step "coverage" coverage
  step "more seeds" more_seeds
}

# One build with clang for its warnings, for the sanitizers and for the fuzzers: each alone would cost as much.
address_sanitizer_build() {
  configure build/asan -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang -DMAINSTAY_SANITIZE=address,undefined -DMAINSTAY_FUZZ=ON \
    -DMAINSTAY_BENCH=OFF && build_in build/asan
}

thread_sanitizer_build() {
  configure build/tsan -DMAINSTAY_BENCH=OFF -DMAINSTAY_SANITIZE=thread && build_in build/tsan
}

# The sanitizer needs the addresses of the program at their usual place: without randomization, where that can be switched off.
thread_sanitizer_tests() {
  local -x TSAN_OPTIONS="suppressions=$top/.ci/tsan.suppressions"
  if setarch -R true 2>/dev/null; then
    setarch -R bash -c 'top=$1 pattern=$2 && . "$top/.ci/setup.sh" && . "$top/.ci/steps.sh" && run_tests build/tsan' - "$top" "$pattern"
  else
    run_tests build/tsan
  fi
}

# Line coverage of what the tests reach, with a floor that only goes up.
coverage_percent_min=80

coverage() {
  configure build/coverage -DMAINSTAY_COVERAGE=ON -DMAINSTAY_BENCH=OFF -DCMAKE_BUILD_TYPE=Debug &&
    build_in build/coverage || return 1
  find build/coverage -name '*.gcda' -delete
  run_tests build/coverage -LE 'slow|integration' &&
    gcovr --root . --filter runtime/ --filter actors/ --print-summary --fail-under-line $coverage_percent_min \
      --exclude-throw-branches --output build/coverage/coverage.txt build/coverage
}

# --- the simulator ---

sim_seeds=2000         # each with its faults, 3 to 7 nodes
liveness_seeds=1000    # faults end, then a healed majority must elect and commit in time
mutant_seeds_max=10000 # within which every planted bug must be caught

more_seeds() {
  build/check/tests/sim/mainstay-sim --seeds $sim_seeds --nodes mix --jobs "$(jobs)" --quiet &&
    build/check/tests/sim/mainstay-sim --seeds $liveness_seeds --nodes mix --liveness --jobs "$(jobs)" --quiet
}

mutation_gate() {
  build_in build/check --target mainstay-sim-mutants mainstay-hub-mutants &&
    build/check/tests/unit/integration/mainstay-hub-mutants &&
    build/check/tests/sim/mainstay-sim-mutants --gate --seeds $mutant_seeds_max --jobs "$(jobs)"
}
