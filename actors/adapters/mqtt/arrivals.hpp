// What has arrived and is not acknowledged yet, in order, and the position that names how far it
// was taken. Passive. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "actors/adapters/mqtt/sparkplug_host.hpp"
#include "runtime/base/result.hpp"
#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters::mqtt {

// {"life":"5f…","n":12,"nodes":{"plant1/edge1":[3,1764321000000,false]}}. A broker keeps no place
// for us: the number counts what arrived within one life of the adapter, and means nothing in the
// next. The sessions do: with them a rebirth is told from a new session.
struct ArrivalPosition {
  std::string life;
  std::uint64_t number = 0;
  Sessions sessions;
};
Result<ArrivalPosition> parse_arrival_position(const std::string& text);  // "" is the beginning
std::string to_string(const ArrivalPosition& position);

// Published when the message is committed.
struct Acknowledgement {
  std::string topic;
  std::string payload;
};

class Arrivals {
 public:
  explicit Arrivals(std::string life) : life_{std::move(life)} {}

  void add(integration::RawMessage message, Acknowledgement acknowledgement = {});
  std::size_t size() const { return waiting_.size(); }

  // What lies behind the position; if that is of another life, everything.
  integration::Page page_after(const ArrivalPosition& position, const Sessions& sessions,
                               std::size_t messages_max) const;
  bool any_after(const ArrivalPosition& position) const;
  // Lets go of everything up to the position; what is to be published for it.
  std::vector<Acknowledgement> acknowledge(const ArrivalPosition& position);

 private:
  struct Entry {
    std::uint64_t number = 0;
    integration::RawMessage message;
    Acknowledgement acknowledgement;  // topic "": none
  };

  std::uint64_t taken(const ArrivalPosition& position) const {
    return position.life == life_ ? position.number : 0;
  }

  std::string life_;
  std::uint64_t last_number_ = 0;
  std::deque<Entry> waiting_;
};

}  // namespace mainstay::adapters::mqtt
