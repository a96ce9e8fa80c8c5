#include "runtime/session/packet_file.h"

#include <fcntl.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace awl {

namespace {

// As in the file, in the byte order of the machine.
struct FileHeader {
  uint32_t magic = 0xa1b23c4d;  // times in nanoseconds
  uint16_t major = 2, minor = 4;
  uint32_t zone = 0, accuracy = 0;
  uint32_t most_bytes = 262144;
  uint32_t link_type = 101;  // LINKTYPE_RAW: begins with the IP header
};

struct PacketHeader {
  uint32_t seconds, nanoseconds;
  uint32_t captured, length;
};

constexpr int64_t kSecond = 1'000'000'000;

Result<void> write_all(int fd, std::span<iovec> pieces) {
  size_t bytes = 0;
  for (const iovec &piece : pieces) bytes += piece.iov_len;
  ssize_t n = 0;
  do n = writev(fd, pieces.data(), static_cast<int>(pieces.size()));
  while (n < 0 && errno == EINTR);
  if (n < 0) return fail(std::strerror(errno));
  if (static_cast<size_t>(n) < bytes) return fail("there is no room for all of it");
  return {};
}

}  // namespace

Result<std::unique_ptr<PacketFile>> PacketFile::create(const std::string &path) {
  Fd opened(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!opened) return fail(std::strerror(errno));
  std::unique_ptr<PacketFile> file(new PacketFile(std::move(opened)));
  FileHeader header;
  iovec piece{&header, sizeof(header)};
  TRY(write_all(file->file_.get(), {&piece, 1}));
  return file;
}

Result<void> PacketFile::write(int64_t wall_ns, std::span<const std::byte> bytes, uint64_t wanted, uint64_t length) {
  if (failed_) return {};
  PacketHeader header{static_cast<uint32_t>(wall_ns / kSecond), static_cast<uint32_t>(wall_ns % kSecond),
                      static_cast<uint32_t>(bytes.size()),
                      static_cast<uint32_t>(std::max<uint64_t>(length, bytes.size()))};
  iovec pieces[] = {{&header, sizeof(header)}, {const_cast<std::byte *>(bytes.data()), bytes.size()}};
  Result<void> written = write_all(file_.get(), pieces);
  failed_ = !written;
  if (!written) return written;
  packets_++;
  if (bytes.size() < std::min(wanted, length)) cut_++;
  return {};
}

}  // namespace awl
