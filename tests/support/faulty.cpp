// Makes the mistakes that the sanitizers are there for; scripts/sanitize.sh looks whether they
// tell.
#include <thread>

int main(int argc, char**) {
  int* volatile gone = new int(argc);  // volatile: no compiler is to see through it
  std::thread other([&gone] { ++*gone; });
  ++*gone;
  other.join();
  delete gone;
  return *gone;
}
