// Does what the records of the programs ask for (actions.def).
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "runtime/image/manifest.h"
#include "runtime/maps/map_reader.h"
#include "runtime/output/output.h"
#include "runtime/output/printf.h"
#include "runtime/session/map_sides.h"
#include "runtime/session/packet_file.h"
#include "runtime/session/shell.h"

namespace awl {

struct ActionOptions {
  bool unsafe = false;  // system() may run
  bool json = false;    // output of a command is one message, not many
};

// Handles records. Prepared once; what a record needs is then allocated no more.
class Actions {
 public:
  Actions(const Manifest &manifest, const Source &source, const FormatContext &context, Output &output,
          ActionOptions options);

  // Parses all formats and checks the layout of records against the types, so that handling trusts them.
  Result<void> prepare();
  // True if zero() was the last that happened to a map without keys that held something: it then shows 0, while one
  // that was cleared shows nothing.
  [[nodiscard]] bool zeroed(const MapInfo &map) const { return zeroed_.contains(map.name); }
  void set_maps(std::vector<LoadedMap> &maps, SharedState &state) {
    maps_ = &maps;
    sides_.emplace(maps, state);
  }

  // What unwatch() does with an address.
  void set_unwatch(std::function<void(uint64_t)> unwatch) { unwatch_ = std::move(unwatch); }
  // Files that records are written to.
  void open_files(Diagnostics &diagnostics);
  // At the end: tells which of these hold less than was asked for.
  void report_files();

  void handle(std::span<const std::byte> record);

  // Readable when a command of system() that stays in the background has printed something.
  [[nodiscard]] int background() const { return background_.descriptor(); }
  void pass_on_background();

  // Set by exit(): from then on records are not handled until resume().
  [[nodiscard]] bool exiting() const { return exiting_; }
  [[nodiscard]] std::optional<int> exit_status() const { return exit_status_; }
  void resume() { exiting_ = false; }
  // Forgets an exit(): tests go on behind one that ended.
  void forget_exit() { exiting_ = false, exit_status_.reset(); }
  [[nodiscard]] uint64_t errors() const { return errors_; }  // calls of errorf() so far

 private:
  using Handler = void (Actions::*)(const Action &, std::span<const std::byte>);
  static const Handler kHandlers[];  // by ActionKind

  struct Prepared {
    const Action *action = nullptr;
    Format format;
    std::vector<double> percents;
    Handler handler = nullptr;
  };

#define AWL_ACTION(kind, handler, ...) void on_##handler(const Action &, std::span<const std::byte>);
#include "runtime/image/actions.def"
#undef AWL_ACTION

  [[nodiscard]] Value argument(const Action &action, size_t index, std::span<const std::byte> record) const;
  // The format with the record's values, in text_.
  const std::string &formatted(const Action &action, std::span<const std::byte> record);
  // The map, or what was taken of it; null after a message.
  std::optional<LoadedMap> map_of(const Action &action);
  // Its entries in printing order, or the one whose key is the record's argument; nullopt after a message.
  std::optional<MapView> view_of(const Action &action, std::span<const std::byte> record);
  void drop(const Action &action, bool keep_keys);
  void tell(const Diagnostics &diagnostics);
  void map_failed(const Action &action, const Error &error);

  const Manifest &manifest_;
  const Source &source_;
  const FormatContext &context_;
  Output &output_;
  ActionOptions options_;
  const std::vector<LoadedMap> *maps_ = nullptr;
  std::optional<MapSides> sides_;
  std::vector<Prepared> prepared_;
  std::set<std::string> zeroed_;
  std::vector<Value> values_;
  std::string text_;
  bool exiting_ = false;
  std::optional<int> exit_status_;
  uint64_t errors_ = 0;
  std::map<std::string, std::unique_ptr<PacketFile>> packets_;  // by path
  std::function<void(uint64_t)> unwatch_;
  BackgroundOutput background_;
};

// At most `limit` bytes of a file, as cat() shows them.
Result<std::string> read_for_cat(const std::string &path, size_t limit);

}  // namespace awl
