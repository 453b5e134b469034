# `cmake --install`: bin lib include share, and a CMake package so that others can write actors against Mainstay.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
install(TARGETS ${MAINSTAY_INSTALL_TARGETS} EXPORT mainstay-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
