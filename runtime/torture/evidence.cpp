#include "runtime/torture/evidence.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/assert.hpp"

namespace mainstay::torture {

void Evidence::expect(std::string_view name, std::string_view unit) {
  const std::lock_guard guard{mutex_};
  checks_.push_back({std::string{name}, std::string{unit}, 0, 0, {}, {}});
}

Check& Evidence::find(std::string_view name) {
  const auto at = std::find_if(checks_.begin(), checks_.end(),
                               [name](const Check& check) { return check.name == name; });
  ASSERT(at != checks_.end());
  return *at;
}

void Evidence::looked(std::string_view name, std::uint64_t count) {
  const std::lock_guard guard{mutex_};
  find(name).looked += count;
}

void Evidence::wrong(std::string_view name, std::string finding) {
  const std::lock_guard guard{mutex_};
  Check& check = find(name);
  ++check.wrong;
  if (check.findings.size() < findings_told_max) check.findings.push_back(std::move(finding));
}

void Evidence::note(std::string_view name, std::string note) {
  const std::lock_guard guard{mutex_};
  find(name).note = std::move(note);
}

std::vector<Check> Evidence::checks() const {
  const std::lock_guard guard{mutex_};
  return checks_;
}

}  // namespace mainstay::torture
