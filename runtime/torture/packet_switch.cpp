#include "runtime/torture/packet_switch.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <string_view>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runtime/sys/clock.hpp"

namespace mainstay::torture {

namespace {

constexpr std::size_t packet_bytes_max = 65'536;
constexpr std::size_t batch_packets_max = 64;  // of one host before the next has its turn
constexpr std::size_t waiting_bytes_max = 64U
                                          << 20U;  // beyond it, packets are lost, as in a router
constexpr int idle_ms_max = 100;

struct Waiting {
  MonotonicTime due;
  std::uint64_t number = 0;  // of two that are due at once, the first came first
  std::size_t to = 0;
  std::string packet;

  bool operator>(const Waiting& other) const {
    return due != other.due ? due > other.due : number > other.number;
  }
};

}  // namespace

class PacketSwitch::Core {
 public:
  Core(std::vector<Port> ports, std::uint64_t seed)
      : ports_{std::move(ports)},
        links_(ports_.size() * ports_.size()),
        random_{seed},
        wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)},
        thread_{[this] { run(); }} {}

  ~Core() {
    ending_ = true;
    ::eventfd_write(wake_, 1);
    thread_.join();
    ::close(wake_);
  }

  void set_link(std::size_t from, std::size_t to, const Link& link) {
    const std::lock_guard guard{mutex_};
    links_.at(from * ports_.size() + to) = link;
  }

  void heal() {
    const std::lock_guard guard{mutex_};
    std::fill(links_.begin(), links_.end(), Link{});
  }

  SwitchCounts counts() const {
    const std::lock_guard guard{mutex_};
    return counts_;
  }

 private:
  void run() {
    std::vector<pollfd> polled;
    for (const Port& port : ports_) polled.push_back({port.device, POLLIN, 0});
    polled.push_back({wake_, POLLIN, 0});
    while (!ending_) {
      const int timeout = deliver_due();
      if (::poll(polled.data(), polled.size(), timeout) <= 0) continue;
      for (std::size_t i = 0; i < ports_.size(); ++i)
        if ((polled[i].revents & POLLIN) != 0) take(i);
    }
  }

  void take(std::size_t from) {
    for (std::size_t n = 0; n < batch_packets_max; ++n) {
      const ssize_t size = ::read(ports_[from].device, buffer_.data(), buffer_.size());
      if (size <= 0) return;
      pass(from, {buffer_.data(), static_cast<std::size_t>(size)});
    }
  }

  void pass(std::size_t from, std::string_view packet) {
    const auto to = receiver_of(packet);
    if (!to) return;  // the kernel's own multicast
    const std::lock_guard guard{mutex_};
    const Link& link = links_[from * ports_.size() + *to];
    if (link.cut || (link.loss_per_mille > 0 && random_.between(1, 1000) <= link.loss_per_mille)) {
      ++counts_.lost;
      return;
    }
    if (link.reset && reset(from, *to, packet)) return;
    if (link.delay.count() + link.jitter.count() == 0) {
      ++counts_.passed;
      write(*to, packet);
      return;
    }
    keep(*to, packet, link);
  }

  bool reset(std::size_t from, std::size_t to, std::string_view packet) {
    const Resets resets = resets_of(packet);
    if (resets.forward.empty()) return false;
    write(to, resets.forward);
    write(from, resets.backward);
    ++counts_.resets;
    return true;
  }

  void keep(std::size_t to, std::string_view packet, const Link& link) {
    if (waiting_bytes_ + packet.size() > waiting_bytes_max) {
      ++counts_.lost;
      return;
    }
    const auto more =
        link.jitter.count() == 0
            ? Micros{0}
            : Micros{random_.between(0, static_cast<std::uint64_t>(Micros{link.jitter}.count()))};
    waiting_bytes_ += packet.size();
    ++counts_.delayed;
    waiting_.push(
        {sys::system_clock().monotonic() + link.delay + more, number_++, to, std::string{packet}});
  }

  // Milliseconds until the next one is due.
  int deliver_due() {
    while (!waiting_.empty()) {
      const auto left = waiting_.top().due - sys::system_clock().monotonic();
      if (left > Millis{0})
        return std::min<int>(idle_ms_max,
                             static_cast<int>(std::chrono::ceil<Millis>(left).count()));
      write(waiting_.top().to, waiting_.top().packet);
      waiting_bytes_ -= waiting_.top().packet.size();
      waiting_.pop();
    }
    return idle_ms_max;
  }

  // A full device loses it, as a full queue of a card does.
  void write(std::size_t to, std::string_view packet) {
    if (::write(ports_[to].device, packet.data(), packet.size()) < 0) ++unwritten_;
  }

  std::optional<std::size_t> receiver_of(std::string_view packet) const {
    const auto route = route_of(packet);
    if (!route) return std::nullopt;
    for (std::size_t i = 0; i < ports_.size(); ++i)
      if (ports_[i].address == route->to) return i;
    return std::nullopt;
  }

  const std::vector<Port> ports_;
  mutable std::mutex mutex_;
  std::vector<Link> links_;  // from * ports + to
  SwitchCounts counts_;
  SeededRandom random_;
  const int wake_;
  std::atomic<bool> ending_{false};
  // The thread's own.
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t number_ = 0, unwritten_ = 0;
  std::array<char, packet_bytes_max> buffer_{};
  std::thread thread_;
};

PacketSwitch::PacketSwitch(std::vector<Port> ports, std::uint64_t seed)
    : core_{std::make_unique<Core>(std::move(ports), seed)} {}

PacketSwitch::~PacketSwitch() = default;

void PacketSwitch::set_link(std::size_t from, std::size_t to, const Link& link) {
  core_->set_link(from, to, link);
}

void PacketSwitch::heal() {
  core_->heal();
}

SwitchCounts PacketSwitch::counts() const {
  return core_->counts();
}

}  // namespace mainstay::torture
