// A pcap file of the packets that skboutput() takes: as they stand at the network layer (LINKTYPE_RAW), with times in
// nanoseconds. Readable by tcpdump and Wireshark while it is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace awl {

class PacketFile {
 public:
  // Empties a file that is there.
  static Result<std::unique_ptr<PacketFile>> create(const std::string &path);

  // One packet; `wall_ns` since 1970. `length` is that of the whole packet, of which `wanted` bytes at most were asked
  // for. After an error nothing is written any more, and nothing is told of it again.
  Result<void> write(int64_t wall_ns, std::span<const std::byte> bytes, uint64_t wanted, uint64_t length);

  [[nodiscard]] uint64_t packets() const { return packets_; }
  [[nodiscard]] uint64_t cut() const { return cut_; }  // packets of which less is there than was asked for

 private:
  explicit PacketFile(Fd file) : file_(std::move(file)) {}
  Fd file_;
  bool failed_ = false;
  uint64_t packets_ = 0, cut_ = 0;
};

}  // namespace awl
