#include "crash/disk.hpp"

#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

namespace hermes::test {

namespace {

std::atomic<const Disk*> g_disk = nullptr;  // the one that lives

// SQLite gives room for szOsFile bytes: ours, then those of the real file.
struct File {
  sqlite3_file base;
  const Disk* disk;
  const char* path;  // SQLite keeps it as long as the file is open; null for a temporary file
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

std::string_view name_of(const char* path) {
  if (path == nullptr) {
    return {};
  }
  const std::string_view all(path);
  return all.substr(all.rfind('/') + 1);
}

// Temporary files are nobody's business.
Answer ask(File& file, Operation operation) {
  if (file.path == nullptr) {
    return {};
  }
  operation.file = name_of(file.path);
  const Answer answer = file.disk->ask(operation);
  if (answer.code != SQLITE_OK) {
    errno = answer.error_number;
  }
  return answer;
}

File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
sqlite3_file* real(sqlite3_file* file) { return of(file).real(); }

// Asks first, then does `call` with the real file.
template <class Call>
int guarded(sqlite3_file* file, const Operation& operation, Call call) {
  const Answer answer = ask(of(file), operation);
  return answer.code != SQLITE_OK ? answer.code : call(real(file));
}

int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  const std::string_view bytes(static_cast<const char*>(data), static_cast<std::size_t>(size));
  const Answer answer = ask(of(file), {.kind = Touch::write, .offset = offset, .data = bytes});
  if (answer.code == SQLITE_OK) {
    return real(file)->pMethods->xWrite(real(file), data, size, offset);
  }
  if (answer.written > 0) {
    real(file)->pMethods->xWrite(real(file), data, static_cast<int>(answer.written), offset);
  }
  errno = answer.error_number;
  return answer.code;
}

int shm_lock(sqlite3_file* file, int first, int count, int flags) {
  const auto call = [&](sqlite3_file* f) { return f->pMethods->xShmLock(f, first, count, flags); };
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {  // does not fail
    return call(real(file));
  }
  return guarded(file, {.kind = Touch::shm_lock, .offset = first, .size = count, .flags = flags},
                 call);
}

const sqlite3_io_methods k_methods{
    3,
    [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); },
    [](sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
      return guarded(file, {.kind = Touch::read, .offset = offset, .size = size},
                     [&](auto* f) { return f->pMethods->xRead(f, to, size, offset); });
    },
    write,
    [](sqlite3_file* file, sqlite3_int64 size) {
      return guarded(file, {.kind = Touch::truncate, .size = size},
                     [&](auto* f) { return f->pMethods->xTruncate(f, size); });
    },
    [](sqlite3_file* file, int flags) {
      return guarded(file, {.kind = Touch::sync, .flags = flags},
                     [&](auto* f) { return f->pMethods->xSync(f, flags); });
    },
    [](sqlite3_file* f, sqlite3_int64* size) {
      return real(f)->pMethods->xFileSize(real(f), size);
    },
    [](sqlite3_file* file, int level) {
      return guarded(file, {.kind = Touch::lock, .flags = level},
                     [&](auto* f) { return f->pMethods->xLock(f, level); });
    },
    [](sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); },
    [](sqlite3_file* f, int* is) { return real(f)->pMethods->xCheckReservedLock(real(f), is); },
    [](sqlite3_file* f, int code, void* data) {
      return real(f)->pMethods->xFileControl(real(f), code, data);
    },
    [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); },
    [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); },
    [](sqlite3_file* file, int region, int size, int extend, void volatile** at) {
      return guarded(file, {.kind = Touch::shm_map},
                     [&](auto* f) { return f->pMethods->xShmMap(f, region, size, extend, at); });
    },
    shm_lock,
    [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); },
    [](sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); },
    [](sqlite3_file* f, sqlite3_int64 offset, int size, void** at) {
      return real(f)->pMethods->xFetch(real(f), offset, size, at);
    },
    [](sqlite3_file* file, sqlite3_int64 offset, void* page) {
      return guarded(file, {.kind = Touch::unfetch, .offset = offset},
                     [&](auto* f) { return f->pMethods->xUnfetch(f, offset, page); });
    },
};

const Disk& disk_of(sqlite3_vfs* vfs) { return *static_cast<const Disk*>(vfs->pAppData); }

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  auto& opened = *new (file) File{{nullptr}, &disk_of(vfs), path};
  const Answer answer = ask(opened, {.kind = Touch::open, .flags = flags});
  if (answer.code != SQLITE_OK) {
    return answer.code;
  }
  sqlite3_vfs* below = opened.disk->real();
  const int code = below->xOpen(below, path, opened.real(), flags, out_flags);
  if (opened.real()->pMethods != nullptr) {  // else SQLite must not close it
    opened.base.pMethods = &k_methods;
  }
  return code;
}

int remove(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  File gone{{nullptr}, &disk_of(vfs), path};
  const Answer answer = ask(gone, {.kind = Touch::remove, .flags = sync_directory});
  sqlite3_vfs* below = gone.disk->real();
  return answer.code != SQLITE_OK ? answer.code : below->xDelete(below, path, sync_directory);
}

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names for it (ld, --wrap)
extern "C" int __real_fsync(int fd);

extern "C" int __wrap_fsync(int fd) {
  const Disk* const disk = g_disk;
  struct stat facts {};
  if (disk == nullptr || ::fstat(fd, &facts) != 0 || !S_ISDIR(facts.st_mode)) {
    return __real_fsync(fd);
  }
  std::error_code problem;
  const std::string path =
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), problem);
  const Answer answer = disk->ask({.kind = Touch::sync_directory, .data = path});
  if (answer.code == SQLITE_OK) {
    return __real_fsync(fd);
  }
  errno = answer.error_number;
  return -1;
}
// NOLINTEND(bugprone-reserved-identifier)

Disk::Disk(Rule rule) : rule_(std::move(rule)), real_(sqlite3_vfs_find("unix")), layer_(*real_) {
  layer_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
  layer_.zName = "test";
  layer_.pAppData = this;
  layer_.xOpen = open;
  layer_.xDelete = remove;
  layer_.xSleep = [](sqlite3_vfs* vfs, int microseconds) {
    const Disk& disk = disk_of(vfs);
    return disk.ask({.kind = Touch::sleep}).code != SQLITE_OK
               ? microseconds
               : disk.real()->xSleep(disk.real(), microseconds);
  };
  if (sqlite3_vfs_register(&layer_, 1) != SQLITE_OK) {
    throw std::runtime_error("the test's VFS cannot be registered");
  }
  g_disk = this;
}

Disk::~Disk() {
  g_disk = nullptr;
  sqlite3_vfs_unregister(&layer_);
  sqlite3_vfs_register(real_, 1);
}

}  // namespace hermes::test
