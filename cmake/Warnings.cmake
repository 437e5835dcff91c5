# Warnings for every target of ours; errors only where COSEARCH_WERROR asks (CI).
function(cosearch_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic
    $<$<BOOL:${COSEARCH_WERROR}>:-Werror>)
endfunction()
