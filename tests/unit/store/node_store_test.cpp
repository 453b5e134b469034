#include "runtime/store/node_store.hpp"

#include <gtest/gtest.h>

#include "runtime/store/identity.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace mainstay::store {
namespace {

namespace fs = std::filesystem;
using consensus::Entry;
using consensus::Persist;

using NodeStoreTest = StoreTest;

TEST_F(NodeStoreTest, InitialisesAnEmptyDirectoryOnce) {
  open();
  const Identity first = node_->identity();
  EXPECT_FALSE(first.cluster);
  EXPECT_EQ(first.node, NodeId{1});
  EXPECT_TRUE(first.incarnation);
  reopen();
  EXPECT_EQ(node_->identity(), first);
}

TEST_F(NodeStoreTest, FormsOnceAndKeepsItsCluster) {
  formed();
  EXPECT_TRUE(node_->form(test_cluster, members({1, 2, 3}))) << "the same again is fine";
  EXPECT_EQ(node_->form(ClusterId{{9, 9}}, members({1})).error().code, Errc::conflict);
  EXPECT_EQ(node_->form(test_cluster, members({1})).error().code, Errc::conflict);
  reopen();
  EXPECT_EQ(node_->identity().cluster, test_cluster);
  const auto initial = node_->initial_state();
  EXPECT_EQ(initial.membership, members({1, 2, 3}));
  EXPECT_EQ(initial.applied, 0U);
}

TEST_F(NodeStoreTest, AFormationInterruptedAfterTheLogIsFinished) {
  open();
  const Identity unformed = node_->identity();
  ASSERT_TRUE(log().form(test_cluster, members({1, 2, 3})));  // what form() does first
  reopen();
  EXPECT_EQ(node_->identity().cluster, test_cluster);
  EXPECT_EQ(node_->identity().incarnation, unformed.incarnation);
  reopen();
  EXPECT_EQ(node_->identity().cluster, test_cluster);
  EXPECT_EQ(log().start_membership(), members({1, 2, 3}));
}

TEST_F(NodeStoreTest, AnInitialisationInterruptedAnywhereIsRepeated) {
  open();
  IdentityFile half{node_->identity(), Phase::initialising, ""};
  close();
  ASSERT_TRUE(write_identity(options_.directory, half));
  fs::remove_all(options_.directory / "records");
  open();
  EXPECT_EQ(node_->identity(), half.identity);
  EXPECT_TRUE(node_->form(test_cluster, members({1})));
}

TEST_F(NodeStoreTest, IsHeldByOneProcess) {
  open();
  auto second = NodeStore::open(options_, random_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
}

TEST_F(NodeStoreTest, RefusesAnotherNodesDirectory) {
  formed();
  options_.node = NodeId{2};
  const Error error = refused();
  EXPECT_EQ(error.code, Errc::wrong_cluster);
  EXPECT_NE(error.message.find("belongs to node 1, this is node 2"), std::string::npos)
      << error.message;
}

TEST_F(NodeStoreTest, RefusesPartsOfAnotherDirectory) {
  formed();
  close();
  const fs::path other = directory_.path() / "other";
  StoreOptions elsewhere = options_;
  elsewhere.directory = other;
  for (const char* part : {"log", "records"}) {
    fs::remove_all(other);
    {
      auto node = NodeStore::open(elsewhere, random_).value();
      ASSERT_TRUE(node->form(ClusterId{{5, 5}}, members({1})));
    }
    fs::rename(options_.directory / part, directory_.path() / "aside");
    fs::copy(other / part, options_.directory / part, fs::copy_options::recursive);
    const Error error = refused();
    EXPECT_EQ(error.code, Errc::corrupt) << part;
    EXPECT_NE(error.message.find("not this node's"), std::string::npos) << error.message;
    fs::remove_all(options_.directory / part);
    fs::rename(directory_.path() / "aside", options_.directory / part);
  }
  open();
}

TEST_F(NodeStoreTest, RefusesADirectoryWithAPartMissing) {
  formed();
  run({noop(1, 1)});
  for (const char* part : {"log", "records", "identity.json"}) {
    close();
    fs::rename(options_.directory / part, directory_.path() / "aside");
    const Error error = refused();
    EXPECT_EQ(error.code, Errc::corrupt) << part;
    EXPECT_NE(error.message.find("joins again as a new member"), std::string::npos)
        << error.message;
    fs::rename(directory_.path() / "aside", options_.directory / part);
  }
  open();
}

TEST_F(NodeStoreTest, RefusesALogThatForgotWhatWasApplied) {
  formed();
  close();
  fs::copy(options_.directory / "log", directory_.path() / "older", fs::copy_options::recursive);
  open();
  run({noop(1, 1)});
  close();
  fs::remove_all(options_.directory / "log");
  fs::rename(directory_.path() / "older", options_.directory / "log");
  const Error error = refused();
  EXPECT_EQ(error.code, Errc::corrupt);
  EXPECT_NE(error.message.find("the log has lost"), std::string::npos) << error.message;
}

// Without it the tables would be taken as they are, whatever of them a power cut left.
TEST_F(NodeStoreTest, RefusesAPartWithoutItsCheckpoint) {
  formed();
  run({noop(1, 1)});
  close();
  for (const char* part : {"log", "records"}) {
    const fs::path checkpoint = options_.directory / part / "checkpoint";
    fs::rename(checkpoint, directory_.path() / "aside");
    EXPECT_EQ(refused().code, Errc::corrupt) << part;
    fs::rename(directory_.path() / "aside", checkpoint);
  }
  open();
}

TEST_F(NodeStoreTest, RefusesRecordsOlderThanTheLogsStart) {
  formed();
  close();
  fs::copy(options_.directory / "records", directory_.path() / "older",
           fs::copy_options::recursive);
  open();
  run({noop(1, 1), noop(2, 1)});
  ASSERT_TRUE(log().compact(2));
  close();
  fs::remove_all(options_.directory / "records");
  fs::rename(directory_.path() / "older", options_.directory / "records");
  const Error error = refused();
  EXPECT_EQ(error.code, Errc::corrupt);
  EXPECT_NE(error.message.find("end at entry 0, but the log starts behind entry 2"),
            std::string::npos)
      << error.message;
}

TEST_F(NodeStoreTest, StartsOverAsANewMemberAndKeepsTheEvidence) {
  formed();
  run({noop(1, 1)});
  const Identity before = node_->identity();
  ASSERT_TRUE(node_->mark_for_start_over("differs from the majority at 1"));
  reopen();
  EXPECT_EQ(node_->identity().cluster, before.cluster);
  EXPECT_NE(node_->identity().incarnation, before.incarnation);
  EXPECT_EQ(log().last_index(), 0U);
  EXPECT_EQ(records().applied(), 0U);
  EXPECT_TRUE(log().start_membership().members.empty());
  const fs::path evidence = *fs::directory_iterator{options_.directory / "evidence"};
  EXPECT_TRUE(fs::exists(evidence / "log" / "data.mdb"));
  EXPECT_TRUE(fs::exists(evidence / "records" / "data.mdb"));
  EXPECT_EQ(read_whole(evidence / "reason.txt"), "differs from the majority at 1\n");
  const Identity second = node_->identity();
  reopen();
  EXPECT_EQ(node_->identity(), second) << "once is enough";
  ASSERT_TRUE(node_->start_over(random_));
  EXPECT_NE(node_->identity().incarnation, second.incarnation);
  EXPECT_EQ(std::distance(fs::directory_iterator{options_.directory / "evidence"},
                          fs::directory_iterator{}),
            1)
      << "only the newest evidence is kept";
}

TEST_F(NodeStoreTest, StartingOverInterruptedAnywhereGoesOn) {
  for (const char* moved : {"", "log", "records"}) {
    fs::remove_all(options_.directory);
    formed();
    run({noop(1, 1)});
    ASSERT_TRUE(node_->mark_for_start_over("test"));
    const Incarnation before = node_->identity().incarnation;
    close();
    // As far as it had come when the power went: nothing moved, or one part of it.
    char name[17];
    std::snprintf(name, sizeof name, "%016lx", before.value);
    fs::create_directories(options_.directory / "evidence" / name);
    if (*moved != '\0')
      fs::rename(options_.directory / moved, options_.directory / "evidence" / name / moved);
    open();
    EXPECT_NE(node_->identity().incarnation, before);
    EXPECT_TRUE(fs::exists(options_.directory / "evidence" / name / "log"));
    EXPECT_TRUE(fs::exists(options_.directory / "evidence" / name / "records"));
    EXPECT_EQ(log().last_index(), 0U);
    close();
  }
}

TEST_F(NodeStoreTest, AnUntrustedDamagedStateCanStillStartOver) {
  formed();
  ASSERT_TRUE(node_->mark_for_start_over("damaged"));
  close();
  write_whole(options_.directory / "records" / "data.mdb", "no database");
  write_whole(options_.directory / "log" / "data.mdb", "no database");
  open();
  EXPECT_EQ(records().applied(), 0U);
}

TEST_F(NodeStoreTest, RefusesInsertsWhenTheDiskRunsFullAndRecovers) {
  constexpr std::uint64_t mib = 1 << 20;  // fresh files can reuse some pages, far less than this
  std::uint64_t free = 1000 * mib;
  options_.free_bytes_min = 500 * mib;
  options_.free_bytes_resume = 700 * mib;
  options_.free_bytes = [&free](const fs::path&) { return Result<std::uint64_t>{free}; };
  formed();
  EXPECT_FALSE(node_->space().low);
  free = 100 * mib;
  EXPECT_TRUE(node_->space().low);
  free = 600 * mib;
  EXPECT_TRUE(node_->space().low) << "not before the resume mark";
  free = 800 * mib;
  EXPECT_FALSE(node_->space().low);
  free = 600 * mib;
  EXPECT_FALSE(node_->space().low) << "not before the low mark";
}

TEST_F(NodeStoreTest, ADiskThatDoesNotAnswerTakesNoInserts) {
  options_.free_bytes_min = 500;
  options_.free_bytes = [](const fs::path&) -> Result<std::uint64_t> {
    return fail(Errc::io_error, "no answer");
  };
  open();
  EXPECT_TRUE(node_->space().low);
}

}  // namespace
}  // namespace mainstay::store
