// Immutable bytes shared between threads without copying: what an entry's payload, a frame's body
// and a record's value travel as.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace mainstay {

// A reference-counted, never changing run of bytes, possibly a part of a larger one that it keeps
// alive. Copying costs one counter. Safe to share between threads.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string owned)
      : owner_{std::make_shared<const std::string>(std::move(owned))}, view_{*owner_} {}

  // Part of these bytes, sharing their owner. REQUIRES: offset + size <= this->size().
  Bytes slice(std::size_t offset, std::size_t size) const {
    Bytes part;
    part.owner_ = owner_;
    part.view_ = view_.substr(offset, size);
    return part;
  }

  // The same bytes for a `part` that lies within them. REQUIRES: `part` points into view().
  Bytes slice(std::string_view part) const {
    Bytes result;
    result.owner_ = owner_;
    result.view_ = part;
    return result;
  }

  std::string_view view() const { return view_; }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }

  bool operator==(const Bytes& other) const { return view_ == other.view_; }

 private:
  std::shared_ptr<const std::string> owner_;
  std::string_view view_;
};

}  // namespace mainstay
