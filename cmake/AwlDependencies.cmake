# Libraries from outside, each behind one target.

# {fmt}: Debian ships no static library of it, so its compiled part is built here.
find_path(FMT_INCLUDE_DIR fmt/format.h REQUIRED)
add_library(awl_fmt STATIC ${CMAKE_SOURCE_DIR}/cmake/fmt.cpp)
target_include_directories(awl_fmt SYSTEM PUBLIC ${FMT_INCLUDE_DIR})

# CLI11: header only.
find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp REQUIRED)
add_library(awl_cli11 INTERFACE)
target_include_directories(awl_cli11 SYSTEM INTERFACE ${CLI11_INCLUDE_DIR})

# libelf, libdw, libbpf and their zlib, zstd; liblzma.
if(AWL_STATIC)
  find_library(ELF_LIBRARY libelf.a REQUIRED)
  find_library(DW_LIBRARY libdw.a REQUIRED)
  find_library(BPF_LIBRARY libbpf.a REQUIRED)
  find_library(Z_LIBRARY libz.a REQUIRED)
  find_library(ZSTD_LIBRARY libzstd.a REQUIRED)
  find_library(LZMA_LIBRARY liblzma.a REQUIRED)
else()
  find_library(ELF_LIBRARY elf REQUIRED)
  find_library(DW_LIBRARY dw REQUIRED)
  find_library(BPF_LIBRARY bpf REQUIRED)
  find_library(Z_LIBRARY z REQUIRED)
  find_library(ZSTD_LIBRARY zstd REQUIRED)
  find_library(LZMA_LIBRARY lzma REQUIRED)
endif()
# Imported targets, so that CMake puts an archive in front of those it needs.
add_library(awl_elf UNKNOWN IMPORTED GLOBAL)
add_library(awl_elf_search STATIC ${CMAKE_CURRENT_LIST_DIR}/elfutils.c)
set_target_properties(awl_elf PROPERTIES IMPORTED_LOCATION ${ELF_LIBRARY}
                      INTERFACE_LINK_LIBRARIES "awl_elf_search;${ZSTD_LIBRARY};${Z_LIBRARY}")
# libdw of elfutils; what awl uses of it needs no more than libelf (not libdwfl's bzip2 and lzma).
add_library(awl_dw UNKNOWN IMPORTED GLOBAL)
set_target_properties(awl_dw PROPERTIES IMPORTED_LOCATION ${DW_LIBRARY} INTERFACE_LINK_LIBRARIES awl_elf)
# liblzma unpacks the small symbol tables that some distributions leave in stripped programs.
find_path(LZMA_INCLUDE_DIR lzma.h REQUIRED)
add_library(awl_lzma UNKNOWN IMPORTED GLOBAL)
set_target_properties(awl_lzma PROPERTIES IMPORTED_LOCATION ${LZMA_LIBRARY}
                      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${LZMA_INCLUDE_DIR}
                      INTERFACE_LINK_LIBRARIES "$<$<BOOL:${AWL_STATIC}>:pthread>")
add_library(awl_bpf UNKNOWN IMPORTED GLOBAL)
set_target_properties(awl_bpf PROPERTIES IMPORTED_LOCATION ${BPF_LIBRARY} INTERFACE_LINK_LIBRARIES awl_elf)

# LLVM 19, only the BPF target; always its static libraries (a shared LLVM costs 15 ms at each start).
find_program(LLVM_CONFIG NAMES llvm-config-19 REQUIRED)
execute_process(COMMAND ${LLVM_CONFIG} --includedir OUTPUT_VARIABLE LLVM_INCLUDE_DIR OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(COMMAND ${LLVM_CONFIG} --link-static --libfiles bpf bpfdesc bpfinfo core target irprinter scalaropts instcombine transformutils
  OUTPUT_VARIABLE LLVM_LIBRARIES OUTPUT_STRIP_TRAILING_WHITESPACE)
separate_arguments(LLVM_LIBRARIES)
# Its demangler, which stands alone: names of Rust, which libstdc++ does not know.
execute_process(COMMAND ${LLVM_CONFIG} --link-static --libfiles demangle OUTPUT_VARIABLE LLVM_DEMANGLE OUTPUT_STRIP_TRAILING_WHITESPACE)
add_library(awl_demangle UNKNOWN IMPORTED GLOBAL)
set_target_properties(awl_demangle PROPERTIES IMPORTED_LOCATION ${LLVM_DEMANGLE}
                      INTERFACE_INCLUDE_DIRECTORIES ${LLVM_INCLUDE_DIR})
list(FILTER LLVM_LIBRARIES EXCLUDE REGEX "libLLVM(Passes|BPFAsmParser|BPFDisassembler)\\.a$")
add_library(awl_llvm INTERFACE)
target_include_directories(awl_llvm SYSTEM INTERFACE ${LLVM_INCLUDE_DIR})
target_compile_definitions(awl_llvm INTERFACE __STDC_CONSTANT_MACROS __STDC_FORMAT_MACROS __STDC_LIMIT_MACROS)
target_link_libraries(awl_llvm INTERFACE ${LLVM_LIBRARIES} ${ZSTD_LIBRARY} ${Z_LIBRARY} -lrt -ldl -lm -lpthread)

# bison needs no library; flex scanners are built with %option noyywrap.
find_package(BISON 3.8 REQUIRED)
find_package(FLEX 2.6 REQUIRED)
