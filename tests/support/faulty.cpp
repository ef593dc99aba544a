// Makes the mistakes that the sanitizers are there for; scripts/sanitize.sh looks whether they
// tell.
#include <thread>

int main(int argc, char**) {
  int* gone = new int(argc);
  std::thread other([gone] { ++*gone; });
  ++*gone;
  other.join();
  delete gone;
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDelete): that is what it is for
  return *static_cast<volatile int*>(gone);
}
