// Balances of a ledger: one by one, or summed over some dimensions.
#include <algorithm>
#include <map>

#include "runtime/api/reading.hpp"
#include "runtime/api/render.hpp"
#include "runtime/http/target.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::api {

namespace {

using http::Request;
using http::Response;
using record::Balance;
using record::LedgerDeclaration;

// Sums over dimensions that are not the last ones have to see every balance: at most so many.
constexpr std::size_t summed_rows_max = 200'000;
Failure too_many_summed() {
  return fail(Errc::too_large, "more than " + std::to_string(summed_rows_max) +
                                   " balances would be summed; select by the first dimensions");
}

constexpr std::string_view own_parameters[] = {"by", "after", "limit", "level"};

struct BalanceRequest {
  std::string collection;
  http::Query wanted;           // dimension and value
  std::vector<std::string> by;  // empty: all
  std::string after;            // the group of the page before
  std::size_t limit = 0;
  ReadNeed need;
};

Result<BalanceRequest> balance_request_of(const Request& request) {
  BalanceRequest balances;
  balances.collection = request.captures.at(0);
  TRY(record::check_collection_name(balances.collection));
  for (auto at = request.query.begin(); at != request.query.end(); ++at) {
    const bool again = std::any_of(request.query.begin(), at,
                                   [&](const auto& earlier) { return earlier.first == at->first; });
    if (again)
      return fail(Errc::invalid_argument,
                  "query parameter '" + at->first + "' is given more than once");
    if (std::find(std::begin(own_parameters), std::end(own_parameters), at->first) ==
        std::end(own_parameters))
      balances.wanted.push_back(*at);
  }
  if (const std::string* by = request.parameter("by"); by != nullptr)
    for (std::size_t begin = 0; begin <= by->size();) {
      const std::size_t end = std::min(by->find(',', begin), by->size());
      balances.by.push_back(by->substr(begin, end - begin));
      begin = end + 1;
    }
  if (const std::string* after = request.parameter("after"); after != nullptr) {
    TRY_ASSIGN(balances.after, place_of_token(*after));
  }
  TRY_ASSIGN(balances.limit, limit_of(request));
  TRY_ASSIGN(balances.need, need_of(request));
  return balances;
}

// The request in terms of the ledger: for each dimension whether it is kept, and the value it must
// have.
struct Plan {
  struct Dimension {
    std::string name;
    bool kept = true;
    const std::string* wanted = nullptr;
  };
  std::vector<Dimension> dimensions;
  bool in_order = true;  // those that are kept come first: groups are next to each other
};

Result<Plan> plan_of(const LedgerDeclaration& ledger, const BalanceRequest& request) {
  Plan plan;
  for (const std::string& name : ledger.dimensions) plan.dimensions.push_back({name});
  const auto find = [&](const std::string& name) -> Result<Plan::Dimension*> {
    std::string names;
    for (Plan::Dimension& dimension : plan.dimensions) {
      if (dimension.name == name) return &dimension;
      names += (names.empty() ? "" : ", ") + dimension.name;
    }
    return fail(Errc::invalid_argument, "'" + name +
                                            "' is neither a parameter nor a dimension of '" +
                                            request.collection + "'; it has " + names);
  };
  for (const auto& [name, value] : request.wanted) {
    TRY_ASSIGN(Plan::Dimension * dimension, find(name));
    dimension->wanted = &value;
  }
  if (!request.by.empty())
    for (Plan::Dimension& dimension : plan.dimensions) dimension.kept = false;
  for (const std::string& name : request.by) {
    TRY_ASSIGN(Plan::Dimension * dimension, find(name));
    dimension->kept = true;
  }
  bool dropped = false;
  for (const Plan::Dimension& dimension : plan.dimensions) {
    plan.in_order = plan.in_order && !(dropped && dimension.kept);
    dropped = dropped || !dimension.kept;
  }
  return plan;
}

// The positions that can fit begin with the values that are given for the first dimensions.
std::string prefix_of(const Plan& plan) {
  std::string prefix;
  for (const Plan::Dimension& dimension : plan.dimensions) {
    if (dimension.wanted == nullptr) break;
    prefix += *dimension.wanted;
    prefix += '\0';
  }
  return prefix;
}

// The part of a position that names its group; nothing if the position does not fit.
std::optional<std::string> group_of(const Plan& plan, std::string_view position) {
  std::string group;
  for (const Plan::Dimension& dimension : plan.dimensions) {
    const std::size_t end = std::min(position.find('\0'), position.size());
    const std::string_view value = position.substr(0, end);
    position.remove_prefix(std::min(end + 1, position.size()));
    if (dimension.wanted != nullptr && *dimension.wanted != value) return std::nullopt;
    if (!dimension.kept) continue;
    group += value;
    group += '\0';
  }
  return group;
}

void append_group(std::string& out, const Plan& plan, std::string_view group, const Balance& sum) {
  out += '{';
  for (const Plan::Dimension& dimension : plan.dimensions) {
    if (!dimension.kept) continue;
    const std::size_t end = group.find('\0');
    out += json_string(dimension.name) + ":" + json_string(group.substr(0, end)) + ",";
    group.remove_prefix(end + 1);
  }
  out += "\"quantity\":\"" + sum.quantity.to_string() +
         "\",\"revision\":" + std::to_string(sum.revision) + "}";
}

Result<void> add(Balance& sum, const Balance& balance) {
  TRY_ASSIGN(sum.quantity, sum.quantity.plus(balance.quantity));
  sum.revision = std::max(sum.revision, balance.revision);
  return {};
}

// Groups that come one after the other: a page of them needs only its own rows.
class OrderedGroups {
 public:
  OrderedGroups(const Plan& plan, Page& page) : plan_{plan}, page_{page} {}

  // False: enough.
  bool take(std::string_view position, const Balance& balance) {
    // A sum is not cut: only whole groups count as rows of the page.
    if (++rows_ > summed_rows_max) {
      failed_ = too_many_summed();
      return false;
    }
    const auto group = group_of(plan_, position);
    if (!group) return true;
    if (!open_ || *group != group_) {
      close();
      if (!page_.take_row()) return false;
      open_ = true;
      group_ = *group;
      sum_ = balance;
      return true;
    }
    failed_ = add(sum_, balance);
    return failed_.has_value();
  }
  void close() {
    if (open_) append_group(page_.begin_item(), plan_, group_, sum_);
    open_ = false;
  }
  const std::string& last() const { return group_; }
  const Result<void>& result() const { return failed_; }

 private:
  const Plan& plan_;
  Page& page_;
  bool open_ = false;
  std::string group_;
  Balance sum_;
  std::size_t rows_ = 0;
  Result<void> failed_;
};

Result<std::string> ordered_page(const record::StateReader& view, const BalanceRequest& request,
                                 const Plan& plan, Page& page) {
  OrderedGroups groups{plan, page};
  // No value holds the byte 0xff: this is behind every position of the group.
  const std::string after = request.after.empty() ? "" : request.after + '\xff';
  view.scan_balances(request.collection, prefix_of(plan), after,
                     [&](std::string_view position, const Balance& balance) {
                       return groups.take(position, balance);
                     });
  TRY(groups.result());
  groups.close();
  return groups.last();
}

Result<std::string> summed_page(const record::StateReader& view, const BalanceRequest& request,
                                const Plan& plan, Page& page) {
  std::map<std::string, Balance> sums;
  std::size_t rows = 0;
  Result<void> failed;
  view.scan_balances(request.collection, prefix_of(plan), "",
                     [&](std::string_view position, const Balance& balance) {
                       if (++rows > summed_rows_max) failed = too_many_summed();
                       const auto group = group_of(plan, position);
                       if (!failed || !group) return failed.has_value();
                       const auto [at, inserted] = sums.emplace(*group, balance);
                       if (!inserted) failed = add(at->second, balance);
                       return failed.has_value();
                     });
  TRY(failed);
  std::string last;
  for (auto at = sums.upper_bound(request.after); at != sums.end() && page.take_row(); ++at) {
    append_group(page.begin_item(), plan, at->first, at->second);
    last = at->first;
  }
  return last;
}

Result<Response> balances_response(const record::StateReader& view, const BalanceRequest& request) {
  TRY_ASSIGN(const LedgerDeclaration ledger, ledger_in(view, request.collection));
  TRY_ASSIGN(const Plan plan, plan_of(ledger, request));
  Page page{"balances", request.limit};
  TRY_ASSIGN(const std::string last, plan.in_order ? ordered_page(view, request, plan, page)
                                                   : summed_page(view, request, plan, page));
  Response response = std::move(page).finish(json_string(token_of_place(last)));
  response.headers.emplace_back(revision_header, std::to_string(view.counters().revision));
  return response;
}

void list_balances(const CallPtr& call) {
  auto request = balance_request_of(call->request);
  if (!request) return call->refuse(request.error());
  const ReadNeed need = request->need;
  read(call, need, [request = std::move(*request)](const record::StateReader& view) {
    return balances_response(view, request);
  });
}

}  // namespace

void add_balance_routes(Routes& routes) {
  routes.add(http::Method::get, "/v1/collections/{collection}/balances", list_balances);
}

}  // namespace mainstay::api
