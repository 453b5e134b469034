// The part of a record store that reads, and watches those who do.
#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/store/record_store_impl.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::store {

using lmdb::Txn;

namespace {

class ScrubViews final : public Scrub::Views {
 public:
  explicit ScrubViews(RecordStore::Impl& owner) : owner_{owner} {}
  Result<Txn> begin() override {
    TRY_ASSIGN(MDB_txn* const txn, owner_.begin_read());
    return Txn{owner_.env.env(), txn};
  }
  void end(Txn txn) override { owner_.end_read(txn.release()); }
  const RecordTables& tables() const override { return owner_.tables; }

 private:
  RecordStore::Impl& owner_;
};

}  // namespace

Result<MDB_txn*> RecordStore::Impl::begin_read() {
  MDB_txn* txn = nullptr;
  {
    std::unique_lock guard{mutex};
    const auto patience = std::chrono::milliseconds{options.view_wait_ms};
    if (!changed.wait_for(guard, patience, [this] { return !switching; }))
      return fail(Errc::busy, "the records are being replaced by a snapshot");
    if (gone) return earlier_write_failed();
    if (open_views >= limits::record_readers_max) return fail(Errc::busy, "too many reads at once");
    ++open_views;
    if (!idle.empty()) {
      txn = idle.back();
      idle.pop_back();
    }
  }
  int code = 0;
  if (txn != nullptr) {
    code = mdb_txn_renew(txn);
    if (code == 0) return txn;
    mdb_txn_abort(txn);
  } else {
    auto fresh = Txn::begin(env.env(), Txn::Kind::read);
    if (!fresh && fresh.error().code == Errc::busy) {
      env.env().check_readers();
      fresh = Txn::begin(env.env(), Txn::Kind::read);
    }
    if (fresh) return fresh->release();
    end_read(nullptr);
    return Failure{std::move(fresh).error()};
  }
  end_read(nullptr);
  return Failure{lmdb::error_of(code, "begin reading", env.env().directory())};
}

void RecordStore::Impl::end_read(MDB_txn* txn) {
  if (txn != nullptr) mdb_txn_reset(txn);
  const std::lock_guard guard{mutex};
  if (txn != nullptr) {
    if (idle.size() < limits::idle_readers_max)
      idle.push_back(txn);
    else
      mdb_txn_abort(txn);
  }
  --open_views;
  changed.notify_all();
}

std::multiset<MonotonicTime>::iterator RecordStore::Impl::note_view() {
  const MonotonicTime now = sys::system_clock().monotonic();
  const std::lock_guard guard{mutex};
  return views_began.insert(now);
}

void RecordStore::Impl::forget_view(std::multiset<MonotonicTime>::iterator began) {
  const MonotonicTime now = sys::system_clock().monotonic();
  const std::lock_guard guard{mutex};
  longest_view = std::max(longest_view, std::chrono::duration_cast<Micros>(now - *began));
  views_began.erase(began);
}

Micros RecordStore::Impl::take_longest_view() {
  const MonotonicTime now = sys::system_clock().monotonic();
  const std::lock_guard guard{mutex};
  Micros longest = std::exchange(longest_view, Micros{0});
  if (!views_began.empty())
    longest = std::max(longest, std::chrono::duration_cast<Micros>(now - *views_began.begin()));
  return longest;
}

void RecordStore::Impl::drop_idle() {
  for (MDB_txn* txn : idle) mdb_txn_abort(txn);
  idle.clear();
}

Result<std::unique_ptr<ReadView>> RecordStore::read() const {
  TRY_ASSIGN(MDB_txn* const txn, impl_->begin_read());
  return std::unique_ptr<ReadView>{std::make_unique<View>(*impl_, txn, impl_->options.fatal, true)};
}

Micros RecordStore::take_longest_view() {
  return impl_->take_longest_view();
}

Result<void> RecordStore::scrub(const GoOn& go_on) const {
  ScrubViews views{*impl_};
  return impl_->scrub.run(views, [this, &go_on] { return !impl_->switching && go_on(); });
}

}  // namespace mainstay::store
