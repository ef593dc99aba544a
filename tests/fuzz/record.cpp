// Control records. The first byte says how the record is made of the rest: the file as it is, its
// sections with right checksums, or a record that a shim wrote with a few bits turned over.
#include "daemon/shim/record.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "daemon/workers/observe.hpp"
#include "fuzz/harness.hpp"
#include "support/temp_dir.hpp"

using namespace hermes;
using fuzz::require;

namespace {

using Bytes = std::array<char, shim::k_record_size>;

void put(const std::filesystem::path& path, std::string_view bytes) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  require(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
          "the record can be written");
}

bool same(const workers::Exit& a, const workers::Exit& b) {
  return a.kind == b.kind && a.code == b.code && a.stage == b.stage && a.ended_at == b.ended_at &&
         a.max_rss_kb == b.max_rss_kb && a.cpu_ms == b.cpu_ms &&
         a.stop_requested == b.stop_requested;
}

template <class Section>
void seal(Bytes& record, unsigned mask, unsigned bit) {
  if ((mask >> bit & 1U) != 0) {
    Section section{};
    std::memcpy(&section, record.data() + Section::k_offset, sizeof section);
    shim::store(record.data(), section);
  }
}

// Any values in any set of sections that are all valid.
Bytes sealed(std::string_view input) {
  Bytes record{};
  const unsigned mask = input.empty() ? 0 : static_cast<unsigned char>(input.front());
  input.remove_prefix(input.empty() ? 0 : 1);
  std::size_t taken = 0;
  const auto fill = [&](std::size_t at, std::size_t length) {
    const std::string_view part = input.substr(std::min(taken, input.size()), length);
    std::memcpy(record.data() + at, part.data(), part.size());
    taken += length;
  };
  fill(shim::Exit::k_offset, sizeof(shim::Exit));
  fill(shim::Started::k_offset, sizeof(shim::Started));
  fill(shim::Armed::k_offset, sizeof(shim::Armed));
  fill(shim::Worker::k_offset, sizeof(shim::Worker));
  fill(shim::Header::k_offset, sizeof(shim::Header));
  seal<shim::Header>(record, mask, 0);
  seal<shim::Armed>(record, mask, 1);
  seal<shim::Started>(record, mask, 2);
  seal<shim::Worker>(record, mask, 3);
  seal<shim::Exit>(record, mask, 4);
  return record;
}

void look(const std::filesystem::path& path) {
  const auto told = workers::recorded_exit(path);
  const auto adopted = workers::adopt(path, "boot");
  fuzz::require_told(adopted);
  require(adopted.has_value(), "a record that nobody holds is judged");
  const auto* ended = std::get_if<workers::Ended>(&*adopted);
  require(ended == nullptr || (told && same(ended->exit, *told)), "both readers see one exit");
  require(!std::holds_alternative<workers::Alive>(*adopted), "nobody lives who holds no lock");
  const auto again = workers::adopt(path, "boot");
  require(again && again->index() == adopted->index(), "a second look sees the same");
  fuzz::require_told(workers::observe_end(path));
}

// A few bits elsewhere are no other exit: the one that was written is read, or none.
void flip(const std::filesystem::path& path, std::string_view input) {
  constexpr std::size_t k_flips = 8;
  Bytes record = sealed("\x1f" + std::string(input));
  put(path, {record.data(), record.size()});
  const auto written = workers::recorded_exit(path);
  require(written.has_value(), "an exit that was written is read", input);
  const std::string_view places = input.substr(0, 2 * k_flips);
  for (std::size_t i = 0; i + 1 < places.size(); i += 2) {
    const auto high = static_cast<unsigned char>(places[i]);
    const auto low = static_cast<unsigned char>(places[i + 1]);
    const std::size_t bit = (high * 256U + low) % (sizeof(shim::Exit) * 8);
    record.at(shim::Exit::k_offset + bit / 8) ^= static_cast<char>(1 << (bit % 8));
  }
  put(path, {record.data(), record.size()});
  const auto read = workers::recorded_exit(path);
  require(!read || same(*read, *written), "a damaged exit is never taken for another", input);
  look(path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TempDir dir;
  const auto path = dir / "record";
  if (size == 0) {
    return 0;
  }
  const std::string_view rest = fuzz::text_of(data, size).substr(1);
  switch (data[0] % 3) {
    case 0:
      put(path, rest);
      look(path);
      break;
    case 1: {
      const Bytes record = sealed(rest);
      put(path, {record.data(), record.size()});
      look(path);
      break;
    }
    default:
      flip(path, rest);
  }
  return 0;
}
