// From the Image's object to loaded programs and maps.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "runtime/image/manifest.h"
#include "runtime/maps/map_reader.h"
#include "runtime/probes/provider.h"
#include "runtime/session/shared_state.h"
#include "runtime/types/type_store.h"

struct bpf_object;

namespace awl {

struct LoadOptions {
  std::string btf;                                                    // file with the kernel's types
  std::vector<uint64_t> params = std::vector<uint64_t>(kParamCount);  // awl_params, by ParamWord, then the script's
  uint32_t usdt_specs = 0;                                            // elements that awl_usdt must hold
  std::map<std::string, uint32_t> attach_types;        // programs that must be loaded for a special way of attaching
  std::map<std::string, AttachTarget> attach_targets;  // fentry, fexit, iter: by program
  std::map<std::string, uint32_t> select_maps;  // those of awl_pids, awl_comms, awl_cgroups to make: their entries
  bool only_once = false;                       // nothing but begin and end programs: a small ring buffer will do
  bool verbose = false;                         // print the verifier's whole log on failure
  std::set<std::string> programs;               // only these are loaded
  bool show_libbpf = false;                     // print all that libbpf says
  bool show_verifier = false;                   // print the verifier's log of every program
};

class LoadedObject {
 public:
  ~LoadedObject();
  LoadedObject(const LoadedObject &) = delete;
  LoadedObject &operator=(const LoadedObject &) = delete;

  [[nodiscard]] int program(std::string_view name) const;  // descriptor, -1 if there is none
  [[nodiscard]] int map(std::string_view name) const;      // by its name in the object, -1 if there is none
  // As many as the manifest has, in its order; a map that the object lacks has descriptor -1.
  [[nodiscard]] std::vector<LoadedMap> &maps() { return maps_; }
  [[nodiscard]] int ring_buffer() const { return ring_buffer_; }  // -1 if the script sends no records
  SharedState &state() { return state_; }
  [[nodiscard]] StatePlace state_place(uint32_t word) const {
    return {state_map_, state_offset_ + word * static_cast<uint32_t>(sizeof(uint64_t))};
  }

 private:
  friend class Loader;
  LoadedObject() = default;
  bpf_object *object_ = nullptr;
  std::vector<LoadedMap> maps_;
  int ring_buffer_ = -1;
  SharedState state_;
  int state_map_ = -1;
  uint32_t state_offset_ = 0;
};

// Null after an E06xx diagnostic.
std::unique_ptr<LoadedObject> load_object(const Image &image, TypeStore &store, const LoadOptions &options,
                                          const Source &source, Diagnostics &diagnostics);

// Runs a begin or end program once, on this CPU. The result is what it returned.
Result<uint32_t> run_once(int program_fd);

}  // namespace awl
