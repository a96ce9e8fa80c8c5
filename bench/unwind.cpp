// unwind SECONDS: calls of many kinds without frame pointers; prints the CPU time of a round in us.
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#define NOINLINE __attribute__((noinline))

NOINLINE double work(int n) {
  volatile double x = 1;
  for (int i = 0; i < n; i++) x = x * 1.0000001;
  return x;
}

NOINLINE double recursion(int depth, int n) { return depth == 0 ? work(n) : recursion(depth - 1, n) + 1; }

// Aligns its stack, so that its frame is found by what it saved.
NOINLINE double aligned(int depth, int n) {
  alignas(64) volatile char buffer[64];
  buffer[0] = static_cast<char>(depth);
  return depth == 0 ? work(n) : aligned(depth - 1, n) + buffer[0];
}

NOINLINE int throwing(int depth) {
  if (depth == 0) throw std::runtime_error("x");
  const std::string text(static_cast<size_t>(depth), 'x');
  return throwing(depth - 1) + static_cast<int>(text.size());
}

NOINLINE int catching() {
  try {
    return throwing(20);
  } catch (const std::exception &error) {
    return error.what()[0];
  }
}

struct Less {
  NOINLINE bool operator()(const std::string &a, const std::string &b) const { return a < b; }
};

NOINLINE size_t sorting() {
  std::vector<std::string> keys;
  for (int i = 0; i < 300; i++) keys.push_back("key" + std::to_string(rand()));
  std::sort(keys.begin(), keys.end(), Less());
  std::map<std::string, int> counts;
  for (const std::string &key : keys) counts[key]++;
  return counts.size();
}

int by_value(const void *a, const void *b) { return *static_cast<const int *>(a) - *static_cast<const int *>(b); }

NOINLINE int called_back() {
  std::vector<int> numbers(2000);
  for (int &number : numbers) number = rand();
  qsort(numbers.data(), numbers.size(), sizeof(int), by_value);
  return numbers[0];
}

int main(int argc, char **argv) {
  const time_t end = time(nullptr) + (argc > 1 ? atoi(argv[1]) : 1);
  long rounds = 0;
  double sum = 0;
  while (time(nullptr) < end) {
    sum += recursion(40, 20000) + aligned(20, 20000);
    for (int i = 0; i < 5; i++) sum += catching();
    sum += static_cast<double>(sorting()) + called_back();
    rounds++;
  }
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  const double us = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
                    static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  printf("%.2f\n", us / static_cast<double>(rounds));
  return sum == 0;
}
