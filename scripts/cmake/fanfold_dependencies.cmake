# The libraries that fanfold stands on: the installed package when there is one, else a pinned source from upstream.
# The pinned versions are those that the tests run with.
include(FetchContent)

# fanfold_dependency(NAME REPOSITORY TAG [find_package arguments...])
macro(fanfold_dependency name repository tag)
  FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW ON SYSTEM
                       FIND_PACKAGE_ARGS ${ARGN})
  FetchContent_MakeAvailable(${name})
endmacro()

# The same for libraries of headers only, whose own CMake files are not run: TARGET is made from the folder SUBDIR.
macro(fanfold_headers_dependency name repository tag target subdir)
  FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW ON SYSTEM
                       SOURCE_SUBDIR not_configured FIND_PACKAGE_ARGS ${ARGN})
  FetchContent_MakeAvailable(${name})
  if(NOT TARGET ${target})
    add_library(${target} INTERFACE IMPORTED)
    string(TOLOWER ${name} fanfold_name)
    target_include_directories(${target} INTERFACE ${${fanfold_name}_SOURCE_DIR}/${subdir})
  endif()
endmacro()

find_package(Threads REQUIRED)
fanfold_headers_dependency(Eigen3 https://gitlab.com/libeigen/eigen.git 3.4.0 Eigen3::Eigen . 3.4 NO_MODULE)
fanfold_headers_dependency(xxhash https://github.com/Cyan4973/xxHash.git v0.8.1 xxhash::xxhash . MODULE)
fanfold_headers_dependency(protozero https://github.com/mapbox/protozero.git v1.7.1 protozero::protozero include MODULE)
set(TBB_TEST OFF CACHE BOOL "" FORCE)
set(TBB_STRICT OFF CACHE BOOL "" FORCE)
fanfold_dependency(TBB https://github.com/oneapi-src/oneTBB.git v2021.8.0 CONFIG)
fanfold_headers_dependency(nlohmann_json https://github.com/nlohmann/json.git v3.11.2 nlohmann_json::nlohmann_json include CONFIG)
if(FANFOLD_TESTS)
  fanfold_headers_dependency(Catch2 https://github.com/catchorg/Catch2.git v2.13.10 Catch2::Catch2 single_include CONFIG)
endif()
if(FANFOLD_EXAMPLES OR FANFOLD_TESTS)
  find_package(ZLIB REQUIRED)
endif()
if(FANFOLD_EXAMPLES)
  fanfold_headers_dependency(CLI11 https://github.com/CLIUtils/CLI11.git v2.1.2 CLI11::CLI11 include CONFIG)
endif()
if(FANFOLD_BENCH)
  set(BENCHMARK_ENABLE_TESTING OFF CACHE BOOL "" FORCE)
  fanfold_dependency(benchmark https://github.com/google/benchmark.git v1.7.1 CONFIG)
endif()
