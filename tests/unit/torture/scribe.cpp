// What hook_test.cpp records: a program that writes, syncs and renames in the directory it is
// given, as a node does. Prints the wall clock, and what its last sync returned.
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <string>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::string directory = arguments[1];
  const int a = ::open((directory + "/a").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  bool good = ::pwrite(a, "one", 3, 0) == 3 && ::fdatasync(a) == 0;
  iovec parts[] = {{const_cast<char*>("tw"), 2}, {const_cast<char*>("o"), 1}};
  good = good && ::lseek(a, 3, SEEK_SET) == 3 && ::writev(a, parts, 2) == 3;
  const int b =
      ::open((directory + "/b.tmp").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  good = good && ::write(b, "content", 7) == 7 && ::fsync(b) == 0;
  good = good && ::rename((directory + "/b.tmp").c_str(), (directory + "/b").c_str()) == 0;
  const int names = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  good = good && ::fsync(names) == 0;
  good = good && ::pwrite(b, "never synced", 12, 100) == 12;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::printf("%lld %d\n", static_cast<long long>(now.tv_sec), good ? 0 : errno);
  return good ? 0 : 1;
}
