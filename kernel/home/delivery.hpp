#pragma once

#include "kernel/home/paths.hpp"

namespace hermes::home {

// A database file that is written beside its place and takes it at the end; removed unless it does.
class Delivery {
 public:
  // Error: invalid for a path that names no file or lies among the boards; not_found
  // without its directory; conflict when something is there and `replace` is not set, when it is no
  // regular file, or when SQLite would take what lies beside it for a part of it.
  static Result<Delivery> to(const Home& home, const fs::path& target, bool replace);
  Delivery(Delivery&& other) noexcept;
  Delivery& operator=(Delivery&&) = delete;
  ~Delivery();

  // Where it is to be written: nothing is there yet.
  const fs::path& beside() const { return beside_; }
  void made() { made_ = true; }  // something of ours is there now

  Result<void> finish();

 private:
  Delivery(fs::path target, bool replace);

  fs::path target_;
  fs::path beside_;
  bool replace_;
  bool made_ = false;
};

}  // namespace hermes::home
