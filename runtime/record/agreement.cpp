#include "runtime/record/agreement.hpp"

#include <algorithm>

namespace mainstay::record {

namespace {

using Reports = std::map<NodeId, Hash128>;

// The hash that a majority of the voters reported.
std::optional<Hash128> majority_hash(const Reports& reports, const std::vector<NodeId>& voters) {
  std::map<Hash128, std::size_t> counts;
  for (const NodeId voter : voters) {
    const auto at = reports.find(voter);
    if (at == reports.end()) continue;
    if (++counts[at->second] > voters.size() / 2) return at->second;
  }
  return std::nullopt;
}

std::optional<Verdict> verdict_of(std::uint64_t index, const Reports& reports,
                                  const std::vector<NodeId>& voters) {
  Verdict verdict;
  verdict.index = index;
  const auto hash = majority_hash(reports, voters);
  if (!hash) {
    const bool all_in = std::all_of(voters.begin(), voters.end(),
                                    [&](NodeId voter) { return reports.count(voter) != 0; });
    if (!all_in || voters.empty()) return std::nullopt;
    verdict.no_majority = true;
    return verdict;
  }
  for (const auto& [node, reported] : reports)
    (reported == *hash ? verdict.agreeing : verdict.differing).push_back(node);
  return verdict;
}

}  // namespace

std::optional<Verdict> Agreement::report(std::uint64_t index, NodeId node, const Hash128& hash,
                                         const std::vector<NodeId>& voters) {
  const bool is_old = reports_.size() >= kept_max_ && index < reports_.begin()->first;
  if (is_old) return std::nullopt;
  Reports& reports = reports_[index];
  const auto before = verdict_of(index, reports, voters);
  reports[node] = hash;
  auto after = verdict_of(index, reports, voters);
  while (reports_.size() > kept_max_) reports_.erase(reports_.begin());
  if (after == before) return std::nullopt;
  return after;
}

}  // namespace mainstay::record
