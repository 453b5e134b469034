// A worker of an adapter: an actor with a thread of its own that runs one of the kit's jobs
// (runtime/integration) piece by piece. It ends normally when its tenure is over and with an error
// when the cluster could not be asked; its supervisor then makes a new one, which goes on from what
// is committed.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <caf/event_based_actor.hpp>

#include "actors/adapter_host/adapter_host_api.hpp"
#include "runtime/api/backend.hpp"
#include "runtime/integration/tenure.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::adapter_host {

// One job, with all that it owns.
class Job {
 public:
  virtual ~Job() = default;
  virtual Result<integration::Step> step() = 0;
  // Puts how things stand into the metrics; now and then, between steps.
  virtual void show() = 0;
  // After an idle step: how long nothing is to be done, unless the records change.
  virtual Millis pause() const = 0;
  // Whether a change of records can give it work.
  virtual bool follows_records() const = 0;
};

class Worker final : public caf::event_based_actor {
 public:
  using MakeJob = std::function<Result<std::unique_ptr<Job>>()>;

  // `backend` and `clock` must outlive it. `make_job` is called on the worker's own thread.
  Worker(caf::actor_config& config, std::string name, MakeJob make_job, api::Backend& backend,
         const sys::Clock& clock);

  caf::behavior make_behavior() override;
  const char* name() const override { return "adapter_worker"; }
  // Timers may keep the actor for a while; what it worked with goes now.
  void on_exit() override { job_.reset(); }

 private:
  void on_work_tick();
  void rest();

  const std::string name_;
  const MakeJob make_job_;
  api::Backend& backend_;
  const sys::Clock& clock_;
  std::unique_ptr<Job> job_;
};

}  // namespace mainstay::adapter_host
