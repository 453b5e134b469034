// What the checks looked at and what they found wrong, by the name of the check: what the verdict
// is made of. Bounded: of each check the first findings in words, the others counted. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace mainstay::torture {

inline constexpr std::size_t findings_told_max = 20;  // of one check

struct Check {
  std::string name;
  std::string unit;  // of what was looked at: "calls", "records"
  std::uint64_t looked = 0;
  std::uint64_t wrong = 0;
  std::string note;  // more about it, in one line
  std::vector<std::string> findings;

  bool passed() const { return wrong == 0; }
};

class Evidence {
 public:
  // Every check there will be, in the order of the verdict; one that never looked at anything
  // shows.
  void expect(std::string_view name, std::string_view unit);
  // REQUIRES: expected.
  void looked(std::string_view name, std::uint64_t count = 1);
  void wrong(std::string_view name, std::string finding);
  void note(std::string_view name, std::string note);

  std::vector<Check> checks() const;

 private:
  Check& find(std::string_view name);
  mutable std::mutex mutex_;
  std::vector<Check> checks_;
};

}  // namespace mainstay::torture
