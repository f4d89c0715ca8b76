// Removing what programs have left that were other users than this machine's own one: only with the same map can that be done.
#define _GNU_SOURCE 1
#include "include/serve.h"
#include "sandboxd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/// Removes what is in a folder, which is closed afterwards; no link is followed.
static void empty(int folder) {
    // Programs may have taken the right to do so away.
    if (fchmod(folder, 0700) != 0) {}
    DIR *names = fdopendir(folder);
    for (struct dirent *entry; names && (entry = readdir(names));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (unlinkat(folder, entry->d_name, 0) == 0) continue;
        fchmodat(folder, entry->d_name, 0700, AT_SYMLINK_NOFOLLOW);
        int inside = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inside >= 0) empty(inside);
        unlinkat(folder, entry->d_name, AT_REMOVEDIR);
    }
    if (names) closedir(names); else close(folder);
}

int vs_remove_folder(const char *path) {
    char error[256];
    if (geteuid() != 0 && enter_users(error, sizeof error) < 0) return 1;
    if (chmod(path, 0700) != 0) {}
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0) empty(folder);
    return rmdir(path) == 0 || errno == ENOENT ? 0 : 1;
}
