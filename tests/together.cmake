# fanfold_compile_together(TARGET SOURCES FILES... BATCH N): the tests of a folder, several to a translation unit, so that
# what they all instantiate is compiled a few times instead of sixty.
#
# Each file stands in a namespace of its own, so what it includes must have been seen before: the precompiled header gets
# every header that any of them includes. Files that cannot stand in a namespace (they define something outside of their
# own names, include a piece of code, or ask the preprocessor) are compiled as they are.
set(alone "(^|\n)(#if|#define|namespace fanfold|namespace written|template <>)|operator new|#include [^\n]*\\.inc[\">]")

function(fanfold_compile_together target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "BATCH" "SOURCES")
  set(headers "")
  foreach(source ${arg_SOURCES})
    file(READ ${source} text)
    cmake_path(REPLACE_EXTENSION source LAST_ONLY .hpp OUTPUT_VARIABLE own_header)  # what it declares is defined here
    if(text MATCHES "${alone}" OR EXISTS ${own_header})
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
      continue()
    endif()
    string(REGEX MATCHALL "#include [<\"][^>\"\n]+[>\"]" includes "${text}")
    cmake_path(GET source PARENT_PATH beside)
    foreach(include ${includes})
      string(REGEX REPLACE "^#include " "" include "${include}")
      if(include MATCHES "^\"(.*)\"$")
        set(include ${CMAKE_MATCH_1})
        foreach(place ${beside} ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/examples)
          if(EXISTS ${place}/${include})
            cmake_path(ABSOLUTE_PATH include BASE_DIRECTORY ${place} NORMALIZE)
            break()
          endif()
        endforeach()
      endif()
      list(APPEND headers ${include})
    endforeach()
  endforeach()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${arg_SOURCES})  # their includes are read here
  list(REMOVE_DUPLICATES headers)
  target_precompile_headers(${target} PRIVATE ${headers})
  if(NOT headers STREQUAL "${${target}_precompiled}")  # CMake gives the new list an old time, which clang refuses
    set(made ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx)
    file(REMOVE ${made}.pch ${made}.gch)
    set(${target}_precompiled "${headers}" CACHE INTERNAL "")
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${arg_BATCH}
                        UNITY_BUILD_UNIQUE_ID fanfold_test_file
                        UNITY_BUILD_CODE_BEFORE_INCLUDE "namespace fanfold_test_file {"
                        UNITY_BUILD_CODE_AFTER_INCLUDE "}")
endfunction()
