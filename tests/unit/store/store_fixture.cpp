#include "tests/unit/store/store_fixture.hpp"

#include <fstream>
#include <sstream>

#include <unistd.h>

#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using consensus::Entry;
using consensus::EntryKind;
using consensus::Index;
using consensus::Membership;
using consensus::Term;

Membership members(std::initializer_list<std::uint64_t> ids) {
  Membership membership;
  for (const std::uint64_t id : ids) {
    consensus::Member member;
    member.id = NodeId{id};
    member.incarnation = Incarnation{id * 100};
    member.peer_address = "127.0.0.1:" + std::to_string(7000 + id);
    membership.members.push_back(member);
  }
  return membership;
}

Entry noop(Index index, Term term) {
  Entry entry;
  entry.index = index;
  entry.term = term;
  return entry;
}

Entry opaque(Index index, Term term, std::string payload) {
  Entry entry = noop(index, term);
  entry.kind = EntryKind::batch;
  entry.payload = Bytes{std::move(payload)};
  return entry;
}

Entry membership_entry(Index index, Term term, Membership membership) {
  Entry entry = noop(index, term);
  entry.kind = EntryKind::membership;
  entry.membership = std::make_shared<const Membership>(std::move(membership));
  return entry;
}

Entry check_entry(Index index, Term term) {
  Entry entry = noop(index, term);
  entry.kind = EntryKind::check;
  return entry;
}

record::Command command_of(const std::string& operation, std::vector<record::Action> actions) {
  record::Command command;
  command.operation = operation;
  command.request_hash = xxh3_128(operation);
  command.actions = std::move(actions);
  return command;
}

record::Command put(const std::string& operation, const std::string& key,
                    const std::string& value) {
  return command_of(operation, {{record::ActionKind::put, orders, key, Bytes{value}}});
}

record::Command remove(const std::string& operation, const std::string& key) {
  return command_of(operation, {{record::ActionKind::remove, orders, key, {}}});
}

Entry batch_entry(Index index, Term term, const std::vector<record::Command>& commands,
                  std::uint64_t wall_millis) {
  record::Batch batch;
  batch.origin = NodeId{1};
  batch.origin_boot = BootId{2};
  batch.sequence = index;
  batch.commands = commands;
  return opaque(index, term, wire::encode_log_batch(wall_millis, {Bytes{wire::encode(batch)}}));
}

bool same(const Entry& a, const Entry& b) {
  const bool memberships = (a.membership == nullptr) == (b.membership == nullptr) &&
                           (a.membership == nullptr || *a.membership == *b.membership);
  return a.index == b.index && a.term == b.term && a.kind == b.kind && a.payload == b.payload &&
         memberships;
}

consensus::Persist appends(std::vector<Entry> entries) {
  consensus::Persist persist;
  persist.entries = std::move(entries);
  return persist;
}

namespace {

// The rows of one state, as lines.
class Rows {
 public:
  template <class Row>
  bool add(const char* table, std::string_view name, std::string_view key, const Row& row) {
    return line(table, name, key, wire::encode(row));
  }
  bool line(const char* table, std::string_view name, std::string_view key, std::string_view row) {
    std::string text{table};
    text.append(" ").append(name).append(" ").append(key).append(" ").append(row);
    lines_.push_back(std::move(text));
    return true;
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

void add_collection_rows(Rows& rows, const record::StateReader& state) {
  state.scan_collections([&](std::string_view name, const record::Collection& row) {
    for (std::uint16_t index = 0; index < row.next_index; ++index)
      state.scan_index(row.id, index, "", "", [&](std::string_view value, std::string_view key) {
        return rows.line("index", name, std::to_string(index) + " " + std::string{value}, key);
      });
    return rows.add("collection", name, "", row);
  });
}

}  // namespace

std::vector<std::string> rows_of(const record::StateReader& state) {
  Rows rows;
  state.scan_all_records([&](std::string_view name, std::string_view key, const auto& row) {
    return rows.add("record", name, key, row);
  });
  state.scan_all_history([&](std::string_view name, std::string_view key, const auto& row) {
    return rows.add("history", name, key, row);
  });
  state.scan_commits(0, [&](const record::Commit& row) { return rows.add("commit", "", "", row); });
  state.scan_all_operations(
      [&](std::string_view id, const auto& row) { return rows.add("operation", "", id, row); });
  state.scan_all_balances([&](std::string_view name, std::string_view position, const auto& row) {
    return rows.add("balance", name, position, row);
  });
  add_collection_rows(rows, state);
  rows.add("counters", "", "", state.counters());
  return rows.take();
}

std::vector<std::size_t> find_all(const std::string& content, const std::string& pattern) {
  std::vector<std::size_t> places;
  for (std::size_t at = content.find(pattern); at != std::string::npos;
       at = content.find(pattern, at + 1))
    places.push_back(at);
  return places;
}

std::string read_whole(const std::filesystem::path& path) {
  std::ostringstream content;
  content << std::ifstream{path, std::ios::binary}.rdbuf();
  return content.str();
}

void write_whole(const std::filesystem::path& path, const std::string& content) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << content;
}

// In memory where there is such a place: these tests are about content and order, and would wait
// for the disk most of the time.
TemporaryDirectory::TemporaryDirectory() {
  const std::filesystem::path memory = "/dev/shm";
  const bool writable = ::access(memory.c_str(), W_OK) == 0;
  const auto parent = writable ? memory : std::filesystem::temp_directory_path();
  std::string pattern = (parent / "mainstay-store-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}

TemporaryDirectory::~TemporaryDirectory() {
  std::filesystem::remove_all(path_);
}

StoreOptions test_options(const std::filesystem::path& directory) {
  StoreOptions options;
  options.directory = directory;
  options.node = NodeId{1};
  options.log_map_bytes = 256ULL << 20;
  options.record_map_bytes = 256ULL << 20;
  options.journal_bytes = 256 << 10;  // written whole at every initialisation
  options.free_bytes_min = 0;
  options.free_bytes_resume = 0;
  options.fatal = [](const Error& error) { throw Stopped{error}; };
  return options;
}

void StoreTest::open() {
  auto node = NodeStore::open(options_, random_);
  ASSERT_TRUE(node) << to_string(node.error());
  node_ = *std::move(node);
}

void StoreTest::formed() {
  open();
  const auto done = node_->form(test_cluster, members({1, 2, 3}));
  ASSERT_TRUE(done) << to_string(done.error());
}

void StoreTest::reopen() {
  close();
  open();
}

Error StoreTest::refused() {
  close();
  auto node = NodeStore::open(options_, random_);
  EXPECT_FALSE(node) << "the directory should have been refused";
  return node ? Error{} : node.error();
}

ApplyResult StoreTest::run(const std::vector<Entry>& entries) {
  const auto written = write(appends(entries));
  EXPECT_TRUE(written) << to_string(written.error());
  auto applied = records().apply(entries);
  EXPECT_TRUE(applied) << to_string(applied.error());
  return applied ? *std::move(applied) : ApplyResult{};
}

std::optional<std::string> StoreTest::value_of(const std::string& key) {
  const auto view = records().read();
  EXPECT_TRUE(view);
  const auto record = (*view)->state().find_record(orders, key);
  if (!record || record->tombstone) return std::nullopt;
  return std::string{record->value.view()};
}

}  // namespace mainstay::store
