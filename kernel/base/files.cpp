#include "kernel/base/files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include "kernel/base/fd.hpp"
#include "kernel/base/random.hpp"
#include "kernel/base/text.hpp"

namespace hermes {

Error system_error(std::string_view doing, const fs::path& path, int error_number) {
  std::string hint;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      hint = "free some space there and try again";
      break;
    case EROFS:
      hint = "the filesystem is read-only: remount it, or set HERMES_HOME to a writable directory";
      break;
    case EACCES:
    case EPERM:
      hint = "check the owner and the permissions, or set HERMES_HOME to a directory of your own";
      break;
    case EMFILE:
    case ENFILE:
      hint = "too many open files: raise the limit (ulimit -n)";
      break;
    default:
      break;
  }
  return {
      ErrorCode::unavailable,
      fmt::format("cannot {} {}: {}", doing, printable(path.string()), std::strerror(error_number)),
      hint};
}

bool is_there(const fs::path& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0;
}

bool is_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

bool lies_in(const fs::path& path, const fs::path& dir) {
  const auto text_of = [](const fs::path& of) {
    std::string text = of.lexically_normal().string();
    return text.ends_with('/') ? text : text + '/';
  };
  return text_of(path).starts_with(text_of(dir));
}

bool really_lies_in(const fs::path& path, const fs::path& dir) {
  const auto real = [](const fs::path& of) {
    std::error_code problem;
    fs::path found = fs::weakly_canonical(of, problem);
    return problem ? of : found;
  };
  return lies_in(real(path), real(dir));
}

namespace {

Result<Fd> opened(const fs::path& path, int flags) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | flags));
  if (!file) {
    if (errno == ENOENT) {
      return fail(ErrorCode::not_found, fmt::format("no such file: {}", printable(path.string())));
    }
    return std::unexpected(system_error("open", path, errno));
  }
  return file;
}

// A synced file beside `path` with these contents.
Result<NewFile> written_beside(const fs::path& path, std::string_view text, mode_t mode) {
  TRY_ASSIGN(NewFile file, NewFile::create(temporary_beside(path), mode));
  TRY(file.write(text));
  TRY(file.sync());
  return file;
}

}  // namespace

Result<std::string> read_open_file(const Fd& file, const fs::path& path, std::size_t most) {
  std::string text;
  std::array<char, 16384> part{};
  while (true) {
    const ssize_t got = ::read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return std::unexpected(system_error("read", path, errno));
    }
    if (got == 0) {
      return text;
    }
    text.append(part.data(), static_cast<std::size_t>(got));
    if (text.size() > most) {
      return fail(ErrorCode::invalid,
                  fmt::format("{} is longer than {} bytes", printable(path.string()), most));
    }
  }
}

Result<std::string> read_file(const fs::path& path, std::size_t most) {
  TRY_ASSIGN(const Fd file, open_regular(path));
  return read_open_file(file, path, most);
}

Result<std::string> read_input_file(const fs::path& path, std::size_t most) {
  TRY_ASSIGN(const Fd file, opened(path, 0));
  return read_open_file(file, path, most);
}

fs::path temporary_beside(const fs::path& path) {
  SystemRandom random;
  return fmt::format("{}.{:016x}{}", path.string(), random.next(), k_temporary);
}

std::string_view name_beside_temporary(std::string_view name) {
  constexpr std::size_t k_mark = 17;  // "." and 16 hex digits
  const std::size_t added = k_mark + k_temporary.size();
  if (name.size() <= added || !name.ends_with(k_temporary)) {
    return name;
  }
  const std::string_view mark = name.substr(name.size() - added, k_mark);
  const bool is_ours = mark.front() == '.' &&
                       mark.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
  return is_ours ? name.substr(0, name.size() - added) : name;
}

Result<void> write_file_atomically(const fs::path& path, std::string_view text, mode_t mode) {
  TRY_ASSIGN(NewFile file, written_beside(path, text, mode));
  if (::rename(file.path().c_str(), path.c_str()) != 0) {
    return std::unexpected(system_error("write", path, errno));
  }
  file.keep();
  return sync_directory(path.parent_path());
}

Result<bool> create_file(const fs::path& path, std::string_view text, mode_t mode) {
  TRY_ASSIGN(const NewFile file, written_beside(path, text, mode));
  if (::link(file.path().c_str(), path.c_str()) != 0) {
    const int problem = errno;
    return problem == EEXIST ? Result<bool>(false)
                             : std::unexpected(system_error("write", path, problem));
  }
  TRY(sync_directory(path.parent_path()));
  return true;
}

Result<void> make_directory(const fs::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) {
    return sync_directory(path.parent_path());
  }
  if (errno == EEXIST) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) {
      return {};
    }
    return fail(ErrorCode::unavailable,
                fmt::format("{} exists and is not a directory", printable(path.string())));
  }
  if (errno == ENOENT && path.has_parent_path() && path.parent_path() != path) {
    TRY(make_directory(path.parent_path(), mode));
    if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) {
      return sync_directory(path.parent_path());
    }
  }
  return std::unexpected(system_error("create directory", path, errno));
}

Result<void> sync_directory(const fs::path& path) {
  const fs::path named = path.empty() ? fs::path(".") : path;
  const Fd directory(::open(named.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) {
    return std::unexpected(system_error("sync directory", named, errno));
  }
  return {};
}

Result<Fd> open_regular(const fs::path& path, Links links) {
  TRY_ASSIGN(Fd file, opened(path, O_NONBLOCK | (links == Links::refused ? O_NOFOLLOW : 0)));
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is not a regular file", printable(path.string())));
  }
  return file;
}

Result<Fd> open_for_appending(const fs::path& path, Links links) {
  Fd file(::open(path.c_str(),
                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
                     (links == Links::refused ? O_NOFOLLOW : 0),
                 0600));
  // What has nothing to do with the disk: a FIFO that nobody reads, a link, a directory.
  if (!file && errno != ENXIO && errno != ELOOP && errno != EISDIR) {
    return std::unexpected(system_error("open", path, errno));
  }
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return fail(ErrorCode::invalid,
                fmt::format("{} is not a regular file", printable(path.string())),
                "remove what is there");
  }
  return file;
}

Result<NewFile> NewFile::create(const fs::path& path, mode_t mode) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd) {
    const int error_number = errno;
    if (error_number == EEXIST) {
      return fail(ErrorCode::conflict, fmt::format("{} exists already", printable(path.string())));
    }
    return std::unexpected(system_error("create", path, error_number));
  }
  return NewFile(path, std::move(fd));
}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::move(other.fd_)),
      kept_(std::exchange(other.kept_, true)) {}

NewFile::~NewFile() {
  if (!kept_) {
    ::unlink(path_.c_str());
  }
}

Result<void> NewFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put <= 0) {
      return std::unexpected(system_error("write", path_, put == 0 ? ENOSPC : errno));
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> NewFile::sync() {
  if (::fsync(fd_.get()) != 0) {
    return std::unexpected(system_error("sync", path_, errno));
  }
  return {};
}

Result<std::uint64_t> copy_bytes(int from, NewFile& to, std::uint64_t most) {
  std::string part(256 * 1024, '\0');
  std::uint64_t copied = 0;
  while (true) {
    const ssize_t got = ::read(from, part.data(), part.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return std::unexpected(system_error("read what is copied to", to.path(), errno));
    }
    if (got == 0) {
      return copied;
    }
    copied += static_cast<std::uint64_t>(got);
    if (copied > most) {
      return fail(ErrorCode::invalid, fmt::format("there are more than {} bytes", most));
    }
    TRY(to.write(std::string_view(part).substr(0, static_cast<std::size_t>(got))));
  }
}

Result<void> rename_to_new(const fs::path& from, const fs::path& to) {
  const auto taken = [&] {
    return fail(ErrorCode::conflict, fmt::format("{} exists already", printable(to.string())));
  };
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return {};
  }
  if (errno == EEXIST) {
    return taken();
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return std::unexpected(system_error("rename to", to, errno));
  }
  if (is_there(to)) {  // a filesystem that knows no such rename
    return taken();
  }
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return std::unexpected(system_error("rename to", to, errno));
  }
  return {};
}

Result<void> exchange(const fs::path& a, const fs::path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) {
    return {};
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return std::unexpected(system_error("exchange with " + printable(b.string()), a, errno));
  }
  const fs::path aside = a.string() + ".aside";
  TRY(rename_to_new(a, aside));
  if (auto moved = rename_to_new(b, a); !moved) {
    (void)rename_to_new(aside, a);
    return moved;
  }
  return rename_to_new(aside, b);
}

bool is_still_at(int fd, const fs::path& path) {
  struct stat ours {};
  struct stat there {};
  return ::fstat(fd, &ours) == 0 && ::stat(path.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

std::optional<pid_t> flock_holder(const fs::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) {
    return std::nullopt;
  }
  const std::string file =
      fmt::format("{:02x}:{:02x}:{}", major(facts.st_dev), minor(facts.st_dev), facts.st_ino);
  // A line: "1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF"; waiters have "->" after the number
  // (proc(5)).
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    if (line.find("->") != std::string::npos || line.find("FLOCK") == std::string::npos) {
      continue;
    }
    const std::vector<std::string> words = split_list(line, ' ');
    if (words.size() >= 6 && words[5] == file) {
      pid_t pid = 0;
      std::from_chars(words[4].data(), words[4].data() + words[4].size(), pid);
      if (pid > 0) {
        return pid;
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> network_filesystem(const fs::path& path) {
  struct statfs facts {};
  if (::statfs(path.c_str(), &facts) != 0) {
    return std::nullopt;
  }
  // Magic numbers: statfs(2) and linux/magic.h.
  switch (static_cast<unsigned long>(facts.f_type) & 0xffffffffUL) {
    case 0x6969:
      return "nfs";
    case 0xff534d42:
    case 0xfe534d42:
    case 0x517b:
      return "smb";
    case 0x01021997:
      return "9p";
    case 0x5346414f:
      return "afs";
    case 0x00c36400:
      return "ceph";
    case 0x47504653:
      return "gpfs";
    case 0x0bd00bd0:
      return "lustre";
    default:
      return std::nullopt;
  }
}

void reserve_standard_descriptors() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) < 0 && errno == EBADF) {
      // The lowest number that is free, and so this one.
      (void)!::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

void keep_rights_of_owner() {
  const mode_t mask = ::umask(077);  // it cannot be asked for without being set
  ::umask(mask & ~mode_t{0700});
}

fs::path expand_tilde(std::string_view text, const fs::path& home) {
  if (text == "~") {
    return home;
  }
  if (text.starts_with("~/")) {
    return home / text.substr(2);
  }
  return text;
}

}  // namespace hermes
