# Language level, warnings, sanitizers, compiler cache and linker: what every target of the project shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
# -O2 without NDEBUG: assertions stay on in release builds. -g1 keeps line numbers at a fraction of the link time. Sanitizers find the same
# at -O1, which compiles sooner.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
if(MAINSTAY_SANITIZE)
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")
endif()

find_program(MAINSTAY_CCACHE ccache)
if(MAINSTAY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers are only cacheable with these sloppiness settings (ccache manual, "Precompiled headers").
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${MAINSTAY_CCACHE})
endif()

find_program(MAINSTAY_LLD ld.lld)
if(MAINSTAY_LLD)
  add_link_options(-fuse-ld=lld)
endif()

# clang-tidy's build goes without: it proves that no include is missing.
option(MAINSTAY_PCH "Use precompiled headers" ON)

add_library(mainstay_options INTERFACE)
target_compile_options(mainstay_options INTERFACE -Wall -Wextra -Werror -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
                                                  -Wshadow -fno-omit-frame-pointer)
if(MAINSTAY_PCH)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Keeps the precompiled header visible in preprocessed text, else ccache cannot hash it (ccache manual, "Precompiled headers").
    target_compile_options(mainstay_options INTERFACE -fpch-preprocess)
  else()
    # clang wants the same flags of all users, and some outside libraries bring -pthread along; ccache wants no time in what it hashes.
    add_compile_options(-pthread "SHELL:-Xclang -fno-pch-timestamp")
  endif()
  # A target with flags of its own (a sanitizer, say) falls back to the plain headers instead of failing.
  set(CMAKE_PCH_WARN_INVALID OFF)
endif()
if(MAINSTAY_MUTANTS)
  target_compile_definitions(mainstay_options INTERFACE MAINSTAY_MUTANTS=1)
endif()
if(MAINSTAY_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
# How much longer than usual tests may take: instrumented programs are slow.
set(MAINSTAY_TEST_SLOWNESS 1)
if(MAINSTAY_SANITIZE OR MAINSTAY_COVERAGE)
  set(MAINSTAY_TEST_SLOWNESS 5)
endif()
if(MAINSTAY_SANITIZE)
  add_compile_options(-fsanitize=${MAINSTAY_SANITIZE} -fno-sanitize-recover=all)
  if(MAINSTAY_SANITIZE MATCHES undefined)
    # CAF 0.17 binds a reference to the empty tuple of an actor without arguments (init_fun_factory.hpp);
    # a real use of a null is a crash anyway.
    add_compile_options(-fno-sanitize=null)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # gcc 12 takes instrumented code for out of bounds (std::string inside Result); the plain build still fails on it.
    add_compile_options(-Wno-error=array-bounds -Wno-error=stringop-overflow -Wno-error=maybe-uninitialized)
  endif()
  add_link_options(-fsanitize=${MAINSTAY_SANITIZE})
endif()
