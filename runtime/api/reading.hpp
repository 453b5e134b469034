// Reads of one view, with the level that the client asks for; internal to runtime/api.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "runtime/api/context.hpp"
#include "runtime/api/request_parts.hpp"
#include "runtime/record/ledger.hpp"

namespace mainstay::api {

// A page ends at these, so that one request can neither hold a view for long nor fill memory.
inline constexpr std::size_t page_bytes_max = 4 * limits::mib;
inline constexpr std::size_t page_scanned_max = 20'000;

// Makes the answer; called on the HTTP thread. Errors become problems.
using Reading = std::function<Result<http::Response>(const record::StateReader& view)>;

// Waits until the view shows what `need` promises, then reads and answers, with Mainstay-Session.
void read(const CallPtr& call, ReadNeed need, Reading reading);

// A collection's row; nothing for those of Mainstay itself. Errors: not_found, with what to do.
Result<std::optional<record::Collection>> collection_in(const record::StateReader& view,
                                                        const std::string& name);
// What the collection's declaration says of its balances (dimensions and scale). Errors: not_found,
// conflict (it holds documents).
Result<record::LedgerDeclaration> ledger_in(const record::StateReader& view,
                                            const std::string& name);

// The rows of a page, as JSON: an array under `name` and `next`.
class Page {
 public:
  Page(std::string_view name, std::size_t limit);

  // False: the page is full, and this row is the first of the next one.
  bool take_row();
  std::string& begin_item();  // to append the item's JSON to
  bool full() const { return full_; }
  // `next` as JSON: null when the page is not full.
  http::Response finish(const std::string& next) &&;

 private:
  std::string body_;
  std::size_t limit_, items_ = 0, rows_ = 0;
  bool full_ = false;
};

}  // namespace mainstay::api
