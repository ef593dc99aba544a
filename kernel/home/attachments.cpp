#include "kernel/home/attachments.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "kernel/base/fd.hpp"
#include "kernel/base/ids.hpp"
#include "kernel/base/text.hpp"

namespace hermes::home {

namespace {

constexpr std::size_t k_longest_name = 200;
constexpr std::size_t k_longest_stored = 240;  // with " (n)"; filesystems allow 255
constexpr std::size_t k_longest_ending = 20;
constexpr int k_most_collisions = 10'000;
constexpr const char* k_mark = "user.hermes.attachment";
constexpr std::string_view k_nameless = "attachment";

// The bytes of the character that begins at the front.
std::size_t character_length(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && length < 4 &&
         (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) {
    ++length;
  }
  return length;
}

bool may_stay(std::string_view character) {
  const char c = character.front();
  if (static_cast<unsigned char>(c) >= 0x80) {
    return is_plain(character);
  }
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view(" .()[]-_").find(c) != std::string_view::npos;
}

struct Name {
  std::string stem;
  std::string ending;  // with its dot
};

// At the last dot.
Name split(const std::string& name) {
  const auto dot = name.rfind('.');
  if (dot == std::string::npos || dot == 0 || name.size() - dot > k_longest_ending) {
    return {name, ""};
  }
  return {name.substr(0, dot), name.substr(dot)};
}

bool is_marked(const fs::path& path) { return ::lgetxattr(path.c_str(), k_mark, nullptr, 0) > 0; }

Result<StoredFile> new_file(const BoardPaths& board, const std::string& task_id,
                            const std::string& name) {
  if (!is_task_id(task_id)) {
    return fail(ErrorCode::internal, "not a task id: " + printable(task_id));
  }
  const fs::path dir = board.attachments_of(task_id);
  TRY(make_directory(dir));
  // Who has made them may have been killed before they were synced, or be at it.
  TRY(sync_directory(board.attachments()));
  TRY(sync_directory(board.dir));
  const Name parts = split(name);
  for (int n = 0; n < k_most_collisions; ++n) {
    const std::string wanted =
        n == 0 ? name : fmt::format("{} ({}){}", parts.stem, n, parts.ending);
    if (auto file = NewFile::create(dir / wanted)) {
      mark_attachment(*file);
      return StoredFile{*std::move(file), wanted, 0};
    } else if (file.error().code != ErrorCode::conflict) {
      return std::unexpected(file.error());
    }
  }
  return fail(ErrorCode::conflict,
              fmt::format("{} has too many attachments named '{}'", task_id, name),
              "give another name with --name");
}

Result<StoredFile> finished(StoredFile stored, std::uint64_t size) {
  stored.size = static_cast<std::int64_t>(size);
  TRY(stored.file.sync());
  TRY(sync_directory(stored.file.path().parent_path()));
  return stored;
}

Error too_large(const std::string& name) {
  return {
      ErrorCode::invalid,
      fmt::format("'{}' is larger than 25 MiB, the most an attachment may have", printable(name)),
      "keep it where it is, and say in a comment where that is"};
}

}  // namespace

std::string attachment_name(std::string_view given) {
  std::string_view last = given;
  if (const auto slash = last.find_last_of("/\\"); slash != std::string_view::npos) {
    last.remove_prefix(slash + 1);
  }
  std::string name;
  while (!last.empty()) {
    const std::string_view character = last.substr(0, character_length(last));
    name += may_stay(character) ? character : "_";
    last.remove_prefix(character.size());
  }
  const auto first = name.find_first_not_of(".- ");
  name.erase(0, first);
  while (!name.empty() && (name.back() == ' ' || name.back() == '.')) {
    name.pop_back();
  }
  if (name.size() > k_longest_name) {
    const Name parts = split(name);
    name = std::string(clip(parts.stem, k_longest_name - parts.ending.size())) + parts.ending;
  }
  return name.empty() ? std::string(k_nameless) : name;
}

bool is_stored_name_of(const std::string& wanted, const std::string& stored) {
  const Name parts = split(wanted);
  std::string_view number = stored;
  if (stored == wanted) {
    return true;
  }
  if (!stored.starts_with(parts.stem + " (") || !stored.ends_with(")" + parts.ending) ||
      stored.size() < parts.stem.size() + parts.ending.size() + 4) {
    return false;
  }
  number.remove_prefix(parts.stem.size() + 2);
  number.remove_suffix(parts.ending.size() + 1);
  return number.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_attachment_name(std::string_view name) {
  return !name.empty() && name.size() <= k_longest_stored && name.front() != '.' &&
         name.front() != '-' && name.find('/') == std::string_view::npos &&
         name.find('\\') == std::string_view::npos && is_plain(name);
}

std::string content_type_of(std::string_view name) {
  static constexpr auto k_types = std::to_array<std::pair<std::string_view, std::string_view>>({
      {".txt", "text/plain"},        {".log", "text/plain"},        {".md", "text/markdown"},
      {".html", "text/html"},        {".htm", "text/html"},         {".css", "text/css"},
      {".csv", "text/csv"},          {".json", "application/json"}, {".xml", "application/xml"},
      {".yaml", "application/yaml"}, {".yml", "application/yaml"},  {".toml", "application/toml"},
      {".pdf", "application/pdf"},   {".zip", "application/zip"},   {".gz", "application/gzip"},
      {".tar", "application/x-tar"}, {".png", "image/png"},         {".jpg", "image/jpeg"},
      {".jpeg", "image/jpeg"},       {".gif", "image/gif"},         {".svg", "image/svg+xml"},
      {".webp", "image/webp"},       {".mp3", "audio/mpeg"},        {".wav", "audio/wav"},
      {".mp4", "video/mp4"},         {".webm", "video/webm"},       {".js", "text/javascript"},
      {".py", "text/x-python"},      {".sh", "text/x-shellscript"}, {".diff", "text/x-diff"},
      {".patch", "text/x-diff"},     {".sql", "application/sql"},
  });
  const auto dot = name.rfind('.');
  const std::string ending = dot == std::string_view::npos ? "" : to_lower(name.substr(dot));
  const auto* found =
      std::ranges::find(k_types, ending, &std::pair<std::string_view, std::string_view>::first);
  return found == k_types.end() ? "application/octet-stream" : std::string(found->second);
}

// Where the filesystem has no such marks, the file stays for good should its row be lost.
void mark_attachment(const NewFile& file) { (void)!::fsetxattr(file.fd(), k_mark, "1", 1, 0); }

Result<StoredFile> store_attachment(const BoardPaths& board, const std::string& task_id,
                                    const std::string& name, int from) {
  TRY_ASSIGN(StoredFile stored, new_file(board, task_id, name));
  const auto copied = copy_bytes(from, stored.file, k_attachment_bytes);
  if (!copied) {
    return std::unexpected(copied.error().code == ErrorCode::invalid ? too_large(name)
                                                                     : copied.error());
  }
  return finished(std::move(stored), *copied);
}

Result<StoredFile> store_attachment(const BoardPaths& board, const std::string& task_id,
                                    const std::string& name, std::string_view contents) {
  if (contents.size() > k_attachment_bytes) {
    return std::unexpected(too_large(name));
  }
  TRY_ASSIGN(StoredFile stored, new_file(board, task_id, name));
  TRY(stored.file.write(contents));
  return finished(std::move(stored), contents.size());
}

bool remove_attachment(const BoardPaths& board, const std::string& task_id,
                       const std::string& name) {
  if (!is_task_id(task_id) || !is_attachment_name(name)) {
    return false;
  }
  const fs::path path = board.attachments_of(task_id);
  // A link in the place of the directory is somebody else's: it is not followed.
  const Fd dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const bool removed = dir && ::unlinkat(dir.get(), name.c_str(), 0) == 0;
  ::rmdir(path.c_str());  // when it was the last
  return removed;
}

std::int64_t remove_attachments(const BoardPaths& board, const std::string& task_id) {
  std::int64_t removed = 0;
  if (!is_task_id(task_id)) {
    return removed;
  }
  std::vector<std::string> names;
  std::error_code problem;
  for (fs::directory_iterator entry(board.attachments_of(task_id), problem), end;
       !problem && entry != end; entry.increment(problem)) {
    names.push_back(entry->path().filename().string());
  }
  for (const std::string& name : names) {
    removed += remove_attachment(board, task_id, name) ? 1 : 0;
  }
  return removed;
}

std::vector<FoundFile> attachment_files(const BoardPaths& board) {
  std::vector<FoundFile> found;
  std::error_code problem;
  for (fs::directory_iterator task(board.attachments(), problem), end; !problem && task != end;
       task.increment(problem)) {
    const std::string id = task->path().filename().string();
    std::error_code inner;
    if (!is_task_id(id) || !fs::is_directory(task->symlink_status(inner))) {
      continue;
    }
    for (fs::directory_iterator file(task->path(), inner); !inner && file != end;
         file.increment(inner)) {
      struct stat facts {};
      if (::lstat(file->path().c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
          is_marked(file->path())) {
        found.push_back({file->path(), id, file->path().filename().string(),
                         Instant{facts.st_mtim.tv_sec * 1000}, facts.st_size});
      }
    }
  }
  return found;
}

}  // namespace hermes::home
