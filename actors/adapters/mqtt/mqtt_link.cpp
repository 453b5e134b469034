#include "actors/adapters/mqtt/mqtt_link.hpp"

#include <algorithm>
#include <set>

#include <mosquitto.h>

#include "runtime/sys/clock.hpp"

namespace mainstay::adapters::mqtt {

namespace {

// The longest wait inside the library, so that `stop` is asked and deadlines are kept.
constexpr Millis step{20};

struct Destroy {
  void operator()(mosquitto* client) const { mosquitto_destroy(client); }
};

void start_library() {
  static const int started = mosquitto_lib_init();
  static_cast<void>(started);
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

MonotonicTime now() {
  return sys::system_clock().monotonic();
}

}  // namespace

struct MqttLink::Impl {
  LinkOptions options;
  std::unique_ptr<mosquitto, Destroy> client;
  bool up = false;           // CONNACK came, and the connection has not broken since
  int connack = -1;          // its code
  std::set<int> subscribed;  // requests that the broker answered
  std::set<int> delivered;
  bool refused = false;  // a subscription
  std::deque<MqttMessage> received;

  Result<void> make();
  Result<void> subscribe(MonotonicTime deadline);
  bool run(MonotonicTime deadline, const std::function<bool()>& stop);
};

Result<void> MqttLink::Impl::make() {
  start_library();
  up = false;
  connack = -1;
  subscribed.clear();
  delivered.clear();
  client.reset(mosquitto_new(options.client_id.c_str(), options.clean_session, this));
  if (!client) return fail(Errc::invalid_argument, "'" + options.client_id + "' is no client id");
  if (!options.username.empty())
    mosquitto_username_pw_set(client.get(), options.username.c_str(), or_null(options.password));
  if (!options.ca_file.empty()) {
    const int code =
        mosquitto_tls_set(client.get(), options.ca_file.c_str(), nullptr,
                          or_null(options.certificate_file), or_null(options.key_file), nullptr);
    if (code != MOSQ_ERR_SUCCESS)
      return fail(Errc::invalid_argument,
                  std::string{"TLS files cannot be used: "} + mosquitto_strerror(code));
  }
  if (options.will)
    mosquitto_will_set(client.get(), options.will->topic.c_str(),
                       static_cast<int>(options.will->payload.size()), options.will->payload.data(),
                       1, true);
  mosquitto_connect_callback_set(client.get(), [](mosquitto*, void* self, int code) {
    static_cast<Impl*>(self)->connack = code;
    static_cast<Impl*>(self)->up = code == 0;
  });
  mosquitto_disconnect_callback_set(
      client.get(), [](mosquitto*, void* self, int) { static_cast<Impl*>(self)->up = false; });
  mosquitto_subscribe_callback_set(
      client.get(), [](mosquitto*, void* self, int message, int count, const int* granted) {
        Impl& impl = *static_cast<Impl*>(self);
        impl.subscribed.insert(message);
        impl.refused = impl.refused ||
                       std::any_of(granted, granted + count, [](int qos) { return qos >= 0x80; });
      });
  mosquitto_publish_callback_set(client.get(), [](mosquitto*, void* self, int message) {
    static_cast<Impl*>(self)->delivered.insert(message);
  });
  mosquitto_message_callback_set(
      client.get(), [](mosquitto*, void* self, const mosquitto_message* message) {
        const auto size = static_cast<std::size_t>(message->payloadlen);
        static_cast<Impl*>(self)->received.push_back(
            {message->topic, std::string{static_cast<const char*>(message->payload), size}});
      });
  return {};
}

bool MqttLink::Impl::run(MonotonicTime deadline, const std::function<bool()>& stop) {
  while (true) {
    if (stop()) return true;
    if (!client) return false;
    const auto left = std::chrono::floor<Millis>(deadline - now());
    const auto wait = std::clamp(left, Millis{0}, step);
    const bool good =
        mosquitto_loop(client.get(), static_cast<int>(wait.count()), 1) == MOSQ_ERR_SUCCESS;
    up = up && good;
    if (!good || left <= Millis{0}) return stop();
  }
}

Result<void> MqttLink::Impl::subscribe(MonotonicTime deadline) {
  refused = false;
  std::vector<int> requests;
  for (const std::string& filter : options.subscriptions) {
    int message = 0;
    if (mosquitto_subscribe(client.get(), &message, filter.c_str(), 1) != MOSQ_ERR_SUCCESS)
      return fail(Errc::invalid_argument, "cannot subscribe to '" + filter + "'");
    requests.push_back(message);
  }
  const bool all = run(deadline, [this, &requests] {
    return std::all_of(requests.begin(), requests.end(),
                       [this](int message) { return subscribed.contains(message); });
  });
  if (!all) return fail(Errc::unavailable, "the broker did not answer the subscription");
  if (refused) return fail(Errc::unauthorized, "the broker refused a subscription");
  return {};
}

MqttLink::MqttLink(LinkOptions options) : impl_{std::make_unique<Impl>()} {
  impl_->options = std::move(options);
}

MqttLink::~MqttLink() {
  if (!connected()) return;
  mosquitto_disconnect(impl_->client.get());
  mosquitto_loop(impl_->client.get(), 0, 1);
}

bool MqttLink::connected() const {
  return impl_->client && impl_->up;
}

Result<bool> MqttLink::connect() {
  if (connected()) return false;
  const LinkOptions& options = impl_->options;
  TRY(impl_->make());
  const MonotonicTime deadline = now() + options.connect_timeout;
  const std::string where = options.host + ":" + std::to_string(options.port);
  const int code = mosquitto_connect_async(impl_->client.get(), options.host.c_str(), options.port,
                                           options.keepalive_seconds);
  if (code != MOSQ_ERR_SUCCESS)
    return fail(Errc::unavailable, where + ": " + mosquitto_strerror(code));
  impl_->run(deadline, [this] { return impl_->connack >= 0; });
  if (!impl_->up) {
    const int refusal = impl_->connack;
    impl_->client.reset();
    if (refusal == 4 || refusal == 5)
      return fail(Errc::unauthorized, where + ": " + mosquitto_connack_string(refusal));
    return fail(Errc::unavailable, where + ": no connection to the broker");
  }
  if (const auto done = impl_->subscribe(deadline); !done) {
    impl_->client.reset();
    return Failure{done.error()};
  }
  return true;
}

bool MqttLink::run(MonotonicTime deadline, const std::function<bool()>& stop) {
  return impl_->run(deadline, [this, &stop] { return stop() || !impl_->up; }) && stop();
}

bool MqttLink::receive_more() {
  const std::size_t before = impl_->received.size();
  run(now(), [] { return false; });
  return impl_->received.size() > before;
}

Result<int> MqttLink::publish(const std::string& topic, const std::string& payload, bool retain) {
  if (!connected()) return fail(Errc::unavailable, "not connected to the broker");
  int message = 0;
  const int code = mosquitto_publish(impl_->client.get(), &message, topic.c_str(),
                                     static_cast<int>(payload.size()), payload.data(), 1, retain);
  if (code == MOSQ_ERR_SUCCESS) return message;
  impl_->up = impl_->up && code != MOSQ_ERR_NO_CONN && code != MOSQ_ERR_CONN_LOST;
  return fail(Errc::unavailable, topic + ": " + mosquitto_strerror(code));
}

bool MqttLink::delivered(int message) const {
  return impl_->delivered.contains(message);
}

std::deque<MqttMessage>& MqttLink::received() {
  return impl_->received;
}

}  // namespace mainstay::adapters::mqtt
