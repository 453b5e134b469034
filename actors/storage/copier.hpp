// The copier actor: makes the snapshot that the applier asks for, so that applying goes on
// meanwhile. Detached: it reads all records and writes them again. A failure of the disk stops the
// process; so does one of this actor (it is a critical child): the applier waits for its answer.
#pragma once

#include <memory>

#include <caf/event_based_actor.hpp>

#include "actors/storage/storage_api.hpp"
#include "runtime/store/record_store.hpp"

namespace mainstay::storage {

class Copier final : public caf::event_based_actor {
 public:
  // `records` must outlive the actor.
  Copier(caf::actor_config& config, store::RecordStore& records,
         std::shared_ptr<const Listeners> listeners);

  caf::behavior make_behavior() override;
  const char* name() const override { return "copier"; }

 private:
  void on_copy_snapshot();

  store::RecordStore& records_;
  const std::shared_ptr<const Listeners> listeners_;
};

}  // namespace mainstay::storage
