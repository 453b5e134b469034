#include "runtime/http/request_reader.hpp"

#include <gmock/gmock.h>

namespace mainstay::http {
namespace {

using ::testing::HasSubstr;

constexpr RequestLimits limits{2'000, 1'000};

std::size_t put(RequestReader& reader, std::string_view text) {
  return reader.put({text.data(), text.size()});
}

TEST(RequestReader, TakesWhatBelongsToOneRequest) {
  RequestReader reader{limits};
  const std::string first = "PUT /a?b=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
  EXPECT_EQ(put(reader, first + "GET /next"), first.size());
  ASSERT_TRUE(reader.is_done());
  const auto [request, traits] = reader.take();
  EXPECT_EQ(request.method, Method::put);
  EXPECT_EQ(request.target, "/a?b=1");
  EXPECT_EQ(request.body.view(), "abc");
  EXPECT_EQ(request.headers.find("HOST"), "x");
  EXPECT_TRUE(traits.keep_alive);
  EXPECT_FALSE(traits.http_1_0);
}

TEST(RequestReader, TakesBytesOneByOne) {
  RequestReader reader{limits};
  std::string pending;
  for (const char c :
       std::string_view{"HEAD /a HTTP/1.0\r\nConnection: keep-alive\r\nX: y\r\n\r\n"}) {
    EXPECT_FALSE(reader.is_done());
    pending += c;
    pending.erase(0, put(reader, pending));
  }
  ASSERT_TRUE(reader.is_done());
  const auto [request, traits] = reader.take();
  EXPECT_TRUE(traits.http_1_0);
  EXPECT_TRUE(traits.head);
  EXPECT_TRUE(traits.keep_alive);
}

// Boost.Beast ends the process when this is left to it (chunk_guard.hpp).
TEST(RequestReader, AnEmptyChunkedBodyMayComeByteByByte) {
  for (const char* end : {"0\r\n\r\n", "0\r\nA: b\r\n\r\n", "1\r\nx\r\n0\r\n\r\n"}) {
    RequestReader reader{limits};
    std::string pending;
    for (const char c :
         "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string{end}) {
      pending += c;
      pending.erase(0, put(reader, pending));
    }
    EXPECT_TRUE(reader.is_done()) << end;
    EXPECT_EQ(pending, "") << end;
  }
}

TEST(RequestReader, WaitsForThoseWhoWantToBeTold) {
  RequestReader reader{limits};
  put(reader, "PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n");
  EXPECT_FALSE(reader.expects_continue()) << "the header is not whole yet";
  RequestReader whole{limits};
  put(whole, "PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  EXPECT_TRUE(whole.expects_continue());
}

TEST(RequestReader, TellsWhatIsWrong) {
  const auto refusal = [](const std::string& text) {
    RequestReader reader{limits};
    put(reader, text);
    return reader.bad() ? std::to_string(reader.bad()->status) + " " + reader.bad()->error.message
                        : std::string{"(fine)"};
  };
  EXPECT_THAT(refusal("GET / HTTP/1.1\r\n\r\n"), HasSubstr("exactly one Host"));
  EXPECT_THAT(refusal("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"), HasSubstr("exactly one"));
  EXPECT_THAT(refusal("GET / HTTP/1.1\r\nX: " + std::string(3'000, 'x')), HasSubstr("431 "));
  EXPECT_THAT(refusal("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"),
              HasSubstr("0 the request's body is larger than 1000 bytes"));
  EXPECT_THAT(refusal("nonsense\r\n\r\n"), HasSubstr("not HTTP/1.1"));
}

}  // namespace
}  // namespace mainstay::http
