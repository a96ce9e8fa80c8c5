# The scanner and the parser are made by flex and bison at build time.
set(parser_dir ${CMAKE_BINARY_DIR}/generated/parser)
file(MAKE_DIRECTORY ${parser_dir})
bison_target(awl_grammar ${CMAKE_SOURCE_DIR}/src/parser/grammar.y ${parser_dir}/grammar.cpp
  DEFINES_FILE ${parser_dir}/grammar.h COMPILE_FLAGS "-Wall -Werror -Wno-empty-rule")
flex_target(awl_lexer ${CMAKE_SOURCE_DIR}/src/parser/lexer.l ${parser_dir}/lexer.cpp)
add_flex_bison_dependency(awl_lexer awl_grammar)
target_sources(awl_parser PRIVATE ${BISON_awl_grammar_OUTPUTS} ${FLEX_awl_lexer_OUTPUTS})
# Their skeletons are not ours to keep free of warnings.
set_source_files_properties(${parser_dir}/grammar.cpp ${parser_dir}/lexer.cpp PROPERTIES COMPILE_OPTIONS "-w")
