// What /proc tells of other processes: who listens, who holds a lock, how many files one may open.
// Nothing of it disturbs them. Where /proc does not tell: nothing found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "runtime/config/values.hpp"

namespace mainstay::tool::doctor {

// Somebody holds a lock on this file.
bool is_locked(const std::filesystem::path& file);

// "pid 17 (nginx)"; "" unknown, or nobody listens on this port.
std::string listener_of(std::uint16_t port);

// The name of a process's program; "" there is none with this id.
std::string program_of(std::uint64_t process);

// How many files the process may open; 0 for the process: this one. 0: unknown.
std::uint64_t open_files_max(std::uint64_t process);

// Whether the address can be listened on now. A host that is not of this machine counts as free:
// that is another problem.
bool is_free(const config::Endpoint& endpoint);

// Whether somebody takes connections there.
bool takes_connections(const config::Endpoint& endpoint);

}  // namespace mainstay::tool::doctor
