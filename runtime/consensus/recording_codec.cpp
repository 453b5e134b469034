// Bytes of a recording: little-endian numbers, lengths before what varies, a CRC32C at the end. It
// is written by hand because consensus stands below the wire layer, and its readers are people with
// the same release at hand. Writing needs no memory, because a dying process may do it.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <type_traits>

#include "runtime/consensus/input_ring.hpp"

namespace mainstay::consensus {

namespace {

constexpr std::string_view magic = "mainstay-inputs-2\n";
constexpr std::uint64_t items_max = 1 << 20;  // of anything in one list

// Both directions by one description: visit(archive, value) names each field once.
class Writer {
 public:
  static constexpr bool reads = false;

  Writer(InputRing::Sink sink, void* context) : sink_{sink}, context_{context} {}

  void number(std::uint64_t value) {
    if (buffer_.size() - used_ < 8) flush();
    for (int byte = 0; byte < 8; ++byte)
      buffer_[used_++] = static_cast<char>(value >> (8 * byte) & 0xff);
  }
  void text(const std::string& value) {
    number(value.size());
    raw(value);
  }
  void raw(std::string_view bytes) {
    while (!bytes.empty()) {
      if (used_ == buffer_.size()) flush();
      const std::size_t part = std::min(bytes.size(), buffer_.size() - used_);
      std::copy_n(bytes.data(), part, &buffer_[used_]);
      used_ += part;
      bytes.remove_prefix(part);
    }
  }
  bool good() const { return true; }
  // The checksum of everything before.
  void finish() {
    flush();
    number(sum_);
    flush();
  }

 private:
  void flush() {
    const std::string_view piece{buffer_.data(), used_};
    sum_ = crc32c(piece, sum_);
    sink_(context_, piece);
    used_ = 0;
  }

  InputRing::Sink sink_;
  void* context_;
  std::uint32_t sum_ = 0;
  std::size_t used_ = 0;
  std::array<char, 4096> buffer_;
};

class Reader {
 public:
  static constexpr bool reads = true;

  explicit Reader(std::string_view bytes) : bytes_{bytes} {}

  void number(std::uint64_t& value) {
    value = 0;
    if (bytes_.size() < 8) {
      fail();
      return;
    }
    for (int byte = 0; byte < 8; ++byte)
      value |= static_cast<std::uint64_t>(
                   static_cast<unsigned char>(bytes_[static_cast<std::size_t>(byte)]))
               << (8 * byte);
    bytes_.remove_prefix(8);
  }
  void text(std::string& value) {
    std::uint64_t size = 0;
    number(size);
    if (size > bytes_.size()) {
      fail();
      return;
    }
    value = std::string{bytes_.substr(0, size)};
    bytes_.remove_prefix(size);
  }
  void fail() {
    good_ = false;
    bytes_ = {};
  }
  bool good() const { return good_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

template <class Archive, class Value>
void scalar(Archive& archive, Value& value) {
  if constexpr (Archive::reads) {
    std::uint64_t wide = 0;
    archive.number(wide);
    value = static_cast<std::remove_const_t<Value>>(wide);
  } else {
    archive.number(static_cast<std::uint64_t>(value));
  }
}

template <class Archive, class Id>
void id(Archive& archive, Id& value) {
  scalar(archive, value.value);
}

template <class Archive, class List, class Visit>
void list(Archive& archive, List& values, Visit visit_one) {
  std::uint64_t count = values.size();
  scalar(archive, count);
  if constexpr (Archive::reads) {
    if (count > items_max) archive.fail();
    for (std::uint64_t i = 0; i < count && archive.good(); ++i) {
      values.emplace_back();
      visit_one(values.back());
    }
  } else {
    for (auto& value : values) visit_one(value);
  }
}

template <class Archive, class T>
void visit_member(Archive& archive, T& member) {
  id(archive, member.id);
  id(archive, member.incarnation);
  scalar(archive, member.role);
  scalar(archive, member.auto_promote);
}

template <class Archive, class T>
void visit_membership(Archive& archive, T& membership) {
  list(archive, membership.members, [&](auto& member) { visit_member(archive, member); });
}

template <class Archive, class T>
void visit_snapshot(Archive& archive, T& snapshot) {
  scalar(archive, snapshot.index);
  scalar(archive, snapshot.term);
  visit_membership(archive, snapshot.membership);
  archive.text(snapshot.id);
  scalar(archive, snapshot.bytes);
}

template <class Archive, class T>
void visit_entry(Archive& archive, T& entry) {
  scalar(archive, entry.index);
  scalar(archive, entry.term);
  scalar(archive, entry.kind);
  bool has_membership = entry.membership != nullptr;
  scalar(archive, has_membership);
  if (!has_membership) return;
  if constexpr (Archive::reads) {
    Membership membership;
    visit_membership(archive, membership);
    entry.membership = std::make_shared<const Membership>(std::move(membership));
  } else {
    visit_membership(archive, *entry.membership);
  }
}

template <class Archive, class T>
void visit_message(Archive& archive, T& m) {
  scalar(archive, m.type);
  id(archive, m.from);
  id(archive, m.to);
  id(archive, m.from_incarnation);
  id(archive, m.to_incarnation);
  scalar(archive, m.term);
  scalar(archive, m.index);
  scalar(archive, m.log_term);
  scalar(archive, m.commit);
  scalar(archive, m.applied);
  scalar(archive, m.context);
  scalar(archive, m.reject);
  scalar(archive, m.forced);
  scalar(archive, m.hint_index);
  scalar(archive, m.hint_term);
  list(archive, m.entries, [&](auto& entry) { visit_entry(archive, entry); });
  visit_snapshot(archive, m.snapshot);
}

template <class Archive, class T>
void visit_input(Archive& archive, T& input) {
  scalar(archive, input.kind);
  scalar(archive, input.number);
  list(archive, input.sizes, [&](auto& size) { scalar(archive, size); });
  switch (input.kind) {
    case Input::Kind::step:
      visit_message(archive, input.message);
      break;
    case Input::Kind::propose_membership:
      visit_membership(archive, input.membership);
      break;
    case Input::Kind::stored:
      scalar(archive, input.mark.sequence);
      scalar(archive, input.mark.term);
      scalar(archive, input.mark.last_index);
      break;
    case Input::Kind::snapshot_received:
      visit_snapshot(archive, input.snapshot);
      break;
    default:
      break;
  }
}

template <class Archive, class T>
void visit_options(Archive& archive, T& options) {
  id(archive, options.id);
  id(archive, options.incarnation);
  id(archive, options.group);
  scalar(archive, options.heartbeat_ticks);
  scalar(archive, options.election_ticks_min);
  scalar(archive, options.election_ticks_max);
  scalar(archive, options.disk_stall_ticks);
  scalar(archive, options.promote_lag_entries);
  scalar(archive, options.promote_stable_ticks);
  scalar(archive, options.append_bytes_max);
  scalar(archive, options.inflight_appends_max);
  scalar(archive, options.inflight_bytes_max);
  scalar(archive, options.uncommitted_bytes_max);
  scalar(archive, options.apply_bytes_max);
}

template <class Archive, class T>
void visit_status(Archive& archive, T& status) {
  id(archive, status.id);
  scalar(archive, status.role);
  scalar(archive, status.term);
  id(archive, status.vote);
  id(archive, status.leader);
  scalar(archive, status.first);
  scalar(archive, status.last);
  scalar(archive, status.stored);
  scalar(archive, status.commit);
  scalar(archive, status.applied);
  id(archive, status.transfer_target);
  visit_membership(archive, status.membership);
  list(archive, status.members, [&](auto& member) {
    id(archive, member.id);
    scalar(archive, member.match);
    scalar(archive, member.next);
    scalar(archive, member.applied);
    scalar(archive, member.state);
    scalar(archive, member.recently_active);
  });
}

template <class Archive, class T>
void visit_start(Archive& archive, T& start) {
  visit_options(archive, start.options);
  visit_status(archive, start.status);
  scalar(archive, start.start_term);
  scalar(archive, start.timer.elapsed);
  scalar(archive, start.timer.timeout);
  list(archive, start.terms, [&](auto& run) {
    scalar(archive, run.first);
    scalar(archive, run.term);
  });
}

// Inputs and draws: what list() reads as one was kept in several.
template <class T, class Visit>
void joined(Writer& writer, std::initializer_list<const std::vector<T>*> lists, Visit visit_one) {
  std::uint64_t count = 0;
  for (const auto* values : lists) count += values->size();
  writer.number(count);
  for (const auto* values : lists)
    for (const T& value : *values) visit_one(value);
}

void write(Writer& writer, const Checkpoint& start,
           std::initializer_list<const std::vector<Input>*> inputs,
           std::initializer_list<const std::vector<std::uint64_t>*> draws) {
  writer.raw(magic);
  visit_start(writer, start);
  joined(writer, inputs, [&](const Input& input) { visit_input(writer, input); });
  joined(writer, draws, [&](std::uint64_t drawn) { writer.number(drawn); });
  writer.finish();
}

}  // namespace

std::string encode(const Recording& recording) {
  std::string bytes;
  Writer writer{[](void* to, std::string_view piece) { *static_cast<std::string*>(to) += piece; },
                &bytes};
  write(writer, recording.start, {&recording.inputs}, {&recording.draws});
  return bytes;
}

bool InputRing::last_words(Sink sink, void* context) {
  if (!gate_.close() || !has_newer_) return false;
  Writer writer{sink, context};
  if (has_older_)
    write(writer, older_.start, {&older_.inputs, &newer_.inputs}, {&older_.draws, &newer_.draws});
  else
    write(writer, newer_.start, {&newer_.inputs}, {&newer_.draws});
  return true;
}

Result<Recording> decode_recording(std::string_view bytes) {
  if (bytes.compare(0, magic.size(), magic) != 0)
    return fail(Errc::wrong_version, "this is no dump of inputs that this release can read");
  if (bytes.size() < magic.size() + 8)
    return fail(Errc::corrupt, "the dump of inputs ends too early");
  const std::string_view guarded = bytes.substr(0, bytes.size() - 8);
  Reader end{bytes.substr(bytes.size() - 8)};
  std::uint64_t sum = 0;
  end.number(sum);
  if (sum != crc32c(guarded)) return fail(Errc::corrupt, "the dump of inputs fails its checksum");
  Reader reader{guarded.substr(magic.size())};
  Recording recording;
  visit_start(reader, recording.start);
  list(reader, recording.inputs, [&](auto& input) { visit_input(reader, input); });
  list(reader, recording.draws, [&](auto& drawn) { scalar(reader, drawn); });
  if (!reader.good() || !reader.at_end())
    return fail(Errc::corrupt, "the dump of inputs has another structure than expected");
  return recording;
}

}  // namespace mainstay::consensus
