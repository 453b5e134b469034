// The change feed: which changes a request wants, and how far it has come; internal to runtime/api.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/api/reading.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

enum class FeedForm { page, lines, events };

struct FeedRequest {
  FeedForm form = FeedForm::page;
  std::optional<record::Revision> after;                // nothing: only what is new
  std::optional<std::vector<std::string>> collections;  // nothing: all that may be seen
  std::optional<Millis> wait;
  std::size_t limit = 0;
  ReadNeed need;
};

// Errors: invalid_argument, forbidden.
Result<FeedRequest> feed_request_of(const Call& call);

// Where a reader of the feed is, and what it wants. Not thread-safe.
class Feed {
 public:
  Feed(const FeedRequest& request, const Principal& principal, record::Revision after)
      : request_{request}, principal_{principal}, after_{after} {}

  // The next changes, in the form of the request, up to a size. Errors: compacted, too_large (one
  // commit is larger than a page may be).
  Result<std::string> read(const record::StateReader& view);

  // Everything up to this revision was read.
  record::Revision after() const { return after_; }
  bool in_commit() const { return skip_ != 0; }

 private:
  bool wants(const std::string& collection) const;
  bool full(const std::string& text, bool whole, std::size_t items, std::size_t scanned) const;
  void append(std::string& out, const record::ChangeView& change, std::size_t position,
              std::size_t of) const;

  const FeedRequest request_;
  const Principal principal_;
  record::Revision after_;
  std::size_t skip_ = 0;  // changes of the commit behind `after_` that were read
};

// What a client that comes too late is told: where the feed begins and where a copy can go on.
http::Response feed_failure(const Error& error, const record::StateReader& view,
                            const std::string& instance);

}  // namespace mainstay::api
