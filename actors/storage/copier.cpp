#include "actors/storage/copier.hpp"

#include <utility>

#include "actors/kit/errors.hpp"

namespace mainstay::storage {

Copier::Copier(caf::actor_config& config, store::RecordStore& records,
               std::shared_ptr<const Listeners> listeners)
    : caf::event_based_actor{config}, records_{records}, listeners_{std::move(listeners)} {}

caf::behavior Copier::make_behavior() {
  kit::route_errors(*this, "copier");
  return {
      [this](CopySnapshot) { on_copy_snapshot(); },
  };
}

void Copier::on_copy_snapshot() {
  listeners_->copied(SnapshotCopied{records_.copy_snapshot()});
}

}  // namespace mainstay::storage
