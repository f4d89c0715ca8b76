// Folders and small files.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    ssize_t count = write(file, text, strlen(text));
    int error = errno;
    close(file);
    return count < 0 ? -error : 0;
}

int make_folders(const char *path) {
    // Mostly those are there, or even the folder itself.
    if (mkdir(path, 0755) == 0 || errno == EEXIST) return 0;
    if (errno != ENOENT) return -errno;
    char copy[512];
    if ((size_t)snprintf(copy, sizeof copy, "%s", path) >= sizeof copy) return -ENAMETOOLONG;
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(copy, 0755) != 0 && errno != EEXIST && errno != EROFS) return -errno;
        *slash = '/';
    }
    return mkdir(copy, 0755) != 0 && errno != EEXIST ? -errno : 0;
}

int make_file(const char *path, const void *content, size_t length) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0 && errno == ENOENT) {
        char folder[512];
        snprintf(folder, sizeof folder, "%s", path);
        char *slash = strrchr(folder, '/');
        if (slash) *slash = 0;
        int outcome = slash && slash != folder ? make_folders(folder) : -ENOENT;
        if (outcome < 0) return outcome;
        file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    }
    if (file < 0) return -errno;
    ssize_t count = length ? write(file, content, length) : 0;
    close(file);
    return count < 0 ? -EIO : 0;
}
