// What a disk can do to the files of a node, one case a run: a calm cluster under load, files of
// one member or of a minority damaged, and then everything the simulator demands of a seed: no
// acknowledged write lost, no wrong answer, and all members whole at the end.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/random.hpp"

namespace mainstay::harness {

// Which file of the data directory (docs/formats/data-directory.md).
enum class DamagedFile : std::uint8_t {
  log_data,
  log_checkpoint,
  journal,
  record_data,
  record_checkpoint,
  identity,
  snapshot,  // made for others: another member has lost its disk and fetches it
};
inline constexpr std::size_t damaged_file_count = 7;
std::string_view to_string(DamagedFile file);

enum class Damage : std::uint8_t {
  flipped_bit,
  garbage,      // 64 bytes
  zeroed_page,  // 4096 bytes
  truncated,
  swapped,  // another member's file of the same name
  missing,
};
inline constexpr std::size_t damage_count = 6;
std::string_view to_string(Damage damage);

// When the bytes change.
enum class DamageMoment : std::uint8_t {
  killed,     // between kill -9 and the next start
  power_cut,  // between a power cut and the next start
  running,    // while the node uses the file; what it maps, in its rows only
};
inline constexpr std::size_t damage_moment_count = 3;
std::string_view to_string(DamageMoment moment);

struct Corruption {
  DamagedFile file = DamagedFile::journal;
  Damage damage = Damage::flipped_bit;
  DamageMoment moment = DamageMoment::killed;
  std::uint32_t victims = 1;
};

// Whether the file can be damaged so at that moment without the simulating process itself going
// down: it maps the files of all of its nodes.
bool makes_sense(const Corruption& corruption);

// What became of a victim.
enum class DamageOutcome : std::uint8_t {
  no_place,     // there was no such file, or nothing in it
  harmless,     // it starts, everything it holds passes its checks, and it goes on
  refused,      // it does not start, and says why; it comes back empty, as a new member
  scrubbed,     // it stops when it reads everything again; the same
  stopped,      // it stops later; the same
  quarantined,  // the majority names it; it comes back as a new member by itself
  died,         // it does not start: the process ends by a signal; as one that refuses
};
inline constexpr std::size_t damage_outcome_count = 7;
std::string_view to_string(DamageOutcome outcome);

// Damages the file below `directory`; `other`: that of another member. False: no place for it. In
// the data of an environment in use, `text` is looked for, and what is damaged lies in it.
bool damage_file(const std::string& directory, const std::string& other,
                 const Corruption& corruption, const std::string& text, Random& random);

}  // namespace mainstay::harness
