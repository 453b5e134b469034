// Waiting for the socket of a client library that does not block and does its own reading.
#pragma once

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace mainstay::bench {

// The descriptor stays the library's: forget() before the library closes it.
class DescriptorWatch {
 public:
  explicit DescriptorWatch(boost::asio::io_context& io) : descriptor_{io} {}
  DescriptorWatch(const DescriptorWatch&) = delete;
  DescriptorWatch& operator=(const DescriptorWatch&) = delete;
  ~DescriptorWatch() { forget(); }

  // Calls `then` once, when `descriptor` can be read from (or written to); never after forget().
  template <class Then>
  void wait(int descriptor, bool for_write, Then then) {
    if (!descriptor_.is_open() || descriptor_.native_handle() != descriptor) {
      forget();
      descriptor_.assign(descriptor);
    }
    descriptor_.async_wait(for_write ? boost::asio::posix::descriptor_base::wait_write
                                     : boost::asio::posix::descriptor_base::wait_read,
                           [then = std::move(then)](const boost::system::error_code& error) {
                             if (!error) then();
                           });
  }

  void forget() {
    if (descriptor_.is_open()) descriptor_.release();
  }

 private:
  boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace mainstay::bench
