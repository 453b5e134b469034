#include "actors/adapters/mqtt/arrivals.hpp"

#include <algorithm>
#include <charconv>

namespace mainstay::adapters::mqtt {

namespace {

bool number_of(const json::Value* value, std::uint64_t& number) {
  if (value == nullptr || !value->is(json::Type::number)) return false;
  const std::string& text = value->text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

json::Value number(std::uint64_t value) {
  return json::Value::number(std::to_string(value));
}

bool read_session(const json::Value& value, Session& session) {
  if (!value.is(json::Type::array) || value.items().size() != 3) return false;
  const json::Array& items = value.items();
  if (!number_of(&items[0], session.bd_seq) || !number_of(&items[1], session.birth) ||
      !items[2].is(json::Type::boolean))
    return false;
  session.ended = items[2].as_boolean();
  return true;
}

}  // namespace

Result<ArrivalPosition> parse_arrival_position(const std::string& text) {
  ArrivalPosition position;
  if (text.empty()) return position;
  const auto wrong = [&text] {
    return fail(Errc::invalid_argument, "'" + text + "' is not a position of an mqtt adapter");
  };
  const auto value = json::parse(text);
  if (!value || !value->is(json::Type::object)) return wrong();
  const json::Value* life = value->find("life");
  const json::Value* nodes = value->find("nodes");
  if (life == nullptr || !life->is(json::Type::string) ||
      !number_of(value->find("n"), position.number) || nodes == nullptr ||
      !nodes->is(json::Type::object))
    return wrong();
  position.life = life->text();
  for (const auto& [node, session] : nodes->members())
    if (!read_session(session, position.sessions[node])) return wrong();
  return position;
}

std::string to_string(const ArrivalPosition& position) {
  json::Value value = json::Value::object();
  value.set("life", json::Value::string(position.life));
  value.set("n", number(position.number));
  json::Value nodes = json::Value::object();
  for (const auto& [node, session] : position.sessions)
    nodes.set(node, json::Value::array({number(session.bd_seq), number(session.birth),
                                        json::Value::boolean(session.ended)}));
  value.set("nodes", std::move(nodes));
  return json::to_text(value);
}

void Arrivals::add(integration::RawMessage message, Acknowledgement acknowledgement) {
  waiting_.push_back({++last_number_, std::move(message), std::move(acknowledgement)});
}

bool Arrivals::any_after(const ArrivalPosition& position) const {
  return !waiting_.empty() && waiting_.back().number > taken(position);
}

integration::Page Arrivals::page_after(const ArrivalPosition& position, const Sessions& sessions,
                                       std::size_t messages_max) const {
  integration::Page page;
  ArrivalPosition reached{life_, taken(position), sessions};
  auto entry = std::find_if(waiting_.begin(), waiting_.end(),
                            [&reached](const Entry& one) { return one.number > reached.number; });
  for (; entry != waiting_.end() && page.messages.size() < messages_max; ++entry) {
    page.messages.push_back(entry->message);
    reached.number = entry->number;
  }
  page.more = entry != waiting_.end();
  page.position = to_string(reached);
  return page;
}

std::vector<Acknowledgement> Arrivals::acknowledge(const ArrivalPosition& position) {
  std::vector<Acknowledgement> all;
  while (!waiting_.empty() && waiting_.front().number <= taken(position)) {
    Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    if (!entry.acknowledgement.topic.empty()) all.push_back(std::move(entry.acknowledgement));
  }
  return all;
}

}  // namespace mainstay::adapters::mqtt
