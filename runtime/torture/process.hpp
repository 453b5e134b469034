// A child process that is surely gone at the end: it dies with its parent, whatever happens to
// that.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::torture {

struct Command {
  std::vector<std::string> words;                     // the program's path first
  std::map<std::string, std::string> variables = {};  // beside those of this process
  std::string output = {};                            // a file to append its output to
  int network_namespace = -1;                         // -1: that of this process
};

// REQUIRES: started from a thread that outlives it (the kernel ties the child to the thread).
// One thread.
class Process {
 public:
  static Result<Process> start(const Command& command);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();  // SIGKILL, and waits

  // How it ended, if it has: the exit code, or minus the signal.
  std::optional<int> ended();
  // Waits at most `wait`.
  std::optional<int> wait(Millis wait);
  void signal(int number) const;  // nothing when it has ended
  // Stops it by SIGSTOP; when it returns, every thread is stopped. False: not within a second.
  bool freeze();
  void kill();  // SIGKILL, and waits
  int id() const { return id_; }

 private:
  explicit Process(int id) : id_{id} {}
  int id_ = -1;  // -1: moved away
  std::optional<int> ended_;
};

}  // namespace mainstay::torture
