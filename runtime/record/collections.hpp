// The collections that one applied entry touches: their rows and declarations, looked up once and
// written back once. Private to the apply step.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "runtime/record/state_machine.hpp"

namespace mainstay::record {

// A collection as one entry sees it. System collections have a declaration and no row.
struct Place {
  std::string_view name;
  Collection row;
  bool has_row = false;
  bool changed = false;
  InForce in_force;  // without a declaration: there is no such collection

  const Declaration* declaration() const { return in_force.declaration.get(); }
};

class Collections {
 public:
  Collections(StateWriter& state, Declarations& declarations)
      : state_{state}, declarations_{declarations} {}

  // Stays where it is until the entry ends.
  Place& find(std::string_view name);
  // Writes the rows that changed.
  void finish();

 private:
  StateWriter& state_;
  Declarations& declarations_;
  std::map<std::string, Place, std::less<>> places_;
};

}  // namespace mainstay::record
