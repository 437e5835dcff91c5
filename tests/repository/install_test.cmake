# Installs the build into a folder of its own, builds the consumer project against it there, and
# runs what came out.
#
# cmake -Dbuild=FOLDER -Dconsumer=FOLDER -Dwork=FOLDER [-Dgenerator=NAME] -P install_test.cmake
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\nended with ${code}:\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${work})
run(${CMAKE_COMMAND} --install ${build} --prefix ${work}/prefix)
run(${CMAKE_COMMAND} -S ${consumer} -B ${work}/consumer -G ${generator}
    -DCMAKE_PREFIX_PATH=${work}/prefix "-DCMAKE_CXX_FLAGS=${flags}")
run(${CMAKE_COMMAND} --build ${work}/consumer)
run(${work}/consumer/consumer)
run(${work}/consumer/everything)
if(program)
  run(${work}/prefix/bin/cosearch --help)
endif()
file(REMOVE_RECURSE ${work})
