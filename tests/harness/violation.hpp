// What a broken promise looks like in the simulator.
#pragma once

#include <stdexcept>
#include <string>

namespace mainstay::harness {

// Ends the seed. `invariant` is the short stable name shown in the table of the mutation gate.
class Violation : public std::runtime_error {
 public:
  Violation(std::string invariant, const std::string& what)
      : std::runtime_error{invariant + ": " + what}, invariant_{std::move(invariant)} {}
  const std::string& invariant() const { return invariant_; }

 private:
  std::string invariant_;
};

}  // namespace mainstay::harness
