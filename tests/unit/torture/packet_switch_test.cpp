// The switch between two ends that are sockets here, which keep packets apart as TUN devices do.
#include "runtime/torture/packet_switch.hpp"

#include <array>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/sys/clock.hpp"

namespace mainstay::torture {
namespace {

class PacketSwitchTest : public ::testing::Test {
 protected:
  PacketSwitchTest() {
    std::vector<PacketSwitch::Port> ports;
    for (std::size_t i = 0; i < 2; ++i) {
      std::array<int, 2> pair{};
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair.data()), 0);
      EXPECT_EQ(::fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
      ours_[i] = pair[0];
      theirs_[i] = pair[1];
      ports.push_back({address_of(10, 77, 0, static_cast<std::uint8_t>(i + 1)), pair[1]});
    }
    switch_ = std::make_unique<PacketSwitch>(ports, 1);
  }

  ~PacketSwitchTest() override {
    switch_.reset();
    for (const int fd : ours_) ::close(fd);
    for (const int fd : theirs_) ::close(fd);
  }

  static std::string packet(std::size_t to, char mark) {
    std::string bytes(41, '\0');
    bytes[0] = 0x45;
    bytes[9] = 6;
    bytes[12] = bytes[16] = 10;
    bytes[13] = bytes[17] = 77;
    bytes[15] = static_cast<char>(2 - to);
    bytes[19] = static_cast<char>(to + 1);
    bytes[32] = 0x50;
    bytes[33] = 0x10;
    bytes[40] = mark;
    return bytes;
  }

  void send(std::size_t from, const std::string& bytes) const {
    ASSERT_EQ(::send(ours_[from], bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }

  // "" when nothing comes within `wait_ms`.
  std::string receive(std::size_t at, int wait_ms = 2000) const {
    pollfd polled{ours_[at], POLLIN, 0};
    std::array<char, 200> bytes{};
    if (::poll(&polled, 1, wait_ms) != 1) return {};
    const ssize_t size = ::recv(ours_[at], bytes.data(), bytes.size(), 0);
    return size > 0 ? std::string{bytes.data(), static_cast<std::size_t>(size)} : std::string{};
  }

  std::array<int, 2> ours_{}, theirs_{};
  std::unique_ptr<PacketSwitch> switch_;
};

TEST_F(PacketSwitchTest, PassesInOrder) {
  for (const char mark : {'a', 'b', 'c'}) send(0, packet(1, mark));
  for (const char mark : {'a', 'b', 'c'}) EXPECT_EQ(receive(1).back(), mark);
}

TEST_F(PacketSwitchTest, ACutIsOneWay) {
  Link cut;
  cut.cut = true;
  switch_->set_link(0, 1, cut);
  send(0, packet(1, 'x'));
  send(1, packet(0, 'y'));
  EXPECT_EQ(receive(0).back(), 'y');
  switch_->heal();
  send(0, packet(1, 'z'));
  EXPECT_EQ(receive(1).back(), 'z') << "what was cut is lost";
  EXPECT_EQ(switch_->counts().lost, 1U);
}

TEST_F(PacketSwitchTest, LosesAboutAsMuchAsItIsTold) {
  Link lossy;
  lossy.loss_per_mille = 300;
  switch_->set_link(0, 1, lossy);
  for (int i = 0; i < 1000; ++i) {
    send(0, packet(1, 'x'));
    while (!receive(1, 0).empty()) {
    }
  }
  send(1, packet(0, 'y'));
  EXPECT_EQ(receive(0).back(), 'y');
  EXPECT_GT(switch_->counts().lost, 200U);
  EXPECT_LT(switch_->counts().lost, 400U);
}

TEST_F(PacketSwitchTest, DelaysAtLeastAsLongAsItIsTold) {
  Link slow;
  slow.delay = Millis{30};
  switch_->set_link(0, 1, slow);
  const auto began = sys::system_clock().monotonic();
  send(0, packet(1, 'x'));
  EXPECT_EQ(receive(1).back(), 'x');
  EXPECT_GE(sys::system_clock().monotonic() - began, Millis{30});
}

TEST_F(PacketSwitchTest, AJitterChangesTheOrder) {
  Link link;
  link.jitter = Millis{20};
  switch_->set_link(0, 1, link);
  std::string sent, received;
  for (char mark = 'a'; mark <= 'z'; ++mark) {
    send(0, packet(1, mark));
    sent += mark;
  }
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const std::string got = receive(1);
    ASSERT_FALSE(got.empty());
    received += got.back();
  }
  EXPECT_NE(received, sent);
  std::sort(received.begin(), received.end());
  EXPECT_EQ(received, sent) << "each once";
}

TEST_F(PacketSwitchTest, AResetGoesToBothEnds) {
  Link resetting;
  resetting.reset = true;
  switch_->set_link(0, 1, resetting);
  send(0, packet(1, 'x'));
  EXPECT_EQ(receive(1)[33], 0x04);
  EXPECT_EQ(receive(0)[33], 0x04);
  EXPECT_EQ(switch_->counts().resets, 1U);
}

}  // namespace
}  // namespace mainstay::torture
