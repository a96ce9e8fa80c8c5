# The walk of user stacks, compiled for BPF, as bytes in the executable.
find_program(AWL_BPF_CLANG NAMES clang-19 clang REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(unwinder_source ${CMAKE_SOURCE_DIR}/src/runtime/unwind/walk.bpf.cc)
set(unwinder_object ${CMAKE_BINARY_DIR}/generated/unwinder.o)
set(unwinder_bytes ${CMAKE_BINARY_DIR}/generated/unwinder_bytes.cpp)
add_custom_command(
  OUTPUT ${unwinder_bytes}
  COMMAND ${AWL_BPF_CLANG} -target bpf -mcpu=v2 -x c++ -std=c++20 -O2 -g -ffreestanding -fno-exceptions -fno-rtti -fno-autolink -fstandalone-debug
    -Wall -Wextra -Werror -I ${CMAKE_SOURCE_DIR}/src -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
    -c ${unwinder_source} -o ${unwinder_object}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/src/c_import/make_bytes.py ${unwinder_object} ${unwinder_bytes}
  DEPENDS ${CMAKE_SOURCE_DIR}/src/c_import/make_bytes.py ${unwinder_source}
    ${CMAKE_SOURCE_DIR}/src/runtime/unwind/bpf_helpers.h ${CMAKE_SOURCE_DIR}/src/runtime/unwind/kernel_mappings.h
    ${CMAKE_SOURCE_DIR}/src/runtime/unwind/walk.h ${CMAKE_SOURCE_DIR}/src/runtime/unwind/tables.h)
target_sources(awl_c_import PRIVATE ${unwinder_bytes})
