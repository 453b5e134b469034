// What a host application knows of the edge nodes it listens to (Sparkplug 3.0): who lives, in
// which session, with which metrics; and whom it must ask for a rebirth because something was
// missed. Passive: messages and time in, events out. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/adapters/mqtt/sparkplug_payload.hpp"
#include "runtime/base/json.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::adapters::mqtt {

// One connection of an edge node to its broker. bdSeq alone wraps at 255, so the time of the first
// birth belongs to it; a rebirth within the session does not change it.
struct Session {
  std::uint64_t bd_seq = 0;
  std::uint64_t birth = 0;  // milliseconds since 1970, by the node's clock
  bool ended = false;       // its death was heard: the same bdSeq again is another session

  bool operator==(const Session&) const = default;
};
std::string to_string(const Session& session);    // "3@1764321000000"
using Sessions = std::map<std::string, Session>;  // by group/node

struct SparkplugEvent {
  enum class Kind { birth, data, death };
  Kind kind = Kind::data;
  std::string path;  // group/node or group/node/device
  Session session;
  std::uint64_t time = 0;                      // of the payload
  std::map<std::string, json::Value> metrics;  // all of them, as they are now
  std::set<std::string> changed;               // names of those that this message changed
};

class SparkplugHost {
 public:
  // `known`: sessions of an earlier life, so that a rebirth is not taken for a new session.
  SparkplugHost(Sessions known, Millis rebirth_every);

  // A connection to the broker was made: whatever was said meanwhile was missed.
  void connected();

  std::vector<SparkplugEvent> on_message(const SparkplugTopic& topic, const Payload& payload);

  // Nodes (group/node) to be asked for a rebirth now; each at most once in `rebirth_every` until it
  // is born.
  std::vector<std::string> rebirths_due(MonotonicTime now);

  const Sessions& sessions() const { return sessions_; }
  std::uint64_t gaps() const { return gaps_; }
  std::uint64_t duplicates() const { return duplicates_; }

 private:
  struct Known {
    DataType type = DataType::unknown;
    json::Value value;
  };
  struct Device {
    bool online = false;
    std::map<std::string, Known> metrics;
    std::map<std::uint64_t, std::string> aliases;
  };
  struct Node {
    bool in_order = false;  // born, and nothing missed since
    std::uint64_t next_seq = 0;
    std::optional<std::uint64_t> last_time;  // of the payload before
    std::map<std::string, Device> devices;   // "": the node itself
    std::optional<MonotonicTime> asked;
  };

  std::vector<SparkplugEvent> on_node_birth(const SparkplugTopic& topic, const Payload& payload);
  std::vector<SparkplugEvent> on_node_death(const SparkplugTopic& topic, const Payload& payload);
  bool takes_sequence(Node& node, const Payload& payload);
  std::vector<SparkplugEvent> on_birth(const SparkplugTopic& topic, const Payload& payload,
                                       Node& node);
  std::vector<SparkplugEvent> on_data(const SparkplugTopic& topic, const Payload& payload,
                                      Node& node);
  SparkplugEvent event_of(SparkplugEvent::Kind kind, const SparkplugTopic& topic,
                          const Payload& payload, const Device& device) const;

  Sessions sessions_;
  Millis rebirth_every_;
  std::map<std::string, Node> nodes_;  // by group/node
  std::uint64_t gaps_ = 0;
  std::uint64_t duplicates_ = 0;
};

}  // namespace mainstay::adapters::mqtt
