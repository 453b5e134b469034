// Answers to commands, compared and shown.
#pragma once

#include <string>

#include "runtime/record/types.hpp"

namespace mainstay::harness {

// The same but for the texts, and for whether it was remembered.
inline bool same_answer(const record::Outcome& a, const record::Outcome& b) {
  return a.refused == b.refused && a.results == b.results && a.revision == b.revision &&
         a.part == b.part && a.position == b.position && a.found_version == b.found_version;
}

inline std::string describe(const record::Outcome& outcome) {
  if (outcome.refused)
    return std::string{to_string(*outcome.refused)} + " (part " +
           std::to_string(static_cast<int>(outcome.part)) + " " + std::to_string(outcome.position) +
           ", found " + std::to_string(outcome.found_version) + ") " + outcome.detail;
  std::string text = "revision " + std::to_string(outcome.revision);
  for (const record::ActionResult& result : outcome.results)
    text += " version " + std::to_string(result.version) + (result.created ? " created" : "") +
            (result.changed ? "" : " unchanged");
  return text;
}

}  // namespace mainstay::harness
