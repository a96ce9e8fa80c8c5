#include "runtime/session/actions.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "base/fd.h"
#include "base/strings.h"
#include "runtime/image/image_check.h"
#include "runtime/maps/snapshot.h"
#include "runtime/output/aggregate.h"
#include "runtime/output/value_parts.h"

namespace awl {
const Actions::Handler Actions::kHandlers[] = {
#define AWL_ACTION(kind, handler, ...) &Actions::on_##handler,
#include "runtime/image/actions.def"
#undef AWL_ACTION
};

Actions::Actions(const Manifest &manifest, const Source &source, const FormatContext &context, Output &output,
                 ActionOptions options)
    : manifest_(manifest), source_(source), context_(context), output_(output), options_(options) {}

Result<void> Actions::prepare() {
  for (const Action &action : manifest_.actions) {
    Prepared prepared;
    prepared.action = &action;
    prepared.handler = kHandlers[static_cast<size_t>(action.kind)];
    TRY(check_action(action, manifest_));
    if (shape_of(action.kind).has_format) {
      prepared.format = TRY(parse_format(action.format));
      if (prepared.format.conversions != action.args.size() && !prepared.format.takes_stars(action.args.size()))
        return fail("a format does not fit its values");
    }
    if (action.kind == ActionKind::Percentiles) prepared.percents = TRY(parse_percents(action.format));
    prepared_.push_back(std::move(prepared));
  }
  return {};
}

void Actions::handle(std::span<const std::byte> record) {
  if (exiting_) return;
  RecordHeader header;
  if (record.size() >= sizeof(header)) std::memcpy(&header, record.data(), sizeof(header));
  if (record.size() < sizeof(header) || header.action >= prepared_.size() ||
      record.size() < prepared_[header.action].action->size) {
    Diagnostics diagnostics;
    diagnostics.emit(diag::RunFailed, Span{}, fmt::format("a record of {} bytes cannot be understood", record.size()));
    return tell(diagnostics);
  }
  const Prepared &prepared = prepared_[header.action];
  (this->*prepared.handler)(*prepared.action, record);
}

Value Actions::argument(const Action &action, size_t index, std::span<const std::byte> record) const {
  const ArgSlot &slot = action.args[index];
  return {slot.type, record.subspan(slot.offset, slot.type->size)};
}

const std::string &Actions::formatted(const Action &action, std::span<const std::byte> record) {
  values_.clear();
  for (size_t i = 0; i < action.args.size(); i++) values_.push_back(argument(action, i, record));
  text_.clear();
  append_formatted(text_, prepared_[static_cast<size_t>(&action - manifest_.actions.data())].format, values_, context_);
  return text_;
}

std::optional<LoadedMap> Actions::map_of(const Action &action) {
  if (!maps_) return std::nullopt;
  const auto index = static_cast<size_t>(action.map);
  if (action.take == MapTake::First) {
    Result<LoadedMap> taken = sides_->take(index);
    if (taken) return *taken;
    map_failed(action, taken.error());
    return std::nullopt;
  }
  if (action.take == MapTake::More)
    if (std::optional<LoadedMap> taken = sides_->taken(index)) return taken;
  return (*maps_)[index];
}

void Actions::tell(const Diagnostics &diagnostics) {
  for (const Diagnostic &diagnostic : diagnostics.all()) output_.message(diagnostic, source_);
}

void Actions::map_failed(const Action &action, const Error &error) {
  Diagnostics diagnostics;
  diagnostics.emit(diag::MapFailed, action.span, manifest_.maps[static_cast<size_t>(action.map)].name, error.message)
      .with_hint(error.hint);
  tell(diagnostics);
}

// --- The handlers ------------------------------------------------------------------------------------

void Actions::on_printf(const Action &action, std::span<const std::byte> record) {
  output_.record(RecordKind::Printf, formatted(action, record));
}

void Actions::on_print(const Action &action, std::span<const std::byte> record) {
  output_.value(argument(action, 0, record));
}

std::optional<MapView> Actions::view_of(const Action &action, std::span<const std::byte> record) {
  const std::optional<LoadedMap> map = map_of(action);
  if (!map) return std::nullopt;
  // A missing entry has no value: it is shown as 0 where that makes sense.
  Result<MapView> view =
      action.args.empty() ? snapshot(*map, action.top) : snapshot_entry(*map, argument(action, 0, record).bytes);
  if (!view) {
    map_failed(action, view.error());
    return std::nullopt;
  }
  view->div = action.div;
  return *std::move(view);
}

void Actions::on_print_map(const Action &action, std::span<const std::byte> record) {
  if (const std::optional<MapView> view = view_of(action, record)) output_.map(*view);
}

void Actions::on_print_key(const Action &action, std::span<const std::byte> record) {
  if (const std::optional<MapView> view = view_of(action, record)) output_.map_entry(*view);
}

void Actions::on_percentiles(const Action &action, std::span<const std::byte> record) {
  const std::optional<MapView> view = view_of(action, record);
  if (view) output_.percentiles(*view, prepared_[static_cast<size_t>(&action - manifest_.actions.data())].percents);
}

void Actions::drop(const Action &action, bool keep_keys) {
  const auto index = static_cast<size_t>(action.map);
  const MapInfo &info = manifest_.maps[index];
  if (!info.key && !keep_keys) zeroed_.erase(info.name);
  if (!info.key && keep_keys) {
    Result<std::vector<MapEntry>> held = read_map((*maps_)[index]);
    if (held && !held->empty()) zeroed_.insert(info.name);
  }
  Result<void> done;
  if (action.take == MapTake::More)
    done = sides_->drop(index, keep_keys);
  else
    done = keep_keys ? zero_map((*maps_)[index]) : clear_map((*maps_)[index]);
  if (!done) map_failed(action, done.error());
}

void Actions::on_clear(const Action &action, std::span<const std::byte>) {
  if (maps_) drop(action, false);
}

void Actions::on_zero(const Action &action, std::span<const std::byte>) {
  if (maps_) drop(action, true);
}

void Actions::on_time(const Action &action, std::span<const std::byte>) {
  output_.record(RecordKind::Time, format_time(action.format, clock_ns(CLOCK_REALTIME)));
}

void Actions::on_cat(const Action &action, std::span<const std::byte> record) {
  const std::string path = formatted(action, record);
  Result<std::string> content = read_for_cat(path, manifest_.config.max_cat_bytes);
  if (content) return output_.record(RecordKind::Cat, *content);
  Diagnostics diagnostics;
  diagnostics.emit(diag::CatFailed, action.span, path, content.error().message);
  tell(diagnostics);
}

// The list ends at the first empty string: that is how the end of argv[] is read.
void Actions::on_join(const Action &action, std::span<const std::byte> record) {
  text_.clear();
  // The number of strings, then all of them.
  const uint64_t count = std::min<uint64_t>(scalar_of(argument(action, 0, record)), action.args.size() - 1);
  for (size_t i = 1; i <= count; i++) {
    if (i > 1) text_ += action.format;
    text_ += string_of(argument(action, i, record));
  }
  output_.record(RecordKind::Join, text_);
}

void Actions::on_system(const Action &action, std::span<const std::byte> record) {
  const std::string command = formatted(action, record);
  Diagnostics diagnostics;
  if (!options_.unsafe) {
    diagnostics.emit(diag::CommandRefused, action.span, command);
    return tell(diagnostics);
  }
  output_.flush();  // what was printed before comes before what the command prints to stderr
  std::string collected;
  Result<Fd> done = run_shell(command, [&](std::string_view piece) {
    if (options_.json) {
      collected += piece;
    } else {
      output_.record(RecordKind::Command, piece);
      output_.end_of_batch();
    }
  });
  if (!collected.empty()) output_.record(RecordKind::Command, collected);
  if (done && *done) background_.add(*std::move(done));
  if (done) return;
  diagnostics.emit(diag::CommandNotRun, action.span, command, done.error().message);
  tell(diagnostics);
}

void Actions::pass_on_background() {
  background_.pass_on([this](std::string_view piece) { output_.record(RecordKind::Command, piece); });
  output_.end_of_batch();
}

void Actions::on_exit(const Action &action, std::span<const std::byte> record) {
  exiting_ = true;
  exit_status_ = static_cast<int>(scalar_of(argument(action, 0, record)));
}

void Actions::on_errorf(const Action &action, std::span<const std::byte> record) {
  errors_++;
  Diagnostics diagnostics;
  diagnostics.emit(diag::ScriptError, action.span, std::string(trim(formatted(action, record))));
  tell(diagnostics);
}

void Actions::on_warnf(const Action &action, std::span<const std::byte> record) {
  Diagnostics diagnostics;
  diagnostics.emit(diag::ScriptWarning, action.span, std::string(trim(formatted(action, record))));
  tell(diagnostics);
}

void Actions::open_files(Diagnostics &diagnostics) {
  for (const Action &action : manifest_.actions) {
    if (action.kind != ActionKind::Packet || packets_.contains(action.format)) continue;
    if (auto file = PacketFile::create(action.format))
      packets_[action.format] = *std::move(file);
    else
      diagnostics.emit(diag::PacketsFailed, action.span, action.format, file.error().message);
  }
}

void Actions::on_packet(const Action &action, std::span<const std::byte> record) {
  PacketFile &file = *packets_.at(action.format);
  const auto number = [&](size_t index) { return scalar_of(argument(action, index, record)); };
  const auto time = static_cast<int64_t>(number(0)) + context_.boot_to_wall_ns;
  Result<void> written = file.write(time, buffer_bytes(argument(action, 3, record)), number(1), number(2));
  if (written) return;
  Diagnostics diagnostics;
  diagnostics.emit(diag::PacketsFailed, action.span, action.format, written.error().message);
  tell(diagnostics);
}

void Actions::report_files() {
  Diagnostics diagnostics;
  for (const auto &[path, file] : packets_)
    if (file->cut() > 0)
      diagnostics.emit(diag::PacketsCut, Span{}, path, counted(file->packets(), "packet"), file->cut())
          .with_hint("of a packet at most 2048 bytes are taken, of those that the kernel keeps in one piece");
  tell(diagnostics);
}

void Actions::on_unwatch(const Action &action, std::span<const std::byte> record) {
  if (unwatch_) unwatch_(scalar_of(argument(action, 0, record)));
}

Result<std::string> read_for_cat(const std::string &path, size_t limit) {
  // A pipe without writer must not stop the run.
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail(std::strerror(errno));
  std::string content;
  char buffer[16384];
  int error = 0;
  while (content.size() < limit) {
    const ssize_t n = read(file.get(), buffer, std::min(sizeof(buffer), limit - content.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && content.empty()) error = errno;
    if (n <= 0) break;
    content.append(buffer, static_cast<size_t>(n));
  }
  if (error != 0) return fail(std::strerror(error));
  return content;
}

}  // namespace awl
