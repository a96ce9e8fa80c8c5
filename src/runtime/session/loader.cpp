#include "runtime/session/loader.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/btf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/fd.h"
#include "base/strings.h"
#include "runtime/probes/bpf_programs.h"
#include "runtime/session/libbpf_options.h"
#include "runtime/session/libbpf_print.h"
#include "runtime/session/load_failure.h"
#include "runtime/session/unwinder.h"
#include "runtime/types/btf.h"

namespace awl {
namespace {

// Maps that codegen makes besides those of the manifest.
constexpr const char *kRingBuffer = "awl_ringbuf";
constexpr const char *kUsdtSpecs = "awl_usdt";

constexpr uint32_t kSmallRing = 1 << 20;
constexpr uint32_t kDefaultFrames = 127;  // of a stack for which the script names no number

// Place of a global variable: its section, and where it lies in it.
struct Variable {
  std::string section;
  uint32_t offset = 0;
};

std::optional<Variable> find_variable(const btf *types, std::string_view name) {
  for (uint32_t id = 1; id < btf__type_cnt(types); id++) {
    const btf_type *type = btf__type_by_id(types, id);
    if (BTF_INFO_KIND(type->info) != BTF_KIND_DATASEC) continue;
    const auto *info = reinterpret_cast<const btf_var_secinfo *>(type + 1);
    for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++, info++) {
      const btf_type *variable = btf__type_by_id(types, info->type);
      if (name == btf__name_by_offset(types, variable->name_off))
        return Variable{btf__name_by_offset(types, type->name_off), info->offset};
    }
  }
  return std::nullopt;
}

// libbpf names the map of a section "<object>.<section>".
bpf_map *section_map(const bpf_object *object, std::string_view section) {
  bpf_map *map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (bpf_map__is_internal(map) && std::string_view(bpf_map__name(map)).ends_with(section)) return map;
  }
  return nullptr;
}

// Where the verifier writes when it rejects a program. Pages are taken only when written, so the size costs
// nothing; kernels before 6.4 keep the start of a log that does not fit instead of its end.
class LogBuffer {
 public:
  explicit LogBuffer(size_t wanted) : size_(std::clamp<size_t>(wanted, 16 << 20, 512 << 20)) {
    void *base = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base != MAP_FAILED) data_ = static_cast<char *>(base);
  }
  LogBuffer(const LogBuffer &) = delete;
  LogBuffer &operator=(const LogBuffer &) = delete;
  ~LogBuffer() {
    if (data_) munmap(data_, size_);
  }
  [[nodiscard]] char *data() const { return data_; }
  [[nodiscard]] size_t size() const { return data_ ? size_ : 0; }
  [[nodiscard]] std::string text() const { return data_ ? std::string(data_, strnlen(data_, size_)) : std::string(); }

 private:
  size_t size_;
  char *data_ = nullptr;
};

// Without one: errno says why.
Fd memory_file(const std::string &bytes) {
  Fd file(memfd_create("awl-btf", MFD_CLOEXEC));
  size_t done = 0;
  while (file && done < bytes.size()) {
    const ssize_t n = write(file.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Fd();
    done += static_cast<size_t>(n);
  }
  return file;
}

}  // namespace

class Loader {
 public:
  Loader(const Image &image, TypeStore &store, const LoadOptions &options, const Source &source,
         Diagnostics &diagnostics)
      : image_(image),
        manifest_(image.manifest),
        store_(store),
        options_(options),
        source_(source),
        diagnostics_(diagnostics),
        print_(options.show_libbpf),
        log_(manifest_.config.log_size) {}

  std::unique_ptr<LoadedObject> load() {
    if (!make_kernel_types() || !open() || !adjust() || !set_params()) return nullptr;
    if (const int err = bpf_object__load(object_); err != 0) {
      const LoadFailure failure{-err, print_.text(), print_.reason(), log_.text(), options_.verbose};
      explain_load_failure(failure, image_, source_, diagnostics_);
      print_logs();
      return nullptr;
    }
    print_logs();
    if (options_.verbose && !print_.text().empty()) fputs(print_.text().c_str(), stderr);
    return finish();
  }

 private:
  // The types that CO-RE relocations need, as a file: libbpf would parse the whole kernel's BTF otherwise (14 ms).
  bool make_kernel_types() {
    if (manifest_.core_structs.empty()) return true;
    const CoreStruct *kernel_type = nullptr;
    for (const CoreStruct &needed : manifest_.core_structs)
      if (!needed.name.starts_with("tracepoint ")) kernel_type = &needed;
    if (kernel_type && access(options_.btf.c_str(), R_OK) != 0) {
      diagnostics_.emit(diag::NoKernelTypes, Span{}, kernel_type->name)
          .with_hint(
              "the kernel must be built with CONFIG_DEBUG_INFO_BTF=y (Debian, Fedora and Ubuntu kernels are), or "
              "BPFTRACE_BTF name a file with its types");
      return false;
    }
    Result<MinimalBtf> btf = make_minimal_btf(store_, manifest_.core_structs);
    if (!btf) {
      diagnostics_.emit(diag::LoadFailed, Span{}, btf.error().message).with_hint(btf.error().hint);
      return false;
    }
    if (!btf->missing.empty()) {
      for (const std::string &name : btf->missing)
        diagnostics_.emit(diag::MissingField, Span{}, name)
            .with_hint("the program was compiled for another kernel; compile the script on this one to see the place");
      return false;
    }
    if (manifest_.has_c) return make_all_kernel_types();
    return keep_types(btf->bytes);
  }

  bool keep_types(const std::string &bytes) {
    types_ = memory_file(bytes);
    return types_ || broken(std::string("memfd_create: ") + strerror(errno));
  }

  // What C functions touch is not known: all of the kernel's types, and those of the events' records.
  bool make_all_kernel_types() {
    std::vector<CoreStruct> events;
    for (const CoreStruct &needed : manifest_.core_structs)
      if (needed.name.starts_with("tracepoint ")) events.push_back(needed);
    if (events.empty()) return true;
    Result<MinimalBtf> own = make_minimal_btf(store_, events);
    if (!own) return broken(own.error().message);
    const std::unique_ptr<btf, void (*)(btf *)> all(btf__parse(options_.btf.c_str(), nullptr), btf__free);
    const std::unique_ptr<btf, void (*)(btf *)> more(
        btf__new(own->bytes.data(), static_cast<uint32_t>(own->bytes.size())), btf__free);
    if (!all || !more || btf__add_btf(all.get(), more.get()) < 0) return broken("cannot read the kernel's types");
    uint32_t size = 0;
    const void *raw = btf__raw_data(all.get(), &size);
    if (!raw) return broken("cannot write the kernel's types down");
    return keep_types(std::string(static_cast<const char *>(raw), size));
  }

  bool open() {
    auto opts = libbpf_options<bpf_object_open_opts>();
    opts.object_name = "awl";
    std::string path;
    if (types_) {
      path = "/proc/self/fd/" + std::to_string(types_.get());
      opts.btf_custom_path = path.c_str();
    }
    if (log_.size() > 0) {
      opts.kernel_log_buf = log_.data();
      opts.kernel_log_size = log_.size();
      opts.kernel_log_level = 0;  // libbpf loads without a log first, and once more with it after a failure
    }
    object_ = bpf_object__open_mem(image_.object.data(), image_.object.size(), &opts);
    if (object_) {
      owner_.reset(new LoadedObject);
      owner_->object_ = object_;
      return true;
    }
    return broken("cannot open the object: " +
                  (print_.reason().empty() ? std::string(strerror(errno)) : print_.reason()));
  }

  bool adjust() {
    if (bpf_map *usdt = bpf_object__find_map_by_name(object_, kUsdtSpecs); usdt && options_.usdt_specs > 0)
      bpf_map__set_max_entries(usdt, options_.usdt_specs);
    for (const MapInfo &map : manifest_.maps)
      if (map.parts >= 0 && !bound_parts(map, manifest_.maps[static_cast<size_t>(map.parts)])) return false;
    cap_stacks();
    for (const char *name : {"awl_pids", "awl_comms", "awl_cgroups"}) {
      bpf_map *map = bpf_object__find_map_by_name(object_, name);
      const auto wanted = options_.select_maps.find(name);
      if (map) bpf_map__set_autocreate(map, wanted != options_.select_maps.end());
      if (map && wanted != options_.select_maps.end()) bpf_map__set_max_entries(map, wanted->second);
    }
    for (const auto &[name, type] : options_.attach_types)
      if (bpf_program *program = bpf_object__find_program_by_name(object_, name.c_str()))
        bpf_program__set_expected_attach_type(program, static_cast<bpf_attach_type>(type));
    bpf_program *program = nullptr;
    bpf_object__for_each_program(program, object_) {
      const std::string name = bpf_program__name(program);
      if (!options_.programs.contains(name)) {
        bpf_program__set_autoload(program, false);
        continue;
      }
      if (options_.show_verifier) {
        LogBuffer &log = *logs_.emplace(name, std::make_unique<LogBuffer>(manifest_.config.log_size)).first->second;
        bpf_program__set_log_buf(program, log.data(), log.size());
        bpf_program__set_log_level(program, 1);
      }
      if (bpf_program__type(program) != BPF_PROG_TYPE_TRACING) continue;
      auto target = options_.attach_targets.find(name);
      if (target == options_.attach_targets.end())  // its function is missing, and the script goes on without
        bpf_program__set_autoload(program, false);
      else if (!set_target(program, target->second))
        return false;
    }
    if (!options_.only_once) return true;
    // The kernel clears all pages of a ring buffer when it makes it: 8 MB take 1.3 ms.
    bpf_map *ring = bpf_object__find_map_by_name(object_, kRingBuffer);
    if (ring && bpf_map__max_entries(ring) > kSmallRing) bpf_map__set_max_entries(ring, kSmallRing);
    return true;
  }

  // The intervals of a series (MapInfo::parts) may fill a quarter of the memory; each has room on every CPU.
  bool bound_parts(const MapInfo &series, const MapInfo &parts) {
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    const int cpus = libbpf_num_possible_cpus();
    if (pages <= 0 || page <= 0 || cpus <= 0) return true;
    const uint64_t room = static_cast<uint64_t>(pages) / 4 * static_cast<uint64_t>(page);
    const uint64_t bytes = uint64_t{parts.value_size} * static_cast<uint64_t>(cpus);
    const uint64_t one_key = series_parts(series.value->series_length);
    if (one_key * bytes > room)
      return broken(fmt::format(
          "the {} intervals of `{}` take {} MB on {} CPUs, more than a quarter of the memory; "
          "at most {} fit",
          series.value->series_length, series.name, one_key * bytes >> 20, cpus, room / bytes * kSeriesPart));
    bpf_map *map = bpf_object__find_map_by_name(object_, parts.bpf_name.c_str());
    if (map && parts.max_entries > room / bytes) bpf_map__set_max_entries(map, static_cast<uint32_t>(room / bytes));
    return true;
  }

  // The kernel refuses maps for stacks deeper than an administrator allows. Who asked for a number is told.
  void cap_stacks() {
    const Result<std::string> text = read_file("/proc/sys/kernel/perf_event_max_stack");
    const std::optional<uint64_t> limit = text ? parse_unsigned(trim(*text)) : std::nullopt;
    if (!limit || *limit == 0) return;
    for (const MapInfo &info : manifest_.maps) {
      if (info.role != MapRole::Stack || info.stack_frames <= *limit) continue;
      bpf_map *map = bpf_object__find_map_by_name(object_, info.bpf_name.c_str());
      if (!map) continue;
      const auto most = static_cast<uint32_t>(*limit);
      bpf_map__set_value_size(map, bpf_map__value_size(map) / info.stack_frames * most);
      if (info.stack_frames < kDefaultFrames)
        diagnostics_.emit(diag::StackCapped, info.span, info.stack_frames, most)
            .with_hint("an administrator can allow more: sysctl kernel.perf_event_max_stack");
    }
  }

  bool set_target(bpf_program *program, const AttachTarget &target) {
    int fd = 0;
    if (target.bpf_program != 0) {
      Result<int> opened = open_bpf_program(target.bpf_program);
      if (!opened) return broken(opened.error().message);
      fd = traced_.emplace_back(*opened).get();
    }
    if (bpf_program__set_attach_target(program, fd, target.name.c_str()) == 0) return true;
    return broken(fmt::format("no function `{}` in the BTF of {}", target.name,
                              fd == 0 ? "the kernel" : "BPF program " + std::to_string(target.bpf_program)));
  }

  // -d verifier
  void print_logs() const {
    for (const auto &[name, log] : logs_) fprintf(stderr, "verifier, %s:\n%s\n", name.c_str(), log->text().c_str());
  }

  bool set_params() {
    const size_t bytes = options_.params.size() * sizeof(uint64_t);
    if (!set_constant("awl_params", options_.params.data(), bytes)) return false;
    if (!manifest_.unwinds) return true;
    const runtime::unwind::KernelLayout layout = kernel_layout(store_);
    return set_constant("awl_unwind_kernel", &layout, sizeof(layout));
  }

  bool set_constant(const char *name, const void *data, size_t bytes) {
    const btf *types = bpf_object__btf(object_);
    const std::optional<Variable> variable = types ? find_variable(types, name) : std::nullopt;
    if (!variable) return true;  // the script asks for none
    bpf_map *map = section_map(object_, variable->section);
    size_t size = 0;
    const void *initial = map ? bpf_map__initial_value(map, &size) : nullptr;
    if (!initial || variable->offset + bytes > size) return broken(std::string(name) + " does not fit its section");
    std::vector<char> value(static_cast<const char *>(initial), static_cast<const char *>(initial) + size);
    memcpy(value.data() + variable->offset, data, bytes);
    if (bpf_map__set_initial_value(map, value.data(), size) != 0) return broken("cannot set " + std::string(name));
    return true;
  }

  std::unique_ptr<LoadedObject> finish() {
    for (const MapInfo &info : manifest_.maps) {
      const int fd = owner_->map(info.bpf_name);
      owner_->maps_.push_back({&info, fd});
    }
    const auto at = [&](int32_t index) -> LoadedMap & { return owner_->maps_[static_cast<size_t>(index)]; };
    for (LoadedMap &map : owner_->maps_) {
      if (map.info->parts < 0) continue;
      map.parts = at(map.info->parts).info;
      map.parts_fd = at(map.info->parts).fd;
    }
    for (LoadedMap &map : owner_->maps_) {
      if (map.info->twin < 0) continue;
      map.other_fd = at(map.info->twin).fd;
      map.other_parts_fd = at(map.info->twin).parts_fd;
    }
    owner_->ring_buffer_ = owner_->map(kRingBuffer);
    const btf *types = bpf_object__btf(object_);
    const std::optional<Variable> variable = types ? find_variable(types, "awl_state") : std::nullopt;
    bpf_map *map = variable ? section_map(object_, variable->section) : nullptr;
    if (!map) {
      broken("the object has no awl_state");
      return nullptr;
    }
    Result<SharedState> state =
        SharedState::map(bpf_map__fd(map), bpf_map__value_size(map), variable->offset, manifest_.state_words);
    if (!state) {
      broken(state.error().message);
      return nullptr;
    }
    owner_->state_ = *std::move(state);
    owner_->state_map_ = bpf_map__fd(map);
    owner_->state_offset_ = variable->offset;
    return std::move(owner_);
  }

  bool broken(const std::string &why) {
    diagnostics_.emit(diag::LoadFailed, Span{}, why);
    return false;
  }

  const Image &image_;
  const Manifest &manifest_;
  TypeStore &store_;
  const LoadOptions &options_;
  const Source &source_;
  Diagnostics &diagnostics_;
  LibbpfPrint print_;
  LogBuffer log_;
  std::map<std::string, std::unique_ptr<LogBuffer>> logs_;  // by program, with show_verifier
  Fd types_;
  std::vector<Fd> traced_;  // programs that are traced
  bpf_object *object_ = nullptr;
  std::unique_ptr<LoadedObject> owner_;
};

LoadedObject::~LoadedObject() {
  if (object_) bpf_object__close(object_);
}

int LoadedObject::program(std::string_view name) const {
  const bpf_program *program = bpf_object__find_program_by_name(object_, std::string(name).c_str());
  return program ? bpf_program__fd(program) : -1;
}

int LoadedObject::map(std::string_view name) const {
  const bpf_map *map = bpf_object__find_map_by_name(object_, std::string(name).c_str());
  return map ? bpf_map__fd(map) : -1;
}

std::unique_ptr<LoadedObject> load_object(const Image &image, TypeStore &store, const LoadOptions &options,
                                          const Source &source, Diagnostics &diagnostics) {
  return Loader(image, store, options, source, diagnostics).load();
}

Result<uint32_t> run_once(int program_fd) {
  uint64_t context[12] = {};  // raw tracepoint programs get up to 12 arguments
  auto opts = libbpf_options<bpf_test_run_opts>();
  opts.ctx_in = context;
  opts.ctx_size_in = sizeof(context);
  if (const int err = bpf_prog_test_run_opts(program_fd, &opts); err != 0) return fail_errno("run program", -err);
  return opts.retval;
}

}  // namespace awl
