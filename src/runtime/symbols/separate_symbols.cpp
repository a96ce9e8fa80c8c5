// Distributions strip their programs. What was taken away is in a debug file, if somebody installed it, found by the
// build id that the linker noted or by a name and a checksum (.gnu_debuglink); some (Fedora and its kin) leave a small
// table of functions in the program, compressed (.gnu_debugdata).
#include <elf.h>
#include <fmt/format.h>
#include <lzma.h>
#include <zlib.h>

#include <cstring>
#include <filesystem>

#include "base/strings.h"
#include "runtime/symbols/debug_part.h"

namespace awl {

namespace {

constexpr const char *kDebugFolder = "/usr/lib/debug";

struct DebugLink {
  std::string name;
  uint32_t checksum = 0;
};

// .gnu_debuglink: a file name with its NUL, filled up to four bytes, then the CRC-32 of that file.
std::optional<DebugLink> debug_link(const ElfFile &elf) {
  std::optional<std::string_view> section = elf.section(".gnu_debuglink");
  if (!section) return std::nullopt;
  size_t end = section->find('\0');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  size_t at = (end + 4) & ~size_t{3};
  DebugLink link{std::string(section->substr(0, end)), 0};
  if (link.name.find('/') != std::string::npos || section->size() < at + sizeof(link.checksum)) return std::nullopt;
  std::memcpy(&link.checksum, section->data() + at, sizeof(link.checksum));
  return link;
}

// The debug file must belong to this build: its build id says so, or else the checksum.
std::shared_ptr<ElfFile> open_if(const std::string &path, DebugPart part, const std::string &id,
                                 const DebugLink *link) {
  Result<std::shared_ptr<ElfFile>> file = ElfFile::open(path);
  if (!file || (part == DebugPart::Symbols ? (*file)->stripped() : !(*file)->section(".debug_info"))) return nullptr;
  if (!id.empty() && (*file)->build_id() == id) return *file;
  if (!link || !id.empty()) return nullptr;
  const std::string_view bytes = (*file)->bytes();
  auto crc = static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef *>(bytes.data()), bytes.size()));
  return crc == link->checksum ? *file : nullptr;
}

std::string id_path(const std::string &id) {
  std::string path = ".build-id/";
  for (size_t i = 0; i < id.size(); i++)
    path += fmt::format("{:02x}{}", static_cast<unsigned char>(id[i]), i == 0 ? "/" : "");
  return path + ".debug";
}

// Unpacks a stream of xz. Nothing after an error: half a table of symbols names half of the functions wrongly.
std::string unpack_xz(std::string_view packed) {
  constexpr uint64_t kMemory = 128 << 20;
  constexpr size_t kLargest = 512 << 20, kChunk = 1 << 20;
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kMemory, 0) != LZMA_OK) return "";
  stream.next_in = reinterpret_cast<const uint8_t *>(packed.data());
  stream.avail_in = packed.size();
  std::string out;
  lzma_ret state = LZMA_OK;
  while (state == LZMA_OK && out.size() < kLargest) {
    const size_t before = out.size();
    out.resize(before + kChunk);
    stream.next_out = reinterpret_cast<uint8_t *>(out.data() + before);
    stream.avail_out = kChunk;
    state = lzma_code(&stream, LZMA_FINISH);
    out.resize(out.size() - stream.avail_out);
  }
  lzma_end(&stream);
  return state == LZMA_STREAM_END ? out : "";
}

}  // namespace

std::shared_ptr<ElfFile> open_debug_file(const ElfFile &elf, DebugPart part, const std::string &root,
                                         const std::vector<std::string> &folders) {
  const std::string id = elf.build_id();
  const std::optional<DebugLink> link = debug_link(elf);
  std::filesystem::path name(elf.name());
  std::error_code failed;
  // Debug files lie by the real path of what they belong to; of a container's paths we cannot tell it.
  if (std::filesystem::path real = std::filesystem::canonical(name, failed); root.empty() && !failed) name = real;
  std::string folder = name.parent_path();
  std::vector<std::string> candidates;
  for (const std::string &own : folders) {
    if (id.size() > 1) candidates.push_back(own + "/" + id_path(id));
    if (link)
      for (const std::string &place : {own + folder + "/", own + "/"}) candidates.push_back(place + link->name);
  }
  std::vector<std::string> roots = {root};
  if (!root.empty()) roots.emplace_back();
  for (const std::string &before : roots) {
    if (id.size() > 1) candidates.push_back(before + kDebugFolder + "/" + id_path(id));
    if (link)
      for (const std::string &place : {folder + "/.debug/", folder + "/", kDebugFolder + folder + "/"})
        candidates.push_back(before + place + link->name);
  }
  for (const std::string &candidate : candidates)
    if (std::shared_ptr<ElfFile> file = open_if(candidate, part, id, link ? &*link : nullptr)) return file;
  if (part != DebugPart::Symbols) return nullptr;
  if (std::optional<std::string_view> packed = elf.section(".gnu_debugdata")) {
    Result<std::shared_ptr<ElfFile>> file = ElfFile::from_bytes(unpack_xz(*packed), elf.path());
    if (file) return *file;
  }
  return nullptr;
}

}  // namespace awl
