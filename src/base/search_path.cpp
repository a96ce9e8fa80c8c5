#include "base/search_path.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/strings.h"

namespace awl {

std::vector<std::string> search_folders() {
  const char *path = std::getenv("PATH");
  std::vector<std::string> out =
      split(path && *path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ':');
  for (std::string &folder : out)
    if (folder.empty()) folder = ".";
  return out;
}

bool is_executable_file(const std::string &path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

std::string find_in_path(std::string_view name) {
  for (const std::string &folder : search_folders())
    if (std::string path = folder + "/" + std::string(name); is_executable_file(path)) return path;
  return {};
}

}  // namespace awl
