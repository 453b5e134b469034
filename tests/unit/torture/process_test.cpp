#include "runtime/torture/process.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace mainstay::torture {
namespace {

class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest() : output_{std::filesystem::path{::testing::TempDir()} / "mainstay-process-test"} {
    std::filesystem::remove(output_);
  }
  ~ProcessTest() override { std::filesystem::remove(output_); }

  Process start(const std::string& script) const {
    auto process =
        Process::start({{"/bin/sh", "-c", script}, {{"GREETING", "hello"}}, output_.string()});
    EXPECT_TRUE(process);
    return *std::move(process);
  }

  const std::filesystem::path output_;
};

TEST_F(ProcessTest, TellsItsExitCodeAndKeepsItsOutput) {
  Process process = start("echo $GREETING; exit 7");
  EXPECT_EQ(process.wait(Millis{10'000}), 7);
  std::ifstream file{output_};
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>{file}, {}}), "hello\n");
}

TEST_F(ProcessTest, IsStoppedAndGoesOn) {
  Process process = start("while :; do :; done");
  EXPECT_TRUE(process.freeze());
  process.signal(SIGCONT);
  EXPECT_FALSE(process.ended());
  process.kill();
  EXPECT_EQ(process.ended(), -SIGKILL);
}

TEST_F(ProcessTest, AProgramThatIsNotThereEndsAtOnce) {
  auto process = Process::start({{"/nowhere/at/all"}, {}, output_.string()});
  ASSERT_TRUE(process);
  EXPECT_EQ(process->wait(Millis{10'000}), 127);
}

}  // namespace
}  // namespace mainstay::torture
