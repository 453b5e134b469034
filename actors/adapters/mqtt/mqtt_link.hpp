// One connection to an MQTT broker, driven by the calling thread; the only class that sees
// libmosquitto. No call takes longer than it was given. Used by one thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::adapters::mqtt {

struct MqttMessage {
  std::string topic;
  std::string payload;
};

struct LinkOptions {
  std::string host;
  int port = 1883;
  std::string client_id;
  bool clean_session = true;
  std::string username;
  std::string password;
  std::string ca_file;  // "": no TLS
  std::string certificate_file;
  std::string key_file;
  int keepalive_seconds = 10;
  Millis connect_timeout{};
  std::vector<std::string> subscriptions;  // QoS 1
  std::optional<MqttMessage> will;         // retained, QoS 1
};

class MqttLink {
 public:
  explicit MqttLink(LinkOptions options);
  ~MqttLink();
  MqttLink(const MqttLink&) = delete;
  MqttLink& operator=(const MqttLink&) = delete;

  // Connected and subscribed: at once if it is, else within the connect time-out. True: it has just
  // been made. Errors: unavailable, unauthorized.
  Result<bool> connect();
  bool connected() const;

  // Sends and receives until `stop` is true or the deadline passed; it is asked after each step.
  // False: the connection broke, or the deadline passed. At least one step is made.
  bool run(MonotonicTime deadline, const std::function<bool()>& stop);

  // Takes what lies ready, without waiting. False: nothing did.
  bool receive_more();

  // QoS 1. Handed to the operating system when run() has been called after it; the broker has it
  // when delivered() says so. Errors: unavailable.
  Result<int> publish(const std::string& topic, const std::string& payload, bool retain = false);
  bool delivered(int message) const;

  std::deque<MqttMessage>& received();  // the caller takes from the front

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mainstay::adapters::mqtt
