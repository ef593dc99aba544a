#include "verbs/artifacts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "kernel/base/files.hpp"
#include "kernel/base/text.hpp"
#include "kernel/home/artifacts.hpp"

namespace hermes::verbs {

namespace {

Error kept_in_flight(const std::string& named, const std::string& task_id, Error error) {
  return {
      error.code, fmt::format("cannot keep the artifact '{}': {}", printable(named), error.message),
      fmt::format("{} is as it was, and nothing was kept: mend that, or leave the artifact out, "
                  "then complete it again",
                  task_id)};
}

}  // namespace

Result<Artifacts> copy_artifacts(const OpenBoard& open, const std::string& task_id,
                                 const std::vector<std::string>& named) {
  Artifacts all;
  std::map<fs::path, std::string> copied;  // one file may be named in two ways
  const auto list = [&](const std::string& path) {
    if (std::ranges::find(all.list, path) == all.list.end()) {
      all.list.push_back(path);
    }
  };
  for (const std::string& one : named) {
    auto found = home::open_artifact(open.paths, task_id, one);
    if (!found) {
      return std::unexpected(kept_in_flight(one, task_id, std::move(found).error()));
    }
    if (!*found) {
      list(one);
      all.unverified.push_back(one);
      continue;
    }
    const home::Artifact& artifact = **found;
    if (const auto before = copied.find(artifact.path); before != copied.end()) {
      list(before->second);
      continue;
    }
    auto copy = home::store_attachment(open.paths, task_id,
                                       home::attachment_name(artifact.path.filename().string()),
                                       artifact.file.get());
    if (!copy) {
      return std::unexpected(kept_in_flight(one, task_id, std::move(copy).error()));
    }
    copied[artifact.path] = copy->file.path().string();
    list(copy->file.path().string());
    all.copies.push_back(*std::move(copy));
  }
  return all;
}

std::vector<std::string> artifacts_of(const Call& call) {
  std::vector<std::string> paths;
  for (const std::string& given : call.values.list("artifact")) {
    std::error_code problem;
    const fs::path whole = fs::absolute(
        call.host.directory() / fs::path(expand_tilde(given, call.environment.variable("HOME"))),
        problem);
    paths.push_back(problem || given.empty() || home::is_address(given)
                        ? given
                        : whole.lexically_normal().string());
  }
  return paths;
}

}  // namespace hermes::verbs
