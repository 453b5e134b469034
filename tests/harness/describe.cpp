#include "tests/harness/describe.hpp"

#include <array>

#include <fmt/format.h>

namespace mainstay::harness {

using consensus::Entry;
using consensus::EntryKind;
using consensus::Member;
using consensus::MemberRole;
using consensus::Membership;
using consensus::Message;
using consensus::MessageType;
using consensus::Persist;

namespace {

std::string describe_entries(const std::vector<Entry>& entries) {
  if (entries.empty()) return "";
  if (entries.size() > 4)
    return fmt::format(" [{} .. {}]", describe(entries.front()), describe(entries.back()));
  std::string text = " [";
  for (const Entry& entry : entries) text += (text.size() > 2 ? ", " : "") + describe(entry);
  return text + "]";
}

bool printable(std::string_view text) {
  for (char letter : text)
    if (letter < ' ' || letter > '~') return false;
  return text.size() <= 24;
}

std::string details(const Message& m) {
  const char* verdict = m.reject ? " REJECT" : "";
  switch (m.type) {
    case MessageType::pre_vote:
    case MessageType::vote:
      return fmt::format(" log {}@t{}{}", m.index, m.log_term, m.forced ? " forced" : "");
    case MessageType::pre_vote_reply:
    case MessageType::vote_reply:
      return m.reject ? " REJECT" : " granted";
    case MessageType::append:
      return fmt::format(" after {}@t{} commit {}{}{}", m.index, m.log_term, m.commit,
                         m.context != 0 ? fmt::format(" round {}", m.context) : "",
                         describe_entries(m.entries));
    case MessageType::append_reply:
      return m.reject ? fmt::format(" REJECT {} try {}@t{}", m.index, m.hint_index, m.hint_term)
                      : fmt::format(" match {}", m.index);
    case MessageType::heartbeat:
      return fmt::format(" commit {}{}", m.commit,
                         m.context != 0 ? fmt::format(" round {}", m.context) : "");
    case MessageType::heartbeat_reply:
      return m.context != 0 ? fmt::format(" round {}", m.context) : "";
    case MessageType::snapshot:
      return fmt::format(" {}@t{} {}", m.snapshot.index, m.snapshot.term,
                         describe(m.snapshot.membership));
    case MessageType::snapshot_reply:
      return fmt::format(" match {}{}", m.index, verdict);
    case MessageType::timeout_now:
      return "";
    case MessageType::read_index:
      return fmt::format(" context {}", m.context);
    case MessageType::read_index_reply:
      return fmt::format(" context {} index {}{}", m.context, m.index, verdict);
  }
  return "";
}

}  // namespace

std::string_view to_string(MessageType type) {
  static constexpr std::array<std::string_view, 13> names{
      "pre_vote",        "pre_vote_reply", "vote",        "vote_reply",
      "append",          "append_reply",   "heartbeat",   "heartbeat_reply",
      "snapshot",        "snapshot_reply", "timeout_now", "read_index",
      "read_index_reply"};
  return names.at(static_cast<std::size_t>(type));
}

std::string describe(const Entry& entry) {
  const std::string place = fmt::format("{}@t{}", entry.index, entry.term);
  switch (entry.kind) {
    case EntryKind::noop:
      return place + " noop";
    case EntryKind::check:
      return place + " check";
    case EntryKind::membership:
      return place + " " + (entry.membership ? describe(*entry.membership) : "no membership");
    case EntryKind::batch:
      break;
  }
  if (printable(entry.payload.view())) return fmt::format("{} \"{}\"", place, entry.payload.view());
  return fmt::format("{} {} bytes", place, entry.payload.size());
}

std::string describe(const Membership& membership) {
  std::string text = "{";
  for (const Member& member : membership.members) {
    if (text.size() > 1) text += " ";
    text += to_string(member.id);
    if (member.role == MemberRole::learner) text += member.auto_promote ? "+" : "'";
  }
  return text + "}";
}

std::string describe(const Message& m) {
  return fmt::format("{}->{} {} t{}{}", m.from.value, m.to.value, to_string(m.type), m.term,
                     details(m));
}

std::string describe(const Persist& persist) {
  std::string text;
  if (persist.snapshot) text += fmt::format(" snapshot {}", persist.snapshot->index);
  if (persist.truncate_from) text += fmt::format(" truncate from {}", *persist.truncate_from);
  text += describe_entries(persist.entries);
  if (persist.hard_state)
    text +=
        fmt::format(" term {} vote {}", persist.hard_state->term, persist.hard_state->vote.value);
  return text.empty() ? text : text.substr(1);
}

}  // namespace mainstay::harness
