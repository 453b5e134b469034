# Sourced by ./check and ./quickstart: what both need of the machine. Installs missing packages with apt and says which; everything else
# stays inside the tree's build directory.
# shellcheck shell=bash
# Wants: `top` (the root of the tree). Gives: say, die, jobs, step, ensure_packages GROUP..., ensure_tools, configure.

say() { printf '%s\n' "$*"; }
die() {
  printf '%s\n' "$*" >&2
  exit 1
}

jobs() { nproc 2>/dev/null || echo 2; }

# step "name" command...: runs it, prints how long it took; ends the run with its name if it fails.
step() {
  local name=$1 started=$SECONDS
  shift
  say "== $name"
  if ! "$@"; then die "== $name: FAILED after $((SECONDS - started)) s"; fi
  say "== $name: ok, $((SECONDS - started)) s"
}

# --- packages ---

packages_of() {
  local group
  for group in "$@"; do awk -v group="$group" '$1 == group { print $2 }' "$top/.ci/packages"; done
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# The packages of the groups that are not there yet. PACKAGE:PROGRAM is needed only where nobody else brought the program.
missing_of() {
  local row
  for row in $(packages_of "$@"); do
    installed "${row%%:*}" && continue
    [ "$row" != "${row#*:}" ] && command -v "${row#*:}" >/dev/null && continue
    say "${row%%:*}"
  done
}

# Installs them.
ensure_packages() {
  local missing=()
  # shellcheck disable=SC2207
  missing=($(missing_of "$@"))
  [ ${#missing[@]} -gt 0 ] || return 0
  local by_hand="apt-get install --no-install-recommends ${missing[*]}"
  command -v apt-get >/dev/null ||
    die "These Debian 12 packages are needed and there is no apt-get here: ${missing[*]}"
  say "These Debian packages are missing and will be installed: ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "That needs root, and there is no sudo. As root, run: $by_hand"
    say "That needs root: sudo may ask for your password."
  fi
  # An unreachable foreign repository must not stop us; a missing package does, in the next line.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q ||
    say "apt-get update reported errors; trying with the package lists that are there."
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "${missing[@]}" >"$top/build/apt.log" 2>&1 || {
    tail -n 30 "$top/build/apt.log" >&2
    die "apt-get failed (the whole output is in build/apt.log). By hand, as root: $by_hand"
  }
}

# Puts single programs of the packages of the groups (`tool`, unless others are named) into build/tools and on the PATH; nothing is
# installed, so that no service starts.
ensure_tools() {
  export PATH="$PATH:$top/build/tools"
  local row
  for row in $(packages_of "${@:-tool}"); do
    command -v "${row#*:}" >/dev/null || unpack_tool "${row%%:*}" "${row#*:}"
  done
}

# unpack_tool PACKAGE PROGRAM; with PACKAGE+PACKAGE the program needs the other files of its packages: all of them, in build/tools/PROGRAM.d
unpack_tool() {
  local package=$1 program=$2 work found
  say "Unpacking $program of the Debian package $package into build/tools (nothing is installed)."
  work=$(mktemp -d "$top/build/unpack.XXXXXX")
  chmod 755 "$work"
  # shellcheck disable=SC2086
  if ! (cd "$work" && apt-get download -q ${package//+/ } &&
    for file in ./*.deb; do dpkg-deb -x "$file" files || exit 1; done) >"$top/build/apt.log" 2>&1; then
    tail -n 10 "$top/build/apt.log" >&2
    rm -rf "$work"
    die "Could not fetch $program. As root, run: apt-get update"
  fi
  found=$(find "$work/files/bin" "$work/files/usr/bin" "$work/files/usr/sbin" -name "$program" 2>/dev/null || true)
  [ -n "$found" ] || die "The Debian package $package holds no program $program."
  if [ "$package" = "${package#*+}" ]; then
    install -D -m 755 "$found" "$top/build/tools/$program"
  else
    mkdir -p "$top/build/tools" && rm -rf "$top/build/tools/$program.d" && mv "$work/files" "$top/build/tools/$program.d"
    ln -sf "$program.d/${found#"$work/files/"}" "$top/build/tools/$program"
  fi
  rm -rf "$work"
}

# --- build ---

# configure DIR [cmake options]: a Ninja build directory. Quiet unless it fails.
configure() {
  local dir=$1
  shift
  if ! cmake -S "$top" -B "$dir" -G Ninja "$@" >"$dir.configure.log" 2>&1; then
    tail -n 40 "$dir.configure.log" >&2
    return 1
  fi
}

# build_in DIR [cmake --build options]: on a terminal Ninja's own progress line; elsewhere a line at each tenth.
build_in() {
  if [ -t 1 ]; then
    cmake --build "$1" -j "$(jobs)" "${@:2}"
  else
    cmake --build "$1" -j "$(jobs)" "${@:2}" 2>&1 | awk '
      /^\[[0-9]+\/[0-9]+\] / {
        split(substr($1, 2), part, "[/\\]]")
        tenth = int(10 * part[1] / part[2])
        if (tenth != shown) { shown = tenth; print; fflush() }
        next
      }
      { print; fflush() }'
  fi
}

prepare_build_folder() {
  mkdir -p "$top/build"
  # ccache needs a home; a service account may have none.
  [ -n "${HOME:-}" ] && [ -w "${HOME:-}" ] || export CCACHE_DIR="${CCACHE_DIR:-$top/build/ccache}"
}
