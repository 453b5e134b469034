// Opening a port; internal to runtime/http.
#pragma once

#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "runtime/base/result.hpp"
#include "runtime/config/values.hpp"

namespace mainstay::http {

// Port 0: a free one. Errors: invalid_argument (the host has no address; names `option`),
// unavailable (the address cannot be bound).
Result<boost::asio::ip::tcp::acceptor> listen_on(boost::asio::io_context& context,
                                                 const config::Endpoint& endpoint,
                                                 std::string_view option);

}  // namespace mainstay::http
