# Warnings for every target of ours; errors only where COSEARCH_WERROR asks (CI).
function(cosearch_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic
    $<$<BOOL:${COSEARCH_WERROR}>:-Werror>)
  # GCC 12 wrongly finds overlapping copies in `"text" + std::string` from -O2 on (GCC bug 105651).
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
endfunction()
