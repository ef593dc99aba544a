#pragma once

#include <set>
#include <string>

#include "churn/ledger.hpp"

namespace hermes::churn {

// What clients do: one random call after the other.
class Verbs {
 public:
  Verbs(const Ground& ground, Ledger& ledger) : ground_(ground), ledger_(ledger) {}

  static std::set<std::string> all();  // that a call may have

  // `may_create`: not while the workers are behind.
  Call next(Random& random, bool may_create);

 private:
  Call create(Random& random, const std::string& board);
  Call by_hand(Random& random);
  Call about_task(Random& random, const std::string& board);
  Call about_board(Random& random, const std::string& board);
  Call writing(Random& random, const std::string& verb, Call call);
  std::string any_task(Random& random, const std::string& board) const;
  std::string next_tag() { return "q" + std::to_string(++tags_) + "z"; }

  const Ground& ground_;
  Ledger& ledger_;
  std::int64_t tags_ = 0;
};

}  // namespace hermes::churn
