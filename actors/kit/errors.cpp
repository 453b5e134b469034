#include "actors/kit/errors.hpp"

#include <exception>
#include <utility>

#include <caf/all.hpp>

#include "runtime/base/log.hpp"

namespace mainstay::kit {

namespace {

// They are said by somebody who has failed already.
void say(const std::function<void()>& last_words, const std::string& who) {
  if (!last_words) return;
  try {
    last_words();
  } catch (const std::exception& error) {
    log_error("actor", "{} left no evidence: {}", who, error.what());
  }
}

}  // namespace

void route_errors(caf::scheduled_actor& self, std::string who, std::function<void()> last_words) {
  self.set_exception_handler(
      [who, last_words = std::move(last_words)](caf::scheduled_actor*, std::exception_ptr& thrown) {
        say(last_words, who);
        try {
          std::rethrow_exception(thrown);
        } catch (const std::exception& error) {
          log_error("actor", "{} ended by an exception: {}", who, error.what());
          return failure(error.what());
        } catch (...) {
          log_error("actor", "{} ended by an exception of unknown type", who);
          return failure("exception of unknown type");
        }
      });
  self.set_default_handler(
      [who](caf::scheduled_actor*, caf::message_view& view) -> caf::result<caf::message> {
        log_error("actor", "{} dropped a message that it does not know: {}", who,
                  caf::to_string(view.content()));
        return caf::sec::unexpected_message;
      });
}

std::string text_of(const caf::error& reason) {
  if (!reason) return "normal";
  if (reason.category() == caf::atom("system") && !reason.context().empty()) {
    std::string text;
    if (reason.context().match_elements<std::string>())
      return reason.context().get_as<std::string>(0);
    return caf::to_string(reason.context());
  }
  if (reason.category() == caf::atom("exit"))
    return caf::to_string(static_cast<caf::exit_reason>(reason.code()));
  if (reason.category() == caf::atom("system"))
    return caf::to_string(static_cast<caf::sec>(reason.code()));
  return caf::to_string(reason);
}

caf::error failure(std::string text) {
  return caf::make_error(caf::sec::runtime_error, std::move(text));
}

bool is_normal(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::normal || reason == caf::exit_reason::user_shutdown;
}

}  // namespace mainstay::kit
