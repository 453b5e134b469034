#include "actors/adapter_host/worker.hpp"

#include <algorithm>
#include <utility>

#include <caf/send.hpp>

#include "actors/kit/errors.hpp"
#include "runtime/base/log.hpp"

namespace mainstay::adapter_host {

namespace {

// Then the mailbox is looked at: somebody may want this actor to end.
constexpr Millis at_a_time{100};
// Changes that come in such a time are looked at together.
constexpr Millis gather{3};
constexpr Millis pause_min{1};

}  // namespace

Worker::Worker(caf::actor_config& config, std::string name, MakeJob make_job, api::Backend& backend,
               const sys::Clock& clock)
    : caf::event_based_actor{config},
      name_{std::move(name)},
      make_job_{std::move(make_job)},
      backend_{backend},
      clock_{clock} {}

caf::behavior Worker::make_behavior() {
  kit::route_errors(*this, name_);
  send(this, WorkTick{});
  return {
      [this](WorkTick) { on_work_tick(); },
  };
}

void Worker::on_work_tick() {
  if (!job_) {
    auto made = make_job_();
    if (!made) {
      log_error("adapter", "{} cannot start: {}", name_, to_string(made.error()));
      return quit(kit::failure(to_string(made.error())));
    }
    job_ = *std::move(made);
  }
  const MonotonicTime until = clock_.monotonic() + at_a_time;
  for (;;) {
    const auto step = job_->step();
    if (!step) {
      log_warn("adapter", "{} starts again: {}", name_, to_string(step.error()));
      return quit(kit::failure(to_string(step.error())));
    }
    if (*step == integration::Step::ended) {
      log_info("adapter", "{} ends: another tenure began", name_);
      return quit();
    }
    if (*step == integration::Step::idle) {
      job_->show();
      return rest();
    }
    if (clock_.monotonic() >= until || !mailbox().empty()) break;
  }
  job_->show();
  send(this, WorkTick{});
}

void Worker::rest() {
  const Millis pause = std::max(job_->pause(), pause_min);
  if (!job_->follows_records()) {
    delayed_send(this, pause, WorkTick{});
    return;
  }
  const auto self = caf::actor_cast<caf::actor_addr>(this);
  backend_.wait_revision(backend_.cluster().revision, clock_.monotonic() + pause,
                         [self](const Result<record::Revision>& revision) {
                           if (const auto worker = caf::actor_cast<caf::actor>(self))
                             caf::delayed_anon_send(worker, revision ? gather : at_a_time,
                                                    WorkTick{});
                         });
}

}  // namespace mainstay::adapter_host
