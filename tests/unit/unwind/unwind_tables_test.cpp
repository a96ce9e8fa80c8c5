// The tables of real processes in real maps. Needs what awl itself needs: root.
#include "runtime/unwind/unwind_tables.h"

#include <bpf/bpf.h>
#include <endian.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "runtime/symbols/process_maps.h"
#include "runtime/unwind/eh_frame.h"
#include "runtime/unwind/tables.h"
#include "runtime/unwind/unwind_file.h"

namespace awl::runtime::unwind {
namespace {

using std::chrono::milliseconds;

template <class Options>
Options options() {
  Options out;
  std::memset(&out, 0, sizeof(out));
  out.sz = sizeof(out);
  return out;
}

class Tables : public ::testing::Test {
 protected:
  void SetUp() override {
    auto trie = options<bpf_map_create_opts>();
    trie.map_flags = BPF_F_NO_PREALLOC;
    maps_ = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "awl_unwind_maps", sizeof(MappingKey), sizeof(Mapping), max_mappings,
                           &trie);
    auto inner = options<bpf_map_create_opts>();
    inner.map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE;
    const int model = bpf_map_create(BPF_MAP_TYPE_ARRAY, "awl_rows", 4, block_size, 1, &inner);
    auto outer = options<bpf_map_create_opts>();
    outer.inner_map_fd = static_cast<uint32_t>(model);
    files_ = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "awl_unwind_file", 4, 4, max_files, &outer);
    close(model);
    auto hash = options<bpf_map_create_opts>();
    hash.map_flags = BPF_F_NO_PREALLOC;
    inodes_ =
        bpf_map_create(BPF_MAP_TYPE_HASH, "awl_unwind_inod", sizeof(FileKey), sizeof(FileCode), max_inodes, &hash);
    if (maps_ < 0 || files_ < 0 || inodes_ < 0) GTEST_SKIP() << "not allowed to make maps";
  }
  void TearDown() override {
    tables_.reset();
    for (const pid_t pid : children_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
    close(maps_);
    close(files_);
    close(inodes_);
  }

  void start(UnwindScope scope = {}) {
    auto tables = UnwindTables::start({maps_, files_, inodes_}, std::move(scope));
    if (!tables) GTEST_SKIP() << tables.error().message;
    tables_ = *std::move(tables);
    EXPECT_TRUE(tables_->wait(milliseconds(20000)));
    EXPECT_TRUE(tables_->left_out().empty());
  }

  // As the walk looks it up.
  [[nodiscard]] std::optional<Mapping> mapping(pid_t pid, uint64_t address) const {
    const MappingKey key{96, htobe32(static_cast<uint32_t>(pid)), htobe64(address)};
    Mapping out;
    if (bpf_map_lookup_elem(maps_, &key, &out) != 0 || address < out.start || address >= out.end) return std::nullopt;
    return out;
  }

  [[nodiscard]] std::vector<Row> rows(uint32_t file) const {
    uint32_t id = 0;
    std::vector<Row> out;
    if (bpf_map_lookup_elem(files_, &file, &id) != 0) return out;
    const int blocks = bpf_map_get_fd_by_id(id);
    std::vector<Row> block(rows_per_block);
    for (uint32_t i = 1; bpf_map_lookup_elem(blocks, &i, block.data()) == 0; i++)
      for (const Row &row : block)
        if (row.address != no_address) out.push_back(row);
    close(blocks);
    return out;
  }

  template <class Condition>
  static bool soon(Condition condition) {
    for (int i = 0; i < 2000; i++, usleep(1000))
      if (condition()) return true;
    return false;
  }

  template <class Body>
  pid_t child(Body body) {
    const pid_t pid = fork();
    if (pid == 0) {
      body();
      _exit(1);
    }
    children_.insert(pid);
    return pid;
  }

  void end(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    children_.erase(pid);
  }

  static std::vector<awl::Mapping> mappings_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/maps");
    return parse_maps(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  // All that has a file, or is the vDSO.
  bool complete(pid_t pid) {
    size_t mappings_known = 0;
    for (const awl::Mapping &one : mappings_of(pid)) {
      if (one.inode == 0 && one.path != "[vdso]") continue;
      const auto found = mapping(pid, one.start);
      if (!found || found->start != one.start || found->end != one.end) return false;
      mappings_known++;
    }
    return mappings_known > 0;
  }

  int maps_ = -1, files_ = -1, inodes_ = -1;
  std::unique_ptr<UnwindTables> tables_;
  std::set<pid_t> children_;
};

uint64_t here() { return reinterpret_cast<uint64_t>(&here); }

TEST_F(Tables, OwnCodeHasTheRowsOfItsFile) {
  start({{static_cast<uint32_t>(getpid())}, true, false});
  const auto found = mapping(getpid(), here());
  ASSERT_TRUE(found);
  const auto elf = ElfFile::open("/proc/self/exe");
  ASSERT_TRUE(elf);
  const auto expected = rows_of(**elf).value(), entered = rows(found->file);
  ASSERT_EQ(entered.size(), expected.size());
  EXPECT_EQ(std::memcmp(entered.data(), expected.data(), expected.size() * sizeof(Row)), 0);
  // push rbp; mov rsp, rbp: at the first instruction the return address is on top
  const Row row = row_at(entered, static_cast<uint32_t>(here() - found->bias));
  EXPECT_EQ(row.cfa, Cfa::Rsp);
  EXPECT_EQ(row.offset, 1);
}

TEST_F(Tables, ProcessesThatWereThereBefore) {
  const pid_t pid = child([] { execlp("sleep", "sleep", "100", nullptr); });
  ASSERT_TRUE(soon([&] { return mappings_of(pid).size() > 2; }));
  start({{static_cast<uint32_t>(pid)}, true, false});
  EXPECT_TRUE(soon([&] { return complete(pid); }));
}

TEST_F(Tables, ProcessesThatComeAndGo) {
  start();
  const pid_t copy = child([] { pause(); });
  EXPECT_TRUE(soon([&] { return complete(copy); }));
  const pid_t other = child([] { execlp("sleep", "sleep", "100", nullptr); });
  EXPECT_TRUE(soon([&] { return mappings_of(other).size() > 2 && complete(other) && !mapping(other, here()); }));
  end(copy);
  EXPECT_TRUE(soon([&] { return !mapping(copy, here()); }));
}

// What the walk finds in the kernel leads to the same table.
TEST_F(Tables, FilesByInode) {
  start({{static_cast<uint32_t>(getpid())}, true, false});
  struct stat status{};
  ASSERT_EQ(stat("/proc/self/exe", &status), 0);
  uint64_t device = 0;
  for (const awl::Mapping &one : mappings_of(getpid()))
    if (one.inode == status.st_ino)
      device = std::stoul(one.device, nullptr, 16) << 20 | std::stoul(one.device.substr(3), nullptr, 16);
  const FileKey key{device, status.st_ino, static_cast<uint64_t>(status.st_size)};
  FileCode code;
  ASSERT_EQ(bpf_map_lookup_elem(inodes_, &key, &code), 0);
  EXPECT_EQ(code.file, mapping(getpid(), here())->file);
  EXPECT_NE(code.segments[0].size, 0U);
  const FileKey vdso{};
  EXPECT_EQ(bpf_map_lookup_elem(inodes_, &vdso, &code), 0);
}

// A file that nobody maps yet, and what it is linked to.
TEST_F(Tables, FilesThatAreToBeMapped) {
  UnwindScope scope;
  scope.first = {static_cast<uint32_t>(getpid())};
  scope.only_first = true;
  scope.files = {"/usr/bin/perl"};
  const auto perl = ElfFile::open(scope.files.front());
  if (!perl || (*perl)->needed_libraries().empty()) GTEST_SKIP() << "no program that links libraries";
  start(scope);
  std::vector<FileKey> keys;
  FileKey key;
  for (const FileKey *at = nullptr; bpf_map_get_next_key(inodes_, at, &key) == 0; at = &keys.back())
    keys.push_back(key);
  for (const std::string &path : {scope.files.front(), resolve_binary("libcrypt.so.1").value_or("")}) {
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) continue;
    EXPECT_TRUE(std::ranges::any_of(keys, [&](const FileKey &one) {
      return one.inode == status.st_ino && one.size == static_cast<uint64_t>(status.st_size);
    })) << path;
  }
}

TEST_F(Tables, FilesMappedLater) {
  start({{static_cast<uint32_t>(getpid())}, true, false});
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const auto elf = ElfFile::open("/proc/self/exe");
  const FileSegment code = layout_of(**elf).code.front();
  const uint64_t page = code.offset & ~uint64_t{4095};
  void *at = mmap(nullptr, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, static_cast<off_t>(page));
  ASSERT_NE(at, MAP_FAILED);
  const auto address = reinterpret_cast<uint64_t>(at);
  EXPECT_TRUE(soon([&] { return mapping(getpid(), address + 4096).has_value(); }));
  EXPECT_EQ(mapping(getpid(), address)->file, mapping(getpid(), here())->file);
  // Generated code over its second half.
  mmap(reinterpret_cast<void *>(address + 4096), 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  EXPECT_TRUE(soon([&] { return !mapping(getpid(), address + 4096); }));
  EXPECT_TRUE(mapping(getpid(), address));
  munmap(at, 8192);
  close(fd);
}

TEST_F(Tables, FileThatIsDeleted) {
  const std::string path = "/tmp/awl-unwind-" + std::to_string(getpid());
  ASSERT_TRUE(std::filesystem::copy_file("/proc/self/exe", path, std::filesystem::copy_options::overwrite_existing));
  const pid_t pid = child([&] { execl(path.c_str(), path.c_str(), "--gtest_filter=Child.Sleeps", nullptr); });
  ASSERT_TRUE(soon([&] {
    const auto mappings = mappings_of(pid);  // none while exec() is under way
    return mappings.size() > 2 && mappings.front().path == path;
  }));
  unlink(path.c_str());
  start({{static_cast<uint32_t>(pid)}, true, false});
  EXPECT_TRUE(complete(pid));
}

TEST_F(Tables, OnlyChosenProcesses) {
  const pid_t chosen = child([] { pause(); });
  start({{static_cast<uint32_t>(chosen)}, true, false});
  const pid_t other = child([] { pause(); });
  EXPECT_TRUE(complete(chosen));
  usleep(50'000);
  EXPECT_FALSE(mapping(other, here()));
  EXPECT_FALSE(mapping(getpid(), here()));
}

TEST_F(Tables, ManyShortProcesses) {
  start();
  for (int i = 0; i < 200; i++) {
    const pid_t pid = child([] { execlp("true", "true", nullptr); });
    waitpid(pid, nullptr, 0);
    children_.erase(pid);
  }
  // All entries of processes that have ended are taken away.
  EXPECT_TRUE(soon([&] {
    std::set<uint32_t> seen;
    MappingKey key, next;
    for (int at = bpf_map_get_next_key(maps_, nullptr, &next); at == 0; at = bpf_map_get_next_key(maps_, &key, &next)) {
      key = next;
      seen.insert(be32toh(key.process_be));
    }
    return std::ranges::all_of(seen, [](uint32_t pid) { return kill(static_cast<pid_t>(pid), 0) == 0; });
  }));
}

TEST(Child, Sleeps) {
  if (std::string_view(::testing::GTEST_FLAG(filter)) == "Child.Sleeps") pause();
}

}  // namespace
}  // namespace awl::runtime::unwind
