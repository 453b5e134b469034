#include "runtime/torture/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/sys/clock.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::torture {

namespace {

constexpr Millis look_every{5};
constexpr int not_started = 127;

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> found;
  found.reserve(words.size() + 1);
  for (std::string& word : words) found.push_back(word.data());
  found.push_back(nullptr);
  return found;
}

std::vector<std::string> variables_of(const Command& command) {
  std::vector<std::string> found;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string variable{*at};
    if (!command.variables.contains(variable.substr(0, variable.find('='))))
      found.push_back(variable);
  }
  for (const auto& [name, value] : command.variables) {
    found.push_back(name);
    found.back().append("=").append(value);
  }
  return found;
}

// In the child, between fork and exec: system calls only.
[[noreturn]] void become(char* const* words, char* const* variables, int output, int space) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (space >= 0 && ::setns(space, CLONE_NEWNET) != 0) ::_exit(not_started);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::setsid();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(words[0], words, variables);
  ::_exit(not_started);
}

bool stopped(const std::filesystem::path& task) {
  std::ifstream file{task / "stat"};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto end = text.rfind(')');
  return end == std::string::npos || end + 2 >= text.size() ||
         std::string_view{"TtZX"}.find(text[end + 2]) != std::string_view::npos;
}

bool all_stopped(int id) {
  std::error_code error;
  const std::filesystem::path tasks{"/proc/" + std::to_string(id) + "/task"};
  const std::filesystem::directory_iterator found{tasks, error};
  return error || std::all_of(begin(found), end(found),
                              [](const auto& task) { return stopped(task.path()); });
}

}  // namespace

Result<Process> Process::start(const Command& command) {
  std::vector<std::string> words = command.words;
  std::vector<std::string> variables = variables_of(command);
  const std::vector<char*> word_pointers = pointers(words);
  const std::vector<char*> variable_pointers = pointers(variables);
  const int output =
      ::open(command.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) return Failure{sys::system_error("open", command.output, errno)};
  const int id = ::fork();
  if (id == 0)
    become(word_pointers.data(), variable_pointers.data(), output, command.network_namespace);
  const int error = errno;
  ::close(output);
  if (id < 0) return Failure{sys::system_error("start", command.words.at(0), error)};
  return Process{id};
}

Process::Process(Process&& other) noexcept
    : id_{std::exchange(other.id_, -1)}, ended_{other.ended_} {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(ended_, other.ended_);
  return *this;
}

Process::~Process() {
  if (id_ >= 0) kill();
}

std::optional<int> Process::ended() {
  int status = 0;
  if (!ended_ && ::waitpid(id_, &status, WNOHANG) == id_)
    ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return ended_;
}

std::optional<int> Process::wait(Millis wait) {
  const auto until = sys::system_clock().monotonic() + wait;
  while (!ended() && sys::system_clock().monotonic() < until)
    ::poll(nullptr, 0, static_cast<int>(look_every.count()));
  return ended_;
}

void Process::signal(int number) const {
  if (!ended_) ::kill(id_, number);
}

bool Process::freeze() {
  signal(SIGSTOP);
  // The signal reaches some threads a moment later.
  const auto until = sys::system_clock().monotonic() + Millis{1000};
  while (!all_stopped(id_)) {
    if (sys::system_clock().monotonic() > until) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

void Process::kill() {
  signal(SIGKILL);
  wait(Millis{10'000});
}

}  // namespace mainstay::torture
