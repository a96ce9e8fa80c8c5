# docs/diagnostics.md as text in the executable, for `awl explain`.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(explanations ${CMAKE_BINARY_DIR}/generated/explanations.cpp)
add_custom_command(
  OUTPUT ${explanations}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/src/cli/make_explanations.py ${CMAKE_SOURCE_DIR}/docs/diagnostics.md ${explanations}
  DEPENDS ${CMAKE_SOURCE_DIR}/src/cli/make_explanations.py ${CMAKE_SOURCE_DIR}/docs/diagnostics.md)
target_sources(awl_driver PRIVATE ${explanations})
