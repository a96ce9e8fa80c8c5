#include "c_import/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

namespace awl {

MemoryFile::MemoryFile(const std::string &content) : fd_(memfd_create("awl", MFD_CLOEXEC)) {
  for (size_t done = 0; done < content.size();) {
    const ssize_t n = write(fd(), content.data() + done, content.size() - done);
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
}

std::string MemoryFile::content() const {
  std::string out;
  char piece[65536];
  for (ssize_t n = 0; (n = pread(fd(), piece, sizeof(piece), static_cast<off_t>(out.size()))) > 0;)
    out.append(piece, static_cast<size_t>(n));
  return out;
}

}  // namespace awl
