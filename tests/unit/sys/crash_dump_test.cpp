#include "runtime/sys/crash_dump.hpp"

#include <csignal>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/assert.hpp"

namespace mainstay::sys {
namespace {

bool write_text(void* text, int descriptor) {
  write_when_dying(descriptor, *static_cast<std::string*>(text));
  return true;
}

bool write_half(void* text, int descriptor) {
  write_when_dying(descriptor, *static_cast<std::string*>(text));
  return false;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // gcc
constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)  // clang
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
#else
constexpr bool sanitized = false;
#endif

// Sanitizers have handlers of their own, which report and exit; they are called after ours.
bool dies(int status, int signal) {
  if (sanitized && !WIFSIGNALED(status)) return WEXITSTATUS(status) != 0;
  return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

class CrashDumpTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(path_); }
  void TearDown() override { std::filesystem::remove(path_); }

  // In a child process.
  [[noreturn]] void die(CrashDump::Write write, void (*how)()) {
    const CrashDump dump{path_, write, &text_};
    std::thread{how}.join();
    std::_Exit(0);
  }

  Path path_ = std::filesystem::temp_directory_path() / ("crash-dump-" + std::to_string(getpid()));
  std::string text_ = std::string(100'000, 'x');
};

TEST_F(CrashDumpTest, each_fatal_signal_leaves_the_file_and_ends_the_process_all_the_same) {
  const auto dies_of = [this](auto how, int signal) {
    SCOPED_TRACE(sigabbrev_np(signal));
    std::filesystem::remove(path_);
    EXPECT_EXIT(
        die(write_text, how), [signal](int status) { return dies(status, signal); }, "");
    EXPECT_EQ(read_file(path_, text_.size() + 1).value_or("nothing"), text_);
  };
  dies_of([] { raise(SIGSEGV); }, SIGSEGV);
  dies_of([] { raise(SIGBUS); }, SIGBUS);
  dies_of([] { raise(SIGFPE); }, SIGFPE);
  dies_of([] { raise(SIGILL); }, SIGILL);
  dies_of([] { std::abort(); }, SIGABRT);
  dies_of([] { ASSERT(1 + 1 == 3); }, SIGABRT);
  dies_of([] { throw 1; }, SIGABRT);
  dies_of([] { kill(getpid(), SIGSEGV), pause(); }, SIGSEGV);
}

TEST_F(CrashDumpTest, what_is_not_worth_keeping_is_not_kept) {
  EXPECT_EXIT(die(write_half, [] { std::abort(); }), testing::KilledBySignal(SIGABRT), "");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(CrashDumpTest, nothing_is_written_after_its_life) {
  const auto late = [this] {
    { const CrashDump dump{path_, write_text, &text_}; }
    std::abort();
  };
  EXPECT_EXIT(late(), testing::KilledBySignal(SIGABRT), "");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(CrashDumpTest, a_writer_that_fails_itself_does_not_keep_the_process_alive) {
  const auto fails = [](void*, int) {
    __builtin_trap();
    return true;
  };
  const auto by_any_signal = [](int status) {
    return WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM;
  };
  EXPECT_EXIT(die(fails, [] { std::abort(); }), by_any_signal, "");
}

}  // namespace
}  // namespace mainstay::sys
