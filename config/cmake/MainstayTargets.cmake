# mainstay_library(NAME [SOURCES ...] [DEPENDS ...] [PRIVATE_DEPENDS ...])
#   One static library per folder. NAME is the folder's layer name (base, consensus, actors_kit ...), the target mainstay_<NAME>,
#   for users of the package mainstay::<NAME>. Includes are written from the top of the tree: "runtime/base/result.hpp".
# mainstay_test(NAME [SOURCES ...] [DEPENDS ...] [LABELS ...] [TIMEOUT s])
#   One GoogleTest program, registered with ctest as one test.
# mainstay_system_test(NAME MODULE python.module [ARGS ...] [LABELS ...] [TIMEOUT s])
#   A Python module that works on the programs of this build (it is given --build DIR), one at a time: their gaps and rates are only
#   worth something alone.
# mainstay_fuzzer(NAME [SOURCES ...] [DEPENDS ...])
#   One libFuzzer program (only with MAINSTAY_FUZZ); ctest runs it for a short while, on the corpus in corpus/<NAME> if there is one.
# mainstay_mutants_library(TARGET LAYERS ... [SOURCES ...])
#   The sources of these layers, and these, compiled once more with the planted bugs of tests/sim/mutants.def; built only for who links it.
set(MAINSTAY_INSTALL_TARGETS "" CACHE INTERNAL "")

# Everything that is generated from schemas; clang-tidy needs it before it can read the sources.
add_custom_target(mainstay_generated)
add_custom_target(mainstay_fuzzers)

# One precompiled header a kind of target, shared by all of that kind: the outside headers that nearly each of them includes anyway. Our own
# are left out, so that a change to one rebuilds only who uses it. The flags must be those of the users, hence -fPIE for programs.
set(MAINSTAY_STD_HEADERS <algorithm> <array> <chrono> <functional> <map> <memory> <optional> <string> <string_view> <unordered_map>
                         <utility> <variant> <vector>)

function(mainstay_pch KIND)
  cmake_parse_arguments(ARG "PROGRAM" "" "HEADERS;DEPENDS" ${ARGN})
  if(NOT MAINSTAY_PCH)
    return()
  endif()
  set(target mainstay_pch_${KIND})
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/config/cmake/pch.cpp)
  target_link_libraries(${target} PRIVATE mainstay_options ${ARG_DEPENDS})
  if(ARG_PROGRAM)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIE)
  endif()
  target_precompile_headers(${target} PRIVATE ${MAINSTAY_STD_HEADERS} ${ARG_HEADERS})
endfunction()

function(mainstay_use_pch TARGET KIND)
  if(MAINSTAY_PCH)
    target_precompile_headers(${TARGET} REUSE_FROM mainstay_pch_${KIND})
  endif()
endfunction()

mainstay_pch(runtime HEADERS <tl/expected.hpp> DEPENDS tl::expected)
mainstay_pch(actors HEADERS <tl/expected.hpp> <caf/all.hpp> DEPENDS tl::expected mainstay_caf)
if(MAINSTAY_TESTS)
  mainstay_pch(runtime_test PROGRAM HEADERS <tl/expected.hpp> <gmock/gmock.h> <gtest/gtest.h> DEPENDS tl::expected GTest::gmock)
  mainstay_pch(actors_test PROGRAM HEADERS <tl/expected.hpp> <gmock/gmock.h> <gtest/gtest.h> <caf/all.hpp>
               DEPENDS tl::expected GTest::gmock mainstay_caf)
endif()

function(mainstay_library NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  set(target mainstay_${NAME})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:mainstay_options> ${ARG_PRIVATE_DEPENDS})
    # Adapters are plain classes, without actors.
    if(NAME MATCHES "^actors_" AND NOT NAME MATCHES "^actors_adapters_")
      mainstay_use_pch(${target} actors)
    else()
      mainstay_use_pch(${target} runtime)
    endif()
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}>
                                                $<INSTALL_INTERFACE:include/mainstay>)
  target_link_libraries(${target} ${scope} ${ARG_DEPENDS})
  target_compile_features(${target} ${scope} cxx_std_20) # for those who use the installed package
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${NAME})
  add_library(mainstay::${NAME} ALIAS ${target})
  set(MAINSTAY_INSTALL_TARGETS "${MAINSTAY_INSTALL_TARGETS};${target}" CACHE INTERNAL "")
endfunction()

function(mainstay_test NAME)
  cmake_parse_arguments(ARG "NO_MAIN" "TIMEOUT" "SOURCES;DEPENDS;LABELS;ARGS" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_include_directories(${NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${NAME} PRIVATE mainstay_options ${ARG_DEPENDS} GTest::gmock)
  if(NOT ARG_NO_MAIN)
    target_link_libraries(${NAME} PRIVATE GTest::gtest_main)
  endif()
  if(ARG_DEPENDS MATCHES "mainstay_actors_" AND NOT ARG_DEPENDS MATCHES "mainstay_actors_adapters_")
    mainstay_use_pch(${NAME} actors_test)
  else()
    mainstay_use_pch(${NAME} runtime_test)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_test(NAME ${NAME} COMMAND ${NAME} ${ARG_ARGS} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  # The same cases each time; the program started by hand draws new ones.
  math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * ${MAINSTAY_TEST_SLOWNESS}")
  set_tests_properties(${NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" ENVIRONMENT "RC_PARAMS=seed=1")
endfunction()

function(mainstay_system_test NAME)
  cmake_parse_arguments(ARG "" "MODULE;TIMEOUT" "ARGS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * ${MAINSTAY_TEST_SLOWNESS}")
  set(python python3)
  if("integration" IN_LIST ARG_LABELS)
    set(python /usr/bin/python3) # Debian's modules (drivers of databases and brokers) are there for Debian's Python only
  endif()
  add_test(NAME ${NAME} COMMAND ${python} -B -m ${ARG_MODULE} --build ${CMAKE_BINARY_DIR} ${ARG_ARGS}
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" RESOURCE_LOCK machine)
endfunction()

function(mainstay_fuzzer NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT MAINSTAY_FUZZ)
    return()
  endif()
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE mainstay_options ${ARG_DEPENDS} -fsanitize=fuzzer)
  add_dependencies(mainstay_fuzzers ${NAME})
  # New finds go to the build directory; the corpus in the tree is read only.
  set(found ${CMAKE_CURRENT_BINARY_DIR}/found/${NAME})
  file(MAKE_DIRECTORY ${found})
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${NAME})
  if(NOT IS_DIRECTORY ${corpus})
    set(corpus "")
  endif()
  add_test(NAME fuzz_${NAME} COMMAND ${NAME} -max_total_time=20 -seed=1 -rss_limit_mb=1024 -artifact_prefix=${found}/crash- ${found}
                                     ${corpus})
  set_tests_properties(fuzz_${NAME} PROPERTIES TIMEOUT 120 LABELS fuzz)
endfunction()

function(mainstay_mutants_library TARGET)
  cmake_parse_arguments(ARG "" "" "LAYERS;SOURCES" ${ARGN})
  set(sources ${ARG_SOURCES})
  set(libraries "")
  foreach(layer ${ARG_LAYERS})
    get_target_property(directory mainstay_${layer} SOURCE_DIR)
    get_target_property(layer_sources mainstay_${layer} SOURCES)
    list(FILTER layer_sources EXCLUDE REGEX "^/") # generated ones hold no planted bug: the layer itself has them
    list(TRANSFORM layer_sources PREPEND ${directory}/)
    list(APPEND sources ${layer_sources})
    get_target_property(layer_libraries mainstay_${layer} LINK_LIBRARIES)
    list(APPEND libraries ${layer_libraries})
  endforeach()
  list(REMOVE_DUPLICATES libraries)
  foreach(layer ${ARG_LAYERS})
    list(REMOVE_ITEM libraries mainstay_${layer})
  endforeach()
  add_library(${TARGET} STATIC EXCLUDE_FROM_ALL ${sources})
  target_compile_definitions(${TARGET} PUBLIC MAINSTAY_MUTANTS=1)
  target_include_directories(${TARGET} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${TARGET} PUBLIC ${libraries})
endfunction()
