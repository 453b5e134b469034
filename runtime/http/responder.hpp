// The one answer that a request is owed.
#pragma once

#include <functional>
#include <memory>

#include "runtime/http/message.hpp"

namespace mainstay::http {

// Where an answer goes: a connection of the server, or what a test records.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // Any thread; called once for a request.
  virtual void answer(Response response) = 0;
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
  // Runs `work` on the HTTP thread that serves this request: the place to read a view of the
  // records.
  void post(std::function<void()> work) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace mainstay::http
