// Evidence from one host, whether its node runs or not: the configuration file and what it names.
#pragma once

#include <string>

#include "runtime/daemon/tool/doctor/evidence.hpp"

namespace mainstay::tool::doctor {

// `HostSeen::answers` is left 0: who answers is asked by the caller.
HostSeen look_at_host(const std::string& configuration_file);

// Of a node without its configuration file: only its data directory.
HostSeen look_at_data(const std::string& data_directory);

}  // namespace mainstay::tool::doctor
