# cosearch_embed_text(<target> <file> <namespace::symbol>)
#
# Compiles a text file into <target> as `const std::string_view <symbol>`, so that the program finds
# its tables and schemas wherever it is installed. Declare it by hand in a header:
#   namespace cosearch::room { extern const std::string_view kTable; }
function(cosearch_embed_text target file symbol)
  cmake_path(ABSOLUTE_PATH file OUTPUT_VARIABLE source)
  string(REGEX REPLACE "::[^:]+$" "" namespace ${symbol})
  string(REGEX REPLACE "^.*::" "" name ${symbol})
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -Dsource=${source} -Doutput=${output} -Dnamespace=${namespace}
            -Dname=${name} -P ${CMAKE_SOURCE_DIR}/cmake/embed_text_script.cmake
    DEPENDS ${source} ${CMAKE_SOURCE_DIR}/cmake/embed_text_script.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
