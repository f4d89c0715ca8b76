// The root of a container: an empty one, with the host's system directories bound into it read-only.
//
// What is not listed here does not exist inside: homes, other pods' files, the host's /tmp and /var.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// From <linux/mount.h>, which cannot be included beside <sys/mount.h>.
struct attributes {
    uint64_t set, clear, propagation, user_namespace;
};
enum { recursive = 0x8000, read_only = 1, no_setuid = 2, no_devices = 4 };

/// Makes a folder and those above it.
static int make_folders(const char *path) {
    char copy[512];
    if ((size_t)snprintf(copy, sizeof copy, "%s", path) >= sizeof copy) return -ENAMETOOLONG;
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(copy, 0755) != 0 && errno != EEXIST && errno != EROFS) return -errno;
        *slash = '/';
    }
    return mkdir(copy, 0755) != 0 && errno != EEXIST ? -errno : 0;
}

static int make_file(const char *path, const void *content, size_t length) {
    char folder[512];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash && slash != folder) {
        *slash = 0;
        int outcome = make_folders(folder);
        if (outcome < 0) return outcome;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) return -errno;
    ssize_t count = length ? write(file, content, length) : 0;
    close(file);
    return count < 0 ? -EIO : 0;
}

/// Binds a file or folder of the host; `source` is its path there.
static int bind(const char *source, const char *target, bool is_read_only) {
    char from[600], to[600];
    struct stat information;
    snprintf(from, sizeof from, "/oldroot%s", source);
    snprintf(to, sizeof to, "/newroot%s", target);
    if (stat(from, &information) != 0) return -errno;
    if (access(to, F_OK) != 0) {
        int outcome = S_ISDIR(information.st_mode) ? make_folders(to) : make_file(to, NULL, 0);
        if (outcome < 0) return outcome;
    }
    if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) != 0) return -errno;
    struct attributes attributes = {.set = (is_read_only ? read_only : 0) | no_setuid};
    if (syscall(SYS_mount_setattr, AT_FDCWD, to, recursive, &attributes, sizeof attributes) != 0) return -errno;
    return 0;
}

/// A top-level directory of the host: the same link where it is one, otherwise bound.
static int bind_system(const char *path) {
    char from[64], to[64], target[256];
    snprintf(from, sizeof from, "/oldroot%s", path);
    snprintf(to, sizeof to, "/newroot%s", path);
    ssize_t length = readlink(from, target, sizeof target - 1);
    if (length > 0) {
        target[length] = 0;
        return symlink(target, to) != 0 && errno != EEXIST ? -errno : 0;
    }
    return access(from, F_OK) == 0 ? bind(path, path, true) : 0;
}

static int make_devices(void) {
    static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
    mkdir("/newroot/dev", 0755);
    for (size_t index = 0; index < sizeof devices / sizeof *devices; index++) {
        char path[64];
        snprintf(path, sizeof path, "/dev/%s", devices[index]);
        int outcome = bind(path, path, false);
        if (outcome < 0 && index < 2) return outcome;
    }
    if (symlink("/proc/self/fd", "/newroot/dev/fd") != 0 || symlink("/proc/self/fd/0", "/newroot/dev/stdin") != 0
        || symlink("/proc/self/fd/1", "/newroot/dev/stdout") != 0 || symlink("/proc/self/fd/2", "/newroot/dev/stderr") != 0) {
        return -errno;
    }
    mkdir("/newroot/dev/shm", 01777);
    mkdir("/newroot/dev/pts", 0755);
    // Terminals are for `exec -it`; a container without them still runs.
    if (mount("devpts", "/newroot/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620") == 0) {
        if (symlink("pts/ptmx", "/newroot/dev/ptmx") != 0) return -errno;
    }
    return 0;
}

static int make_writable(void) {
    static const char *const folders[] = {
        "/tmp", "/run", "/var/tmp", "/var/log", "/var/lib", "/var/cache", "/var/spool", "/root", "/home", "/srv", "/mnt", "/run/lock",
    };
    for (size_t index = 0; index < sizeof folders / sizeof *folders; index++) {
        char path[64];
        snprintf(path, sizeof path, "/newroot%s", folders[index]);
        int outcome = make_folders(path);
        if (outcome < 0) return outcome;
        chmod(path, 01777);
    }
    // Relative, because mounts are put under it while this root is not yet the root.
    return symlink("../run", "/newroot/var/run") != 0 ? -errno : 0;
}

/// What programs read in /etc; the rest of it, passwords and keys first of all, stays outside.
static int bind_settings(void) {
    static const char *const settings[] = {
        "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
        "/etc/ca-certificates", "/etc/mime.types", "/etc/nginx", "/etc/localtime", "/etc/terminfo", "/etc/services",
        "/etc/protocols", "/etc/os-release", "/etc/debian_version", "/etc/profile", "/etc/bash.bashrc", "/etc/python3",
        "/etc/python3.11", "/etc/postgresql-common", "/etc/redis",
    };
    for (size_t index = 0; index < sizeof settings / sizeof *settings; index++) {
        int outcome = bind(settings[index], settings[index], true);
        // What this machine does not have, or does not let us read, no container can miss.
        if (outcome < 0 && outcome != -ENOENT && outcome != -EACCES) return outcome;
    }
    return 0;
}

static int step(int outcome, const char *what, char *error, size_t capacity) {
    if (outcome < 0) {
        errno = -outcome;
        return complain(error, capacity, what);
    }
    return 0;
}

int rootfs_build(const struct start *start, char *error, size_t capacity) {
    static const char *const system[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
    // Two steps, so that the new root hides no source: first a base that holds the old root, then the root proper.
    if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) return complain(error, capacity, "no tmpfs");
    if (mkdir("/tmp/newroot", 0755) != 0 || mkdir("/tmp/oldroot", 0755) != 0 || syscall(SYS_pivot_root, "/tmp", "/tmp/oldroot") != 0
        || chdir("/") != 0) {
        return complain(error, capacity, "the root cannot be changed");
    }
    if (mount("tmpfs", "/newroot", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) return complain(error, capacity, "no tmpfs");
    for (size_t index = 0; index < sizeof system / sizeof *system; index++) {
        int outcome = step(bind_system(system[index]), system[index], error, capacity);
        if (outcome < 0) return outcome;
    }
    int outcome = step(bind_settings(), "/etc", error, capacity);
    if (outcome == 0) outcome = step(make_devices(), "/dev", error, capacity);
    if (outcome == 0) outcome = step(make_writable(), "/var", error, capacity);
    if (outcome < 0) return outcome;
    mkdir("/newroot/proc", 0555);
    if (mount("proc", "/newroot/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) != 0) {
        return complain(error, capacity, "/proc");
    }
    for (size_t index = 0; index < start->file_count; index++) {
        char path[600];
        snprintf(path, sizeof path, "/newroot%s", start->files[index].path);
        outcome = step(make_file(path, start->files[index].content, start->files[index].length), path + 8, error, capacity);
        if (outcome < 0) return outcome;
    }
    for (size_t index = 0; index < start->mount_count; index++) {
        const struct mount *mount = &start->mounts[index];
        outcome = step(bind(mount->source, mount->target, mount->is_read_only), mount->target, error, capacity);
        if (outcome < 0) return outcome;
    }
    if (chdir("/newroot") != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) {
        return complain(error, capacity, "the root cannot be changed");
    }
    return 0;
}
