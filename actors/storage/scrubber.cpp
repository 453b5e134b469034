#include "actors/storage/scrubber.hpp"

#include <algorithm>
#include <utility>

#include "actors/kit/errors.hpp"
#include "runtime/base/log.hpp"

namespace mainstay::storage {

namespace {

// Soon after a start: the process may have ended because it met damage.
constexpr Millis first_after{60'000};

}  // namespace

Scrubber::Scrubber(caf::actor_config& config, Millis every, store::NodeStore& store,
                   metrics::NodeMetrics& metrics, std::shared_ptr<Board> board)
    : caf::event_based_actor{config},
      every_{every},
      store_{store},
      metrics_{metrics},
      board_{std::move(board)} {}

caf::behavior Scrubber::make_behavior() {
  kit::route_errors(*this, "scrubber");
  delayed_send(this, std::min(every_, first_after), ScrubTick{});
  return {
      [this](ScrubTick) { on_scrub_tick(); },
  };
}

// Ends early when the node stops; no tick is under way meanwhile, so that whatever arrives is the
// wish that this actor ends.
void Scrubber::on_scrub_tick() {
  const store::GoOn go_on = [this] { return !board_->stopping && mailbox().empty(); };
  Result<void> good = store_.log().verify(go_on);
  if (good) good = store_.records().scrub(go_on);
  delayed_send(this, every_, ScrubTick{});
  if (!good && good.error().code == Errc::busy) return;
  metrics_.scrubs.add();
  if (good) return;
  log_error("scrubber", "what is stored is damaged, the majority is asked to decide: {}",
            to_string(good.error()));
  board_->damaged = true;
  metrics_.damaged.set(1);
}

}  // namespace mainstay::storage
