#include <charconv>

#include <fmt/format.h>

#include "runtime/torture/worker.hpp"

namespace mainstay::torture {

std::string Numbered::name(std::uint64_t number) const {
  return fmt::format("{}-{:09}", prefix_, number);
}

std::string Numbered::next() {
  return name(++tried_);
}

void Numbered::drop_last() {
  dropped_.insert(tried_);
}

void Numbered::doubt_last() {
  doubted_.insert(tried_);
}

void Numbered::Comparison::skip_to(std::uint64_t number) {
  for (; next_ < number; ++next_)
    if (!made_.dropped_.contains(next_) && !made_.doubted_.contains(next_))
      missing_.push_back(made_.name(next_));
}

void Numbered::Comparison::see(const std::string& name) {
  ++seen_;
  std::uint64_t number = 0;
  const std::size_t at = made_.prefix_.size() + 1;
  if (name.size() > at) std::from_chars(name.data() + at, name.data() + name.size(), number);
  // Not one of those that it made, one that it made and that never happened, or one out of order.
  if (number < next_ || number > made_.tried_ || name != made_.name(number) ||
      made_.dropped_.contains(number)) {
    foreign_.push_back(name);
    return;
  }
  skip_to(number);
  next_ = number + 1;
}

void Numbered::Comparison::end() {
  skip_to(made_.tried_ + 1);
}

}  // namespace mainstay::torture
