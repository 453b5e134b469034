#include "runtime/store/node_store.hpp"

#include <fmt/format.h>

#include "runtime/base/log.hpp"
#include "runtime/store/data_directory.hpp"
#include "runtime/store/identity.hpp"
#include "runtime/store/log_store_open.hpp"
#include "runtime/store/watermark.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::store {

struct NodeStore::Impl {
  explicit Impl(const StoreOptions& wanted)
      : options{wanted}, watermark{wanted.free_bytes_min, wanted.free_bytes_resume} {
    if (!options.free_bytes) options.free_bytes = sys::free_bytes;
  }

  StoreOptions options;
  std::optional<sys::LockFile> lock;
  IdentityFile file;
  std::unique_ptr<LogStore> log;
  std::unique_ptr<RecordStore> records;
  Watermark watermark;

  Ownership owner() const {
    return {file.identity.cluster, first_group, file.identity.node, file.identity.incarnation};
  }
  LogStoreOptions log_options() const;
  RecordStoreOptions record_options() const;
  Result<void> save(Phase phase);
  Result<void> open(Random& random);
  Result<void> read_or_make_identity(Random& random);
  Result<void> open_parts();
  Result<void> create_parts();
  Result<void> set_aside(Random& random);
  Result<void> forget_lost_snapshot();
};

namespace {

Incarnation draw_incarnation(Random& random) {
  Incarnation drawn;
  while (!drawn) drawn.value = random.next();
  return drawn;
}

}  // namespace

LogStoreOptions NodeStore::Impl::log_options() const {
  LogStoreOptions wanted;
  wanted.directory = options.directory / log_name;
  wanted.map_bytes = options.log_map_bytes;
  wanted.journal_bytes = options.journal_bytes;
  wanted.scrub_piece_bytes = options.scrub_piece_bytes;
  wanted.background = options.background;
  wanted.owner = owner();
  wanted.fatal = options.fatal;
  return wanted;
}

RecordStoreOptions NodeStore::Impl::record_options() const {
  RecordStoreOptions wanted;
  wanted.data_directory = options.directory;
  wanted.map_bytes = options.record_map_bytes;
  wanted.free_bytes_min = options.free_bytes_min;
  wanted.background = options.background;
  wanted.owner = owner();
  wanted.fatal = options.fatal;
  wanted.free_bytes = options.free_bytes;
  wanted.view_wait_ms = options.view_wait_ms;
  wanted.scrub_piece_bytes = options.scrub_piece_bytes;
  wanted.apply = options.apply;
  return wanted;
}

Result<void> NodeStore::Impl::save(Phase phase) {
  file.phase = phase;
  if (phase != Phase::starting_over) file.reason.clear();
  return write_identity(options.directory, file);
}

Result<void> NodeStore::Impl::read_or_make_identity(Random& random) {
  TRY_ASSIGN(auto found, read_identity(options.directory));
  if (!found) {
    TRY(check_fresh(options.directory));
    file.identity = Identity{{}, options.node, draw_incarnation(random)};
    return save(Phase::initialising);
  }
  file = *std::move(found);
  if (file.identity.node != options.node)
    return fail(Errc::wrong_cluster,
                fmt::format("the data directory '{}' belongs to node {}, this is node {}: correct "
                            "the node id or the "
                            "directory in the configuration",
                            options.directory.string(), to_string(file.identity.node),
                            to_string(options.node)));
  return {};
}

Result<void> NodeStore::Impl::open(Random& random) {
  TRY(sys::make_directory(options.directory));
  if (options.locked) {
    TRY_ASSIGN(lock, sys::LockFile::acquire(options.directory / lock_name));
  }
  TRY(read_or_make_identity(random));
  if (file.phase == Phase::starting_over) TRY(set_aside(random));
  if (file.phase == Phase::initialising) return create_parts();
  return open_parts();
}

Result<void> NodeStore::Impl::set_aside(Random& random) {
  log_warn("store", "starting over as a new member: {}", file.reason);
  TRY(move_to_evidence(options.directory, file.identity.incarnation, file.reason));
  file.identity.incarnation = draw_incarnation(random);
  return save(Phase::initialising);
}

Result<void> NodeStore::Impl::create_parts() {
  TRY(clear_parts(options.directory));
  TRY_ASSIGN(log, create_log_store(log_options()));
  TRY_ASSIGN(records, create_record_store(record_options()));
  return save(Phase::ready);
}

Result<void> NodeStore::Impl::open_parts() {
  std::error_code error;
  if (!std::filesystem::exists(options.directory / log_name, error))
    return fail(Errc::corrupt, fmt::format("'{}' is missing from the data directory: without its "
                                           "log this node may have forgotten what it "
                                           "promised. Move the directory away and start the node "
                                           "empty: it joins again as a new member",
                                           (options.directory / log_name).string()));
  ClusterId formed;
  TRY_ASSIGN(log, open_log_store(log_options(), &formed));
  const bool forming =
      formed != file.identity.cluster;  // a crash between the steps of form(): the log came first
  file.identity.cluster = formed;
  TRY(settle_records(record_options(), log->first_index() - 1));
  TRY_ASSIGN(records, open_record_store(record_options()));
  if (forming) TRY(save(Phase::ready));
  if (records->applied() > log->last_index())
    return fail(Errc::corrupt,
                fmt::format("the records in '{}' hold entry {}, but the log ends at entry {}: the "
                            "log has lost what it had "
                            "stored. Move the directory away and start the node empty: it joins "
                            "again as a new member",
                            options.directory.string(), records->applied(), log->last_index()));
  return forget_lost_snapshot();
}

Result<void> NodeStore::Impl::forget_lost_snapshot() {
  const consensus::SnapshotMeta offered = log->snapshot();
  if (offered.index == 0 || records->holds_snapshot(offered.id)) return {};
  return log->set_snapshot({});
}

// --- the public face ---

Result<std::unique_ptr<NodeStore>> NodeStore::open(const StoreOptions& options, Random& random) {
  auto impl = std::make_unique<Impl>(options);
  TRY(impl->open(random));
  return std::unique_ptr<NodeStore>{new NodeStore{std::move(impl)}};
}

NodeStore::NodeStore(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
NodeStore::~NodeStore() = default;

const Identity& NodeStore::identity() const {
  return impl_->file.identity;
}

Result<void> NodeStore::form(ClusterId cluster, const consensus::Membership& initial) {
  Identity& identity = impl_->file.identity;
  if (identity.cluster == cluster && impl_->log->first_index() == 1 &&
      impl_->log->start_membership() == initial)
    return {};
  if (identity.cluster)
    return fail(Errc::conflict, fmt::format("this node belongs to cluster {} already",
                                            to_string(identity.cluster)));
  TRY(impl_->log->form(cluster, initial));
  TRY(impl_->records->form(cluster));
  identity.cluster = cluster;
  return impl_->save(Phase::ready);
}

Result<void> NodeStore::mark_for_start_over(const std::string& reason) {
  impl_->file.reason = reason;
  return impl_->save(Phase::starting_over);
}

Result<void> NodeStore::start_over(Random& random) {
  if (impl_->file.phase != Phase::starting_over) TRY(mark_for_start_over("asked for at start"));
  impl_->log.reset();
  impl_->records.reset();
  TRY(impl_->set_aside(random));
  return impl_->create_parts();
}

LogStore& NodeStore::log() {
  return *impl_->log;
}
RecordStore& NodeStore::records() {
  return *impl_->records;
}

consensus::InitialState NodeStore::initial_state() const {
  return {impl_->log->hard_state(), impl_->log->start_membership(),
          impl_->records->durable_applied()};
}

NodeStore::Space NodeStore::space() {
  const auto disk = impl_->options.free_bytes(impl_->options.directory);
  const StoreUsage log = impl_->log->usage();
  const StoreUsage records = impl_->records->usage();
  const std::uint64_t free = disk.value_or(0);  // a disk that does not answer takes no inserts
  const auto total = sys::total_bytes(impl_->options.directory);
  return {Watermark::left(free, log, records), total.value_or(0),
          impl_->watermark.update(free, log, records)};
}

}  // namespace mainstay::store
