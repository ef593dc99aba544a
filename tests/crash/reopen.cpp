#include "crash/reopen.hpp"

#include <fmt/core.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "crash/workload.hpp"
#include "kernel/board/invariants.hpp"

namespace hermes::test {

Reopened examine(db::Database& board) {
  Reopened found;
  const auto problem = [&](const std::string& text) { found.problems.push_back(text); };
  const auto integrity = board.check_integrity(false);
  if (!integrity) {
    problem(one_line(integrity.error()));
    return found;
  }
  found.problems = *integrity;
  const auto violations = board.read([](db::Reader& tx) -> Result<std::vector<std::string>> {
    std::vector<std::string> all = board::check_invariants(tx);
    if (tx.query("PRAGMA foreign_key_check").next()) {
      all.emplace_back("a row names another one that is not there");
    }
    return all;
  });
  if (!violations) {
    problem(one_line(violations.error()));
    return found;
  }
  found.problems.insert(found.problems.end(), violations->begin(), violations->end());
  const auto digest = digest_of(board);
  if (!digest) {
    problem(one_line(digest.error()));
    return found;
  }
  found.digest = *digest;
  return found;
}

db::Database open_board(const std::filesystem::path& dir) {
  auto board = db::Database::open(board_files(dir), db::Database::Access::write, Workload::k_begin);
  if (!board) {
    throw std::runtime_error(one_line(board.error()));
  }
  return std::move(*board);
}

Reopened reopen(const std::filesystem::path& dir) {
  auto board = db::Database::open(board_files(dir), db::Database::Access::write, Workload::k_begin);
  if (!board) {
    return {{}, one_line(board.error()), 0};
  }
  return examine(*board);
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Image files_in(const std::filesystem::path& dir) {
  Image image;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    const std::string name = entry.path().filename();
    if (name != "board.lock" && !name.ends_with("-shm")) {
      image[name] = content_of(entry.path());
    }
  }
  return image;
}

void lay_out(const Image& image, const std::filesystem::path& dir) {
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (!image.contains(entry.path().filename())) {
      std::filesystem::remove(entry.path());
    }
  }
  for (const auto& [name, content] : image) {
    std::ofstream out(dir / name, std::ios::binary | std::ios::trunc);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
  }
  std::ofstream(dir / "board.lock").flush();
}

}  // namespace hermes::test
