# awl_library(NAME DIR folder [RECURSE] [EXTRA folder...] LINKS target...): a static library of a folder's .cpp files.
add_library(awl_options INTERFACE)
target_include_directories(awl_options INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_compile_options(awl_options INTERFACE -Wall -Wextra -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlapping copies in std::string's own code (GCC bug 105651).
  target_compile_options(awl_options INTERFACE -Wno-restrict)
endif()
if(AWL_SANITIZE)
  target_compile_options(awl_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(awl_options INTERFACE -fsanitize=address,undefined)
endif()

if(AWL_FUZZ)
  target_compile_options(awl_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# The headers that nearly every source file includes, compiled once; by clang only: behind a precompiled header GCC 12
# takes the standard library's own code for ours and warns. GCC's build also shows which file forgot an include.
set(awl_common_headers <algorithm> <array> <cstdint> <cstring> <expected> <functional> <map> <memory> <optional> <set> <span>
    <string> <string_view> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)

# awl_precompiled(TARGET FIRST [HEADER...]): TARGET uses the compiled common headers of the target FIRST; if it is that
# target itself, they are compiled with it (and the further headers).
function(awl_precompiled target first)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    return()
  endif()
  if(target STREQUAL first)
    target_precompile_headers(${target} PRIVATE ${awl_common_headers} ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${first})
  endif()
endfunction()

function(awl_library name)
  cmake_parse_arguments(ARG "RECURSE" "DIR" "LINKS;EXTRA" ${ARGN})
  if(ARG_RECURSE)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${ARG_DIR}/*.cpp)
  else()
    file(GLOB sources CONFIGURE_DEPENDS ${ARG_DIR}/*.cpp)
  endif()
  foreach(extra ${ARG_EXTRA})
    file(GLOB more CONFIGURE_DEPENDS ${extra}/*.cpp)
    list(APPEND sources ${more})
  endforeach()
  list(FILTER sources EXCLUDE REGEX "src/(main|run_main)\\.cpp$")
  add_library(awl_${name} STATIC ${sources})
  set_target_properties(awl_${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(awl_${name} PUBLIC awl_options ${ARG_LINKS})
  awl_precompiled(awl_${name} awl_base)
  if(EXISTS ${CMAKE_SOURCE_DIR}/${ARG_DIR}/generate.cmake)
    include(${CMAKE_SOURCE_DIR}/${ARG_DIR}/generate.cmake)  # adds generated sources to awl_${name}
  endif()
endfunction()

# How every executable is linked.
function(awl_executable target)
  if(AWL_STATIC AND NOT AWL_SANITIZE)
    target_link_options(${target} PRIVATE -static)
  endif()
endfunction()
