# How the project's own tests, examples and benchmarks are built.
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG" CACHE STRING "" FORCE)
endif()

add_library(fanfold_flags INTERFACE)
target_compile_options(fanfold_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
                       -Wno-missing-field-initializers)  # g++ counts designated initializers, too
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(fanfold_flags INTERFACE -Wno-restrict)  # g++ 12 is wrong about std::string (GCC bug 105651)
endif()
if(FANFOLD_SANITIZE)
  # Address sees null pointers itself; -w: g++ warns of its own instrumentation.
  target_compile_options(fanfold_flags INTERFACE -fsanitize=${FANFOLD_SANITIZE} -fno-sanitize=null,vptr
                         -fno-sanitize-recover=all -fno-omit-frame-pointer -w)
  target_link_options(fanfold_flags INTERFACE -fsanitize=${FANFOLD_SANITIZE})
endif()

# Most programs share one importer: compiling it takes as long as twenty tests.
if(FANFOLD_COMPILED)
  set(fanfold_importer fanfold::onnx)
else()
  set(fanfold_importer fanfold_importer_for_programs)
  fanfold_compiled_onnx(${fanfold_importer})
  target_link_libraries(${fanfold_importer} PRIVATE fanfold_flags)
  if(FANFOLD_SANITIZE)  # what is computed there is little, what is compiled is not
    target_compile_options(${fanfold_importer} PRIVATE -O0)
  endif()
endif()

# fanfold_plain_program(NAME SOURCES...): an executable that loads no ONNX file.
function(fanfold_plain_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE fanfold::fanfold fanfold::json fanfold::sqlite fanfold_flags)
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

# fanfold_program(NAME SOURCES...): an executable with everything of fanfold's.
function(fanfold_program name)
  fanfold_plain_program(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE ${fanfold_importer})
endfunction()
