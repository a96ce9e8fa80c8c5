// flags: -O2 -std=c++20
// Structs and classes that are passed by value: in one register, in two, by the address of a copy.
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#define KEPT [[gnu::noipa]]
#define UNOPTIMISED [[gnu::noipa, gnu::optimize("O0")]]

struct Order {
  std::string name;
  int count;
};
struct Shape {
  virtual long area() const { return side * side; }
  long side = 4;
};
struct Odd {
  char bytes[11];
};
enum class Status : unsigned char { New = 1, Sent = 200 };
enum Http { HTTP_OK = 200, HTTP_PORT = 40000 };

KEPT size_t view(std::string_view text, int n) { return text.size() + n + text[0]; }
UNOPTIMISED size_t view_slowly(std::string_view text, int n) { return text.size() + n; }
KEPT size_t copy(std::string text, int n) { return text.size() + n; }
UNOPTIMISED size_t copy_slowly(std::string text, int n) { return text.size() + n; }
UNOPTIMISED std::unique_ptr<Order> make(int count, int times) {
  return std::make_unique<Order>(Order{"made", count * times});
}
UNOPTIMISED size_t own(std::unique_ptr<Order> order, int n) { return order->count + n; }
UNOPTIMISED long shape(Shape s, int n) { return s.area() + n; }
UNOPTIMISED long odd(Odd o, std::pair<int, long> p, int n) { return o.bytes[2] + p.second + n; }
KEPT size_t reply(Http code, Status status) { return code + static_cast<int>(status); }

[[gnu::cold]] KEPT void complain(const char *text) { std::puts(text); }

// Of two parts, the one that complains elsewhere.
KEPT int work(const char *name, int n) {
  if (n > 3) {
    complain(name);
    complain("too many");
    return n * 3;
  }
  return n;
}

// Tagged by the compiler: tag[abi:cxx11](int).
KEPT std::string tag(int n) { return std::string(static_cast<size_t>(n), 'x'); }

struct Server {
  KEPT int handle(int n) {
    tag(n);
    auto twice = [] [[gnu::noipa]] (int x) { return x * 2; };
    return twice(n) + 1;
  }
};

int main() {
  Order order{"widget", 4};
  size_t sum =
      view("a view", 1) + view_slowly("another view", 2) + copy("text by value", 3) + copy_slowly("more text", 4);
  sum += make(3, 2)->count + own(std::make_unique<Order>(order), 5) + shape(Shape(), 6) + odd({"odd bytes"}, {7, 8}, 9);
  sum += reply(HTTP_OK, Status::Sent) + reply(HTTP_PORT, Status::New);
  for (int i = 0; i < 5; i++) sum += work("work", i) + Server().handle(i);
  std::printf("%zu\n", sum);
}
