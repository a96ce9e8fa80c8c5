// A compiled script in the kernel: programs can be started, maps and state read.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "build.h"

struct bpf_object;

namespace awl::testing {

// Bytes of the object; "" after reporting diagnostics as test failures.
std::string compile(const Script &script, std::string *ir = nullptr);

class Loaded {
 public:
  // Null after reporting why as a test failure. Relocated against `btf`, a whole BTF blob, if given.
  static std::unique_ptr<Loaded> load(const Script &script, const std::string &btf = {});
  ~Loaded();

  // Starts a raw tracepoint program with up to 12 arguments.
  void run(std::initializer_list<uint64_t> args = {}, const std::string &program = "prog");
  [[nodiscard]] uint64_t state(uint32_t word) const { return state_[word]; }
  void set_state(uint32_t word, uint64_t value) { state_[word] = value; }
  [[nodiscard]] int map_fd(const std::string &name) const;
  [[nodiscard]] int own_map_fd(const std::string &name) const;  // of a map that is not the script's
  [[nodiscard]] int program_fd(const std::string &program = "prog") const;
  [[nodiscard]] int instructions(const std::string &program = "prog") const;

  // Value of a key, summed word by word over CPUs for per-CPU maps; empty if there is none.
  [[nodiscard]] std::vector<uint64_t> words_at(const std::string &map, const void *key) const;
  [[nodiscard]] std::vector<uint64_t> words(const std::string &map, uint64_t key) const { return words_at(map, &key); }
  // First word of a scalar map.
  [[nodiscard]] uint64_t scalar(const std::string &map) const;
  // First element of the table of USDT arguments.
  void set_usdt(const UsdtSpec &spec);
  // Records of the ring buffer so far.
  std::vector<std::string> records();

 private:
  bpf_object *object_ = nullptr;
  uint64_t *state_ = nullptr;
  size_t state_bytes_ = 0;
};

// Loading needs root: otherwise the test is skipped.
#define LOAD(name, script)                                                             \
  if (geteuid() != 0) GTEST_SKIP() << "loading programs needs root";                   \
  std::unique_ptr<::awl::testing::Loaded> name = ::awl::testing::Loaded::load(script); \
  ASSERT_TRUE(name)

}  // namespace awl::testing
