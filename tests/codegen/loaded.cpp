#include "loaded.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdarg>
#include <cstring>
#include <string_view>

#include "c_import/compile.h"
#include "codegen/codegen.h"

namespace awl::testing {

namespace {

std::string log_text;

int keep_log(enum libbpf_print_level level, const char *format, va_list args) {
  if (level == LIBBPF_DEBUG) return 0;
  char line[65536];
  vsnprintf(line, sizeof line, format, args);
  log_text += line;
  return 0;
}

}  // namespace

std::string compile(const Script &script, std::string *ir) {
  Source source("test.awl", script.text);
  Diagnostics diagnostics;
  CodegenOptions options;
  options.optimised = ir;
  auto bytes = emit(script.module, script.manifest, source, options, diagnostics);
  for (const Diagnostic &one : diagnostics.all()) ADD_FAILURE() << one.message;
  return bytes.value_or("");
}

std::unique_ptr<Loaded> Loaded::load(const Script &script, const std::string &btf) {
  std::string bytes = compile(script);
  if (bytes.empty()) return nullptr;
  if (script.manifest.unwinds) {
    Result<std::string> linked = link_objects(bytes, {unwinder_object()});
    EXPECT_TRUE(linked) << linked.error().message;
    bytes = linked.value_or("");
  }
  log_text.clear();
  libbpf_set_print(keep_log);
  auto loaded = std::make_unique<Loaded>();
  if (const char *path = getenv("AWL_KEEP_OBJECT")) {
    FILE *file = fopen(path, "w");
    fwrite(bytes.data(), 1, bytes.size(), file);
    fclose(file);
  }
  int memory_file = memfd_create("btf", 0);
  std::string path = "/proc/self/fd/" + std::to_string(memory_file);
  EXPECT_EQ(write(memory_file, btf.data(), btf.size()), static_cast<ssize_t>(btf.size()));
  bpf_object_open_opts options = {};
  options.sz = sizeof options;
  options.btf_custom_path = btf.empty() ? nullptr : path.c_str();
  loaded->object_ = bpf_object__open_mem(bytes.data(), bytes.size(), &options);
  // What awl tells its programs of the machine.
  for (bpf_map *map = nullptr; loaded->object_ && (map = bpf_object__next_map(loaded->object_, map));) {
    size_t size = 0;
    if (!std::string_view(bpf_map__name(map)).ends_with(".rodata")) continue;
    const void *initial = bpf_map__initial_value(map, &size);
    if (!initial || size < kParamCount * sizeof(uint64_t)) continue;
    std::vector<uint64_t> words(size / sizeof(uint64_t));
    memcpy(words.data(), initial, size);
    words[kParamCpus] = static_cast<uint64_t>(libbpf_num_possible_cpus());
    bpf_map__set_initial_value(map, words.data(), size);
  }
  bool failed = !loaded->object_ || bpf_object__load(loaded->object_) != 0;
  close(memory_file);
  if (failed) {
    ADD_FAILURE() << log_text;
    return nullptr;
  }
  if (!log_text.empty()) ADD_FAILURE() << "libbpf is not content: " << log_text;
  bpf_map *bss = bpf_object__find_map_by_name(loaded->object_, ".bss");
  if (!bss) bss = bpf_object__next_map(loaded->object_, nullptr);
  for (bpf_map *map = nullptr; (map = bpf_object__next_map(loaded->object_, map));)
    if (strstr(bpf_map__name(map), ".bss")) bss = map;
  loaded->state_bytes_ = (bpf_map__value_size(bss) + 4095) / 4096 * 4096;
  void *memory = mmap(nullptr, loaded->state_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(bss), 0);
  if (memory == MAP_FAILED) {
    ADD_FAILURE() << "awl_state cannot be mapped";
    return nullptr;
  }
  loaded->state_ = static_cast<uint64_t *>(memory);
  return loaded;
}

Loaded::~Loaded() {
  if (state_) munmap(state_, state_bytes_);
  bpf_object__close(object_);
}

void Loaded::run(std::initializer_list<uint64_t> args, const std::string &program) {
  uint64_t context[12] = {};
  std::copy(args.begin(), args.end(), context);
  bpf_test_run_opts options = {};
  options.sz = sizeof options;
  options.ctx_in = context;
  options.ctx_size_in = sizeof context;
  bpf_program *found = bpf_object__find_program_by_name(object_, program.c_str());
  ASSERT_TRUE(found);
  ASSERT_EQ(bpf_prog_test_run_opts(bpf_program__fd(found), &options), 0) << strerror(errno);
}

int Loaded::map_fd(const std::string &name) const {
  return bpf_object__find_map_fd_by_name(object_, ("AT_" + name).c_str());
}

int Loaded::own_map_fd(const std::string &name) const { return bpf_object__find_map_fd_by_name(object_, name.c_str()); }

int Loaded::program_fd(const std::string &program) const {
  return bpf_program__fd(bpf_object__find_program_by_name(object_, program.c_str()));
}

int Loaded::instructions(const std::string &program) const {
  return bpf_program__insn_cnt(bpf_object__find_program_by_name(object_, program.c_str()));
}

std::vector<uint64_t> Loaded::words_at(const std::string &name, const void *key) const {
  bpf_map *map = bpf_object__find_map_by_name(object_, ("AT_" + name).c_str());
  bool per_cpu = bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_HASH || bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY;
  size_t count = (bpf_map__value_size(map) + 7) / 8;
  size_t cpus = per_cpu ? libbpf_num_possible_cpus() : 1;
  std::vector<uint64_t> raw(count * cpus);
  if (bpf_map_lookup_elem(bpf_map__fd(map), key, raw.data()) != 0) return {};
  std::vector<uint64_t> sum(count);
  for (size_t i = 0; i < raw.size(); ++i) sum[i % count] += raw[i];
  return sum;
}

uint64_t Loaded::scalar(const std::string &map) const {
  uint64_t index = 0;
  return words(map, index).at(0);
}

void Loaded::set_usdt(const UsdtSpec &spec) {
  uint32_t index = 0;
  ASSERT_EQ(bpf_map_update_elem(bpf_object__find_map_fd_by_name(object_, "awl_usdt"), &index, &spec, BPF_ANY), 0);
}

std::vector<std::string> Loaded::records() {
  std::vector<std::string> found;
  auto keep = [](void *list, void *data, size_t size) {
    static_cast<std::vector<std::string> *>(list)->emplace_back(static_cast<char *>(data), size);
    return 0;
  };
  ring_buffer *ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object_, "awl_ringbuf"), keep, &found, nullptr);
  if (!ring) return found;
  ring_buffer__consume(ring);
  ring_buffer__free(ring);
  return found;
}

}  // namespace awl::testing
