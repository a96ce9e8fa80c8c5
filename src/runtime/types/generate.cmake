# The table of UAPI constants, made from the headers of this machine's C compiler.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(constants_dir ${CMAKE_SOURCE_DIR}/src/runtime/types)
set(constants_table ${CMAKE_BINARY_DIR}/generated/constants_table.cpp)
add_custom_command(
  OUTPUT ${constants_table}
  COMMAND ${Python3_EXECUTABLE} ${constants_dir}/make_constants.py ${CMAKE_C_COMPILER} ${constants_dir}/kernel_constants.txt ${constants_table}
  DEPENDS ${constants_dir}/make_constants.py ${constants_dir}/kernel_constants.txt)
target_sources(awl_types PRIVATE ${constants_table})
