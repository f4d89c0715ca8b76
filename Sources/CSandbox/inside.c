// Paths in trees that somebody else has made: links in them lead nowhere but into them.
#define _GNU_SOURCE 1
#include "include/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

int vs_open_inside(int root, const char *path, int flags, unsigned mode) {
    struct open_how how = {
        .flags = (unsigned long long)flags | O_CLOEXEC,
        // The kernel refuses a mode where nothing is created.
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    int descriptor;
    // Where `..` is on the way, the kernel begins anew when anything on the machine was mounted or renamed meanwhile; it leaves that
    // to the caller, and programs that start side by side mount a lot.
    int attempts = 0;
    do descriptor = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    while (descriptor < 0 && errno == EAGAIN && ++attempts < 10000);
    return descriptor < 0 ? -errno : descriptor;
}

static int make_inside(int root, const char *path, bool is_folder, int depth) {
    int present = vs_open_inside(root, path, O_PATH, 0);
    if (present != -ENOENT) return present;
    if (depth > 64) return -ELOOP;
    char copy[4096], link[4096];
    if ((size_t)snprintf(copy, sizeof copy, "%s", path) >= sizeof copy) return -ENAMETOOLONG;
    size_t length = strlen(copy);
    while (length > 1 && copy[length - 1] == '/') copy[--length] = 0;
    char *slash = strrchr(copy, '/');
    const char *name = slash ? slash + 1 : copy;
    if (!*name) return -ENOENT;
    if (slash) *slash = 0;
    const char *above = slash && copy[0] ? copy : "/";
    int folder = make_inside(root, above, true, depth + 1);
    if (folder < 0) return folder;
    int outcome = 0;
    ssize_t count = readlinkat(folder, name, link, sizeof link - 1);
    if (count > 0) {
        // A link that leads nowhere yet: there is where it is made.
        char target[8200];
        link[count] = 0;
        snprintf(target, sizeof target, "%s/%s", link[0] == '/' ? "" : above, link);
        close(folder);
        return make_inside(root, target, is_folder, depth + 1);
    }
    if (is_folder) {
        if (mkdirat(folder, name, 0755) != 0) outcome = -errno;
    } else {
        int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (file < 0) outcome = -errno; else close(file);
    }
    close(folder);
    return outcome < 0 ? outcome : vs_open_inside(root, path, O_PATH, 0);
}

int vs_make_inside(int root, const char *path, bool is_folder) { return make_inside(root, path, is_folder, 0); }

// The attribute of overlayfs mounts with the option `userxattr`: the one that ordinary users may write.
static const char opaque[] = "user.overlay.opaque";

int vs_set_opaque(int folder) { return fsetxattr(folder, opaque, "y", 1, 0) != 0 ? -errno : 0; }

bool vs_is_opaque(int folder) {
    char value = 0;
    return fgetxattr(folder, opaque, &value, 1) == 1 && value == 'y';
}

int vs_make_whiteout(int folder, const char *name) { return mknodat(folder, name, S_IFCHR, 0) != 0 ? -errno : 0; }
