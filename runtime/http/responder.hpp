// The one answer that a request is owed.
#pragma once

#include <functional>
#include <memory>

#include "runtime/http/message.hpp"

namespace mainstay::http {

// A body that is made while it is sent: feeds, exports. Dropped when the client has gone.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // Called on the connection's HTTP thread when the client has taken all pieces before: so a slow
  // client slows its source down, and one that stops taking is cut off. Gives the next piece, at
  // once or later from any thread; an empty piece ends the response. Nothing is given twice. When
  // the last copy of `give` goes unused, or this throws, the response is broken off.
  virtual void next(std::function<void(Bytes piece)> give) = 0;
  // True for a body with an end of its own, such as an export: a server that drains lets it come to
  // that end, and one that stops breaks it off visibly. The others, such as feeds, are ended
  // properly in both cases.
  virtual bool finite() const { return false; }
};

// Where an answer goes: a connection of the server, or what a test records.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // Any thread; called once for a request: this or stream().
  virtual void answer(Response response) = 0;
  // `head` without a body; what follows comes from `source`, chunked (HTTP/1.0: until the end of
  // the connection).
  virtual void stream(Response head, std::shared_ptr<BodySource> source) = 0;
  // Runs `work` on the HTTP thread of this connection, or drops it if the server is gone. Any
  // thread.
  virtual void post(std::function<void()> work) = 0;
};

// Copies share the one answer. Thread-safe. When the last copy goes without an answer, the client
// gets a problem document (internal).
class Responder {
 public:
  explicit Responder(std::shared_ptr<Exchange> exchange);

  // REQUIRES: not answered yet.
  void answer(Response response) const;
  // REQUIRES: not answered yet.
  void stream(Response head, std::shared_ptr<BodySource> source) const;
  // Runs `work` on the HTTP thread that serves this request: the place to read a view of the
  // records.
  void post(std::function<void()> work) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace mainstay::http
