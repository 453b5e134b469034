#include "runtime/store/log_journal.hpp"

#include "runtime/base/mutant.hpp"
#include "runtime/store/byte_order.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using consensus::Persist;

namespace {

enum Part : std::uint8_t { part_snapshot = 1, part_truncation = 2, part_hard_state = 4 };

void append_text(std::string& out, std::string_view text) {
  append_little(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

void append_persist(std::string& out, const Persist& persist) {
  const bool with_hard_state = persist.hard_state && !MUTANT(hard_state_not_in_commit);
  const bool with_snapshot = persist.snapshot && !MUTANT(snapshot_switch_not_durable);
  out.push_back(static_cast<char>((with_snapshot ? part_snapshot : 0) |
                                  (persist.truncate_from ? part_truncation : 0) |
                                  (with_hard_state ? part_hard_state : 0)));
  if (with_snapshot) append_text(out, wire::encode(*persist.snapshot));
  if (persist.truncate_from) append_little(out, *persist.truncate_from);
  append_little(out, static_cast<std::uint32_t>(persist.entries.size()));
  for (const consensus::Entry& entry : persist.entries) append_text(out, wire::encode(entry));
  if (with_hard_state) append_text(out, wire::encode(*persist.hard_state));
}

// Reads a frame from its front. The frame's checksum was good, so anything that does not fit is a
// format we do not know.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_{rest} {}

  bool done() const { return rest_.empty(); }

  template <class Number>
  Result<Number> number() {
    TRY_ASSIGN(const std::string_view bytes, take(sizeof(Number)));
    return get_little<Number>(bytes.data());
  }

  Result<std::string_view> text() {
    TRY_ASSIGN(const auto size, number<std::uint32_t>());
    return take(size);
  }

 private:
  Result<std::string_view> take(std::size_t bytes) {
    if (bytes > rest_.size()) return fail(Errc::corrupt, "a frame of the log's journal is cut off");
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  std::string_view rest_;
};

Result<Persist> read_persist(Reader& reader) {
  Persist persist;
  TRY_ASSIGN(const auto parts, reader.number<std::uint8_t>());
  if ((parts & ~(part_snapshot | part_truncation | part_hard_state)) != 0)
    return fail(Errc::wrong_version,
                "the log's journal holds parts that this release does not know");
  if ((parts & part_snapshot) != 0) {
    TRY_ASSIGN(const std::string_view text, reader.text());
    TRY_ASSIGN(persist.snapshot, wire::decode_snapshot_meta(text));
  }
  if ((parts & part_truncation) != 0) {
    TRY_ASSIGN(persist.truncate_from, reader.number<std::uint64_t>());
  }
  TRY_ASSIGN(const auto entries, reader.number<std::uint32_t>());
  for (std::uint32_t i = 0; i < entries; ++i) {
    TRY_ASSIGN(const std::string_view text, reader.text());
    TRY_ASSIGN(auto entry, wire::decode_entry(Bytes{std::string{text}}));
    persist.entries.push_back(std::move(entry));
  }
  if ((parts & part_hard_state) != 0) {
    TRY_ASSIGN(const std::string_view text, reader.text());
    TRY_ASSIGN(persist.hard_state, wire::decode_hard_state(text));
  }
  return persist;
}

}  // namespace

std::string encode_frame(const std::vector<const Persist*>& persists) {
  std::string frame;
  for (const Persist* persist : persists) append_persist(frame, *persist);
  return frame;
}

Result<std::vector<Persist>> decode_frame(std::string_view frame) {
  Reader reader{frame};
  std::vector<Persist> persists;
  while (!reader.done()) {
    TRY_ASSIGN(auto persist, read_persist(reader));
    persists.push_back(std::move(persist));
  }
  return persists;
}

std::string encode_position(const Journal::Position& position) {
  std::string note;
  append_little(note, position.generation);
  append_little(note, position.sequence);
  return note;
}

Result<Journal::Position> decode_position(std::string_view note) {
  if (note.size() != 16)
    return fail(Errc::corrupt, "the checkpoint of the log does not say where its journal begins");
  return Journal::Position{get_little<std::uint64_t>(note.data()),
                           get_little<std::uint64_t>(note.data() + 8)};
}

}  // namespace mainstay::store
