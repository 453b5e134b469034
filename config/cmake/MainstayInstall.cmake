# `cmake --install`: bin lib include share, and a CMake package so that others can write actors against Mainstay:
#   find_package(mainstay 0.5 REQUIRED COMPONENTS actors_kit)
#   target_link_libraries(mine PRIVATE mainstay::actors_kit)
# A component is a layer; its target mainstay::<layer> brings the layers below it and the outside libraries along.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(MAINSTAY_MUTANTS OR MAINSTAY_SANITIZE)
  install(CODE "message(FATAL_ERROR \"a build with planted bugs or sanitizers is not for installing\")")
endif()

set(MAINSTAY_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/mainstay)
set(MAINSTAY_HEADER_DIR ${CMAKE_INSTALL_INCLUDEDIR}/mainstay)

# The programs install themselves, beside where they are made.
install(TARGETS ${MAINSTAY_INSTALL_TARGETS} EXPORT mainstay-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# Headers keep their path from the top of the tree: "runtime/base/result.hpp" reads the same inside and outside.
install(DIRECTORY runtime actors DESTINATION ${MAINSTAY_HEADER_DIR} FILES_MATCHING PATTERN "*.hpp" PATTERN "*.def")
install(DIRECTORY ${CMAKE_BINARY_DIR}/schemas DESTINATION ${MAINSTAY_HEADER_DIR} FILES_MATCHING PATTERN "*.capnp.h"
        PATTERN "CMakeFiles" EXCLUDE)
install(DIRECTORY schemas DESTINATION ${CMAKE_INSTALL_DATADIR}/mainstay FILES_MATCHING PATTERN "*.capnp" PATTERN "*.json")
install(DIRECTORY config/ DESTINATION ${CMAKE_INSTALL_DATADIR}/mainstay FILES_MATCHING PATTERN "*.toml" PATTERN "*.service"
        PATTERN "*.json" PATTERN "*.sql" PATTERN "*.cfg" PATTERN "cmake" EXCLUDE)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
foreach(page README.md CHANGELOG.md LICENSE)
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
endforeach()

# The crash kit for the adapters of others: docs/writing-an-adapter.md.
set(MAINSTAY_PYTHON_DIR ${CMAKE_INSTALL_DATADIR}/mainstay/python)
configure_file(config/mainstay-crash-kit.in ${CMAKE_BINARY_DIR}/mainstay-crash-kit @ONLY)
install(PROGRAMS ${CMAKE_BINARY_DIR}/mainstay-crash-kit DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(module lab/__init__ lab/client lab/cluster lab/process lab/scratch
               crash_kit/__init__ crash_kit/__main__ crash_kit/books crash_kit/description crash_kit/kit)
  get_filename_component(folder ${module} DIRECTORY)
  install(FILES tests/system/${module}.py DESTINATION ${MAINSTAY_PYTHON_DIR}/mainstay_tests/${folder})
endforeach()

# The users of the package find the same outside libraries by the same file as this build.
install(EXPORT mainstay-targets NAMESPACE mainstay:: DESTINATION ${MAINSTAY_PACKAGE_DIR})
configure_package_config_file(config/cmake/mainstay-config.cmake.in ${CMAKE_BINARY_DIR}/mainstay-config.cmake
                              INSTALL_DESTINATION ${MAINSTAY_PACKAGE_DIR})
# Before 1.0 a minor version may change interfaces.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/mainstay-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/mainstay-config.cmake ${CMAKE_BINARY_DIR}/mainstay-config-version.cmake
              config/cmake/MainstayDependencies.cmake
        DESTINATION ${MAINSTAY_PACKAGE_DIR})
