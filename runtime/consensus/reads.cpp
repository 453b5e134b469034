// Linearizable read points (thesis section 6.4): the leader confirms with one round of heartbeats
// that it still leads; followers ask it.
#include "runtime/consensus/core_impl.hpp"

namespace mainstay::consensus {

void Core::Impl::read_index(std::uint64_t context) {
  if (role == CoreRole::leader) {
    if (!rounds.queue({options.id, options.incarnation, context}))
      read_states.push_back({context, 0});
    return;
  }
  if (!leader || forwarded_reads.size() >= options.pending_reads_max) {
    read_states.push_back({context, 0});
    return;
  }
  forwarded_reads.insert(context);
  Message question = message_to(leader, MessageType::read_index);
  question.to_incarnation = leader_incarnation;
  question.context = context;
  send(std::move(question));
}

void Core::Impl::on_read_index(const Message& message) {
  if (role == CoreRole::leader &&
      rounds.queue({message.from, message.from_incarnation, message.context}))
    return;
  Message reply = reply_to(message, MessageType::read_index_reply);
  reply.context = message.context;
  reply.reject = true;
  send(std::move(reply));
}

void Core::Impl::on_read_index_reply(const Message& message) {
  if (forwarded_reads.erase(message.context) == 0) return;
  read_states.push_back({message.context, message.reject ? 0 : message.index});
}

// Rule 3: before the first commit of its own term a leader does not know which entries are
// committed, so reads wait for it.
bool Core::Impl::can_begin_read_round() const {
  if (role != CoreRole::leader || !rounds.may_begin()) return false;
  return committed_in_this_term() || MUTANT(read_before_own_term_commit);
}

void Core::Impl::begin_read_round() {
  if (!can_begin_read_round()) return;
  rounds.begin(commit, options.id);
  for (const auto& [id, member] : progress)
    if (id != options.id && is_voter(id)) send_heartbeat(id, member);
  deliver_reads();
}

void Core::Impl::deliver_reads() {
  if (role != CoreRole::leader) return;
  for (const ReadRound& round : rounds.take_confirmed(voter_sets()))
    for (const ReadRequest& request : round.requests) answer_read(request, round.index);
}

// Index 0 refuses.
void Core::Impl::answer_read(const ReadRequest& request, Index index) {
  if (request.from == options.id) {
    read_states.push_back({request.context, index});
    return;
  }
  Message reply = message_to(request.from, MessageType::read_index_reply);
  reply.to_incarnation = request.from_incarnation;
  reply.context = request.context;
  reply.index = index;
  reply.reject = index == 0;
  send(std::move(reply));
}

void Core::Impl::refuse_reads() {
  for (const ReadRequest& request : rounds.take_all()) answer_read(request, 0);
}

void Core::Impl::refuse_forwarded_reads() {
  for (std::uint64_t context : forwarded_reads) read_states.push_back({context, 0});
  forwarded_reads.clear();
}

}  // namespace mainstay::consensus
