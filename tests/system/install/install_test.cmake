# BUILD: a finished build directory; CONSUMER: the project to build; WORK: a directory of our own; COMPILER: for the consumer.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGN}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)

foreach(expected bin/mainstayd bin/mainstay bin/mainstay-crash-kit
                 include/mainstay/runtime/base/result.hpp share/mainstay/mainstayd.example.toml
                 share/mainstay/examples/adapters/tryton/erp.toml share/mainstay/examples/adapters/tryton/erp_moved.json
                 share/mainstay/examples/adapters/postgres/wms_schema.sql
                 share/mainstay/schemas/peer.capnp share/doc/mainstay/LICENSE)
  if(NOT EXISTS ${WORK}/prefix/${expected})
    message(FATAL_ERROR "${expected} was not installed")
  endif()
endforeach()

# The installed program runs from where it is, without this build.
run(${WORK}/prefix/bin/mainstayd --version)

# Nothing of the package may point back to where it was built.
file(GLOB_RECURSE package ${WORK}/prefix/*.cmake)
foreach(file IN LISTS package)
  file(READ ${file} text)
  string(FIND "${text}" "${BUILD}/" found)
  if(NOT found EQUAL -1 AND NOT text MATCHES "${WORK}/prefix")
    message(FATAL_ERROR "${file} names the build directory")
  endif()
endforeach()

run(${CMAKE_COMMAND} -S ${CONSUMER} -B ${WORK}/consumer -G Ninja -DCMAKE_PREFIX_PATH=${WORK}/prefix -DCMAKE_CXX_COMPILER=${COMPILER})
run(${CMAKE_COMMAND} --build ${WORK}/consumer)
run(${WORK}/consumer/consumer)
if(NOT output MATCHES "greeted by an actor of our own")
  message(FATAL_ERROR "the consumer said: ${output}")
endif()

# The adapter outside the tree, under the crash kit of the package.
run(${WORK}/prefix/bin/mainstay-crash-kit ${CONSUMER}/line-printer.toml ${CONSUMER}/line_printer_counterpart.py
    --library ${WORK}/consumer/libline_printer.so --kills 3)
if(NOT output MATCHES "verdict: 0 missing, 0 doubled")
  message(FATAL_ERROR "the crash kit said: ${output}")
endif()
file(REMOVE_RECURSE ${WORK})
