// Makes a stopped node differ from the others: changes the state hash in its record store, as a
// wrong apply would have. For the test of promise P6 only.
//   forge_state <data directory>
#include <cstdio>
#include <cstdlib>

#include "runtime/store/checkpoint.hpp"
#include "runtime/store/identity.hpp"
#include "runtime/store/record_tables.hpp"

namespace mainstay::store {
namespace {

Result<void> forge(const std::filesystem::path& data_directory) {
  lmdb::EnvOptions options;
  options.directory = data_directory / "records";
  options.map_bytes = 1ULL << 30;
  options.tables_max = RecordTables::count;
  options.create = false;
  TRY_ASSIGN(const auto file, read_identity(data_directory));
  if (!file) return fail(Errc::not_found, "no node's data here");
  TRY_ASSIGN(
      CheckpointedEnv env,
      CheckpointedEnv::open(options, records_checkpoint_of(file->identity.incarnation), false));
  {
    TRY_ASSIGN(lmdb::Txn txn, lmdb::Txn::begin(env.env(), lmdb::Txn::Kind::write));
    TRY_ASSIGN(const RecordTables tables, RecordTables::open(txn, 0));
    TRY_ASSIGN(record::Counters counters, get_counters(txn, tables.meta));
    counters.hash[1] ^= 1;
    TRY(put_counters(txn, tables.meta, counters));
    TRY(txn.commit());
  }
  return env.checkpoint(env.note().value_or(""));
}

}  // namespace
}  // namespace mainstay::store

int main(int argc, char** argv) {
  if (argc != 2) return EXIT_FAILURE;
  const auto forged = mainstay::store::forge(argv[1]);
  if (!forged) std::fprintf(stderr, "%s\n", mainstay::to_string(forged.error()).c_str());
  return forged ? EXIT_SUCCESS : EXIT_FAILURE;
}
