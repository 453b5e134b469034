#include "actors/node/node.hpp"

#include <future>
#include <utility>

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "actors/node/node_impl.hpp"
#include "runtime/base/log.hpp"

namespace mainstay::node {

Node::Node(caf::actor_system& system, NodeParts parts)
    : impl_{std::make_shared<Impl>(system, std::move(parts))} {
  impl_->wire_up();
  impl_->make_backend();
}

Node::~Node() {
  stop(Millis{5000});
  impl_->slots.clear();
}

Result<void> Node::start() {
  const config::Config& config = *impl_->parts.config;
  if (impl_->has_links()) {
    const tls::Identity identity{config.cluster_name, NodeId{config.node_id}};
    TRY_ASSIGN(
        const auto context,
        tls::Context::load({config.tls_ca, config.tls_certificate, config.tls_key}, identity));
  }
  const std::lock_guard lock{impl_->supervisors_mutex};
  impl_->house_supervisor = kit::spawn_supervisor(impl_->system, impl_->house());
  impl_->watch(impl_->house_supervisor, "house");
  return {};
}

std::uint16_t Node::peer_port() const {
  const caf::actor links = impl_->slots.links.get();
  if (!links) return 0;
  std::uint16_t port = 0;
  caf::scoped_actor self{impl_->system};
  self->request(links, std::chrono::seconds{2}, peer_link::GetLinkStatus{})
      .receive([&port](const peer_link::LinkStatus& status) { port = status.port; },
               [](const caf::error&) {});
  return port;
}

api::Backend& Node::backend() {
  return *impl_->backend;
}

void Node::show_api_certificate(std::int64_t expires_unix) {
  impl_->state->api_certificate_expires = expires_unix;
  impl_->parts.metrics->api_certificate_expires.set(static_cast<double>(expires_unix));
}

std::string Node::dump_inputs() {
  const auto promise = std::make_shared<std::promise<std::string>>();
  auto dump = promise->get_future();
  impl_->slots.replica.tell(
      replica::DumpInputs{[promise](std::string bytes) { promise->set_value(std::move(bytes)); }});
  if (dump.wait_for(std::chrono::seconds{2}) != std::future_status::ready) return {};
  return dump.get();
}

void Node::begin_drain() {
  impl_->state->draining = true;
  impl_->slots.replica.tell(replica::StartDraining{});
  impl_->slots.links.tell(peer_link::SendGoAway{});
  impl_->slots.gateway.tell(gateway::EndFeeds{});
}

bool Node::leads() const {
  const auto view = impl_->view->get();
  return view->status.role == consensus::CoreRole::leader &&
         view->status.membership.voters().size() > 1;
}

bool Node::drained() const {
  return !leads() && impl_->admission->requests() == 0;
}

bool Node::stop(Millis within) {
  if (impl_->stopping.exchange(true)) return impl_->stopped && !impl_->left_behind;
  impl_->board->stopping = true;
  impl_->parts.store->records().end_copies();
  std::vector<caf::actor> supervisors;
  {
    const std::lock_guard lock{impl_->supervisors_mutex};
    supervisors = {impl_->house_supervisor, impl_->group_supervisor};
    impl_->house_supervisor = impl_->group_supervisor = nullptr;
  }
  caf::scoped_actor self{impl_->system};
  for (const caf::actor& supervisor : supervisors) {
    if (!supervisor) continue;
    self->monitor(supervisor);
    caf::anon_send_exit(supervisor, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {}, caf::after(within) >>
                                                   [this] {
                                                     log_warn("node",
                                                              "an actor did not stop in time");
                                                     impl_->stopped = false;
                                                   });
  }
  return impl_->stopped && !impl_->left_behind;
}

}  // namespace mainstay::node
