// The limit of open files (RLIMIT_NOFILE): each probe that is attached alone, and each map and program, is one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace awl {

// As far as it may be raised.
void raise_file_limit();
// Back to what awl was started with, in a child process that becomes a command; what is open stays open.
void restore_file_limit();
// How many files may be open.
uint64_t file_limit();
// True for the numbers of errors (errno) that say so.
bool out_of_files(int error);
// Whether so many more can be opened now.
bool files_left(size_t wanted);

}  // namespace awl
