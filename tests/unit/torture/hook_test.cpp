// The hook in a real process (scribe.cpp): what it records, and what it does to syncs and to the
// clock.
#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/sys/clock.hpp"
#include "runtime/torture/crash_image.hpp"
#include "runtime/torture/hook/control.hpp"
#include "runtime/torture/process.hpp"

namespace mainstay::torture {
namespace {

namespace fs = std::filesystem;

class HookTest : public ::testing::Test {
 protected:
  HookTest() : home_{fs::path{::testing::TempDir()} / "mainstay-hook-test"} {
    fs::remove_all(home_);
    fs::create_directories(home_ / "data");
    fs::create_directories(home_ / "base");
    const int fd = ::open((home_ / "control").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    EXPECT_EQ(::ftruncate(fd, sizeof(Control)), 0);
    control_ = static_cast<Control*>(
        ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    ::close(fd);
  }
  ~HookTest() override {
    ::munmap(control_, sizeof(Control));
    fs::remove_all(home_);
  }

  // Its exit code; what it printed is in seconds_ and error_.
  int run() {
    auto process = Process::start({{SCRIBE, (home_ / "data").string()},
                                   {{"LD_PRELOAD", HOOK},
                                    {control_variable, (home_ / "control").string()},
                                    {data_variable, (home_ / "data").string()},
                                    {record_variable, (home_ / "recording").string()}},
                                   (home_ / "output").string()});
    EXPECT_TRUE(process);
    const int code = process->wait(Millis{20'000}).value_or(-1);
    std::ifstream{home_ / "output"} >> seconds_ >> error_;
    return code;
  }

  std::string built(const CrashImages& images, const std::string& name) {
    fs::remove_all(home_ / "image");
    EXPECT_TRUE(images.build(home_ / "image", Kept::nothing, random_));
    std::ifstream file{home_ / "image" / name, std::ios::binary};
    return file ? std::string{std::istreambuf_iterator<char>{file}, {}} : "-";
  }

  const fs::path home_;
  Control* control_ = nullptr;
  SeededRandom random_{1};
  long long seconds_ = 0;
  int error_ = -1;
};

TEST_F(HookTest, RecordsWhatIsWrittenAndWhatIsDurable) {
  ASSERT_EQ(run(), 0);
  auto images =
      CrashImages::open(home_ / "recording", home_ / "data", home_ / "base", home_ / "state");
  ASSERT_TRUE(images);
  ASSERT_TRUE(images->advance(UINT64_MAX));
  EXPECT_EQ(images->position(), control_->recorded);
  EXPECT_EQ(built(*images, "a"), "one") << "two was never synced";
  EXPECT_EQ(built(*images, "b"), "content");
  EXPECT_EQ(built(*images, "b.tmp"), "-");
  fs::remove_all(home_ / "image");
  ASSERT_TRUE(images->build(home_ / "image", Kept::everything, random_));
  for (const char* name : {"a", "b"}) {
    std::ifstream built{home_ / "image" / name}, left{home_ / "data" / name};
    EXPECT_EQ((std::string{std::istreambuf_iterator<char>{built}, {}}),
              (std::string{std::istreambuf_iterator<char>{left}, {}}))
        << name << ": everything kept is what the process left";
  }
}

TEST_F(HookTest, ASyncFailsOnceWhenItIsTold) {
  control_->sync_error = EIO;
  EXPECT_EQ(run(), 1);
  EXPECT_EQ(error_, EIO);
  EXPECT_EQ(control_->sync_error, 0U);
}

TEST_F(HookTest, SyncsTakeLonger) {
  control_->sync_delay_ms = 100;
  const auto began = sys::system_clock().monotonic();
  EXPECT_EQ(run(), 0);
  EXPECT_GE(sys::system_clock().monotonic() - began, Millis{300}) << "three syncs";
}

TEST_F(HookTest, TheWallClockIsWrongByAsMuchAsItIsTold) {
  control_->clock_ahead_ms = -3'600'000;
  EXPECT_EQ(run(), 0);
  const auto now = static_cast<long long>(sys::millis_of(sys::system_clock().wall()) / 1000);
  EXPECT_NEAR(static_cast<double>(now - seconds_), 3600, 30);
}

}  // namespace
}  // namespace mainstay::torture
