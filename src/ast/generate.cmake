# The index of the standard library, made from stdlib/*.bt.
file(GLOB stdlib_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/stdlib/*.bt)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_custom_command(
  OUTPUT ${CMAKE_BINARY_DIR}/generated/stdlib_index.cpp
  COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/generated
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/src/ast/make_stdlib_index.py ${CMAKE_BINARY_DIR}/generated/stdlib_index.cpp ${stdlib_files}
  DEPENDS ${CMAKE_SOURCE_DIR}/src/ast/make_stdlib_index.py ${stdlib_files})
target_sources(awl_ast PRIVATE ${CMAKE_BINARY_DIR}/generated/stdlib_index.cpp)
