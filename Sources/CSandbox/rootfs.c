// The root of a container: an empty one, with the host's system directories bound into it read-only.
//
// What is not listed here does not exist inside: homes, other pods' files, the host's /tmp and /var.
#define _GNU_SOURCE 1
#include "include/inside.h"
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
int make_folders(const char *path) {
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

/// Binds an open file or folder to a place in the new root.
static int bind_open(int from, const char *target, bool is_read_only) {
    enum { clone = 1, close_on_exec = 02000000, whole_source = 4, whole_target = 0x40 };
    struct stat information;
    if (fstat(from, &information) != 0) return -errno;
    int root = open("/newroot", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return -errno;
    int place = vs_make_inside(root, target, S_ISDIR(information.st_mode));
    close(root);
    if (place < 0) return place;
    int outcome = 0;
    struct attributes attributes = {.set = (is_read_only ? read_only : 0) | no_setuid};
    int tree = (int)syscall(SYS_open_tree, from, "", AT_EMPTY_PATH | recursive | clone | close_on_exec);
    if (tree < 0 || syscall(SYS_mount_setattr, tree, "", recursive | AT_EMPTY_PATH, &attributes, sizeof attributes) != 0
        || syscall(SYS_move_mount, tree, "", place, "", whole_source | whole_target) != 0) {
        outcome = -errno;
    }
    if (tree >= 0) close(tree);
    close(place);
    return outcome;
}

int bind_inside(const char *from, const char *target, bool is_read_only) {
    int source = open(from, O_PATH | O_CLOEXEC);
    if (source < 0) return -errno;
    int outcome = bind_open(source, target, is_read_only);
    close(source);
    return outcome;
}

/// A file of the container's own, put over what its image has at the path.
static int put_file(size_t index, const struct file *file) {
    char path[64];
    // Beside both roots, so that no layer gets to keep it.
    snprintf(path, sizeof path, "/files/%zu", index);
    int outcome = make_file(path, file->content, file->length);
    return outcome < 0 ? outcome : bind_inside(path, file->path, false);
}

/// Opens a path in a volume. A folder that is missing is made, with the mode of the volume.
static int open_in_volume(int volume, const char *path) {
    struct stat information;
    int place = vs_open_inside(volume, path, O_PATH, 0);
    if (place != -ENOENT) return place;
    place = vs_make_inside(volume, path, true);
    if (place < 0) return place;
    close(place);
    place = vs_open_inside(volume, path, O_RDONLY | O_DIRECTORY, 0);
    // Whoever may write to the volume may write there, too.
    if (place >= 0 && fstat(volume, &information) == 0
        && (fchown(place, (uid_t)-1, information.st_gid) != 0 || fchmod(place, information.st_mode & 07777) != 0)) {}
    return place;
}

static int put_volume(const struct mount *mount) {
    int old = open("/oldroot", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (old < 0) return -errno;
    // Links of the host lead where they lead there.
    int source = vs_open_inside(old, mount->source, O_PATH, 0);
    close(old);
    if (source >= 0 && mount->inside[0]) {
        int inside = open_in_volume(source, mount->inside);
        close(source);
        source = inside;
    }
    if (source < 0) return source;
    int outcome = bind_open(source, mount->target, mount->is_read_only);
    close(source);
    return outcome;
}

/// A volume of the host; without a source, a folder that is made where the image lacks it.
static int put_mount(const struct mount *mount) {
    if (mount->source[0]) return put_volume(mount);
    int root = open("/newroot", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int place = root < 0 ? -errno : vs_make_inside(root, mount->target, true);
    if (root >= 0) close(root);
    if (place >= 0) close(place);
    return place < 0 ? place : 0;
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
    // A mount of its own: shared memory works also where the root is read-only.
    mkdir("/newroot/dev/shm", 01777);
    if (mount("shm", "/newroot/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k") != 0) return -errno;
    mkdir("/newroot/dev/pts", 0755);
    // Terminals are for `exec -it`; a container without them still runs.
    if (mount("devpts", "/newroot/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620") == 0) {
        if (symlink("pts/ptmx", "/newroot/dev/ptmx") != 0) return -errno;
    }
    return 0;
}

static int make_writable(const char *root) {
    static const char *const folders[] = {
        "/tmp", "/run", "/var/tmp", "/var/log", "/var/lib", "/var/cache", "/var/spool", "/root", "/home", "/srv", "/mnt", "/run/lock",
    };
    for (size_t index = 0; index < sizeof folders / sizeof *folders; index++) {
        char path[64];
        snprintf(path, sizeof path, "%s%s", root, folders[index]);
        int outcome = make_folders(path);
        if (outcome < 0) return outcome;
        chmod(path, 01777);
    }
    // Relative, because mounts are put under it while this root is not yet the root.
    char link[64];
    snprintf(link, sizeof link, "%s/var/run", root);
    return symlink("../run", link) != 0 ? -errno : 0;
}

/// What programs read in /etc; the rest of it, passwords and keys first of all, stays outside.
const char *const system_settings[] = {
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates", "/etc/mime.types", "/etc/nginx", "/etc/localtime", "/etc/terminfo", "/etc/services",
    "/etc/protocols", "/etc/os-release", "/etc/debian_version", "/etc/profile", "/etc/bash.bashrc", "/etc/python3",
    "/etc/python3.11", "/etc/postgresql-common", "/etc/redis",
    NULL,
};

static int bind_settings(void) {
    for (const char *const *setting = system_settings; *setting; setting++) {
        int outcome = bind(*setting, *setting, true);
        // What this machine does not have, or does not let us read, no container can miss.
        if (outcome < 0 && outcome != -ENOENT && outcome != -EACCES) return outcome;
    }
    return 0;
}

static const char *const system_folders[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", NULL};

static int copy_file(const char *from, const char *to) {
    char chunk[16384];
    int source = open(from, O_RDONLY | O_CLOEXEC);
    if (source < 0) return -errno;
    int outcome = make_file(to, NULL, 0);
    int target = outcome < 0 ? outcome : open(to, O_WRONLY | O_CLOEXEC);
    ssize_t count = 0;
    while (target >= 0 && (count = read(source, chunk, sizeof chunk)) > 0) {
        if (write(target, chunk, (size_t)count) != count) break;
    }
    close(source);
    if (target < 0) return target;
    close(target);
    return count == 0 ? 0 : -EIO;
}

int make_system_skeleton(const char *root) {
    char from[128], to[128], target[256];
    int outcome = make_writable(root);
    for (const char *const *folder = system_folders; *folder && outcome == 0; folder++) {
        snprintf(from, sizeof from, "/oldroot%s", *folder);
        snprintf(to, sizeof to, "%s%s", root, *folder);
        ssize_t length = readlink(from, target, sizeof target - 1);
        if (length > 0) {
            target[length] = 0;
            if (symlink(target, to) != 0) outcome = -errno;
        } else if (access(from, F_OK) == 0) {
            outcome = make_folders(to);
        }
    }
    for (const char *const *setting = system_settings; *setting && outcome == 0; setting++) {
        struct stat information;
        snprintf(from, sizeof from, "/oldroot%s", *setting);
        snprintf(to, sizeof to, "%s%s", root, *setting);
        if (stat(from, &information) != 0) continue;
        outcome = S_ISDIR(information.st_mode) ? make_folders(to) : copy_file(from, to);
        // What this machine does not let us read, no container can miss.
        if (outcome == -EACCES) outcome = 0;
    }
    return outcome;
}

/// What container runtimes hide of /proc by default, and what they make read-only: it is the machine's, not the container's.
static const char *const hidden[] = {
    "/acpi", "/kcore", "/keys", "/latency_stats", "/timer_list", "/timer_stats", "/sched_debug", "/scsi", NULL,
};
static const char *const protected[] = {"/asound", "/bus", "/fs", "/irq", "/sys", "/sysrq-trigger", NULL};

static int mount_proc(const struct start *start) {
    char path[64];
    if (mount("proc", "/newroot/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) != 0) return -errno;
    if (start->has_plain_proc) return 0;
    for (const char *const *name = hidden; *name; name++) {
        struct stat information;
        snprintf(path, sizeof path, "/newroot/proc%s", *name);
        if (stat(path, &information) != 0) continue;
        int outcome = S_ISDIR(information.st_mode)
            ? mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, "mode=0555,size=0")
            : mount("/oldroot/dev/null", path, NULL, MS_BIND, NULL);
        if (outcome != 0) return -errno;
    }
    for (const char *const *name = protected; *name; name++) {
        struct attributes attributes = {.set = read_only | no_setuid | no_devices};
        snprintf(path, sizeof path, "/newroot/proc%s", *name);
        if (access(path, F_OK) != 0) continue;
        if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) != 0
            || syscall(SYS_mount_setattr, AT_FDCWD, path, recursive, &attributes, sizeof attributes) != 0) {
            return -errno;
        }
    }
    return 0;
}

/// Makes the root read-only, and what is stacked in it; volumes, /proc and /dev/shm stay as they are.
static int protect_root(const struct start *start) {
    int root = open("/newroot", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return -errno;
    // Container runtimes make a missing working directory; afterwards nobody could.
    int place = vs_make_inside(root, start->directory[0] ? start->directory : "/", true);
    close(root);
    if (place >= 0) close(place);
    struct attributes attributes = {.set = read_only};
    if (syscall(SYS_mount_setattr, AT_FDCWD, "/newroot", 0, &attributes, sizeof attributes) != 0) return -errno;
    char path[128] = "/newroot/usr";
    for (const char *const *setting = system_settings; start->is_layered && start->has_system; setting++) {
        // Not each of them is a mount.
        if (syscall(SYS_mount_setattr, AT_FDCWD, path, 0, &attributes, sizeof attributes) != 0 && errno != EINVAL && errno != ENOENT) {
            return -errno;
        }
        if (!*setting) break;
        snprintf(path, sizeof path, "/newroot%s", *setting);
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

/// The root of a container without layers: the host's system, read-only.
static int system_build(char *error, size_t capacity) {
    if (mount("tmpfs", "/newroot", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) return complain(error, capacity, "no tmpfs");
    for (const char *const *folder = system_folders; *folder; folder++) {
        int outcome = step(bind_system(*folder), *folder, error, capacity);
        if (outcome < 0) return outcome;
    }
    int outcome = step(bind_settings(), "/etc", error, capacity);
    if (outcome == 0) outcome = step(make_writable("/newroot"), "/var", error, capacity);
    mkdir("/newroot/dev", 0755);
    mkdir("/newroot/proc", 0555);
    return outcome;
}

int rootfs_build(const struct start *start, char *error, size_t capacity) {
    // Two steps, so that the new root hides no source: first a base that holds the old root, then the root proper.
    if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) return complain(error, capacity, "no tmpfs");
    if (mkdir("/tmp/newroot", 0755) != 0 || mkdir("/tmp/oldroot", 0755) != 0 || syscall(SYS_pivot_root, "/tmp", "/tmp/oldroot") != 0
        || chdir("/") != 0) {
        return complain(error, capacity, "the root cannot be changed");
    }
    int outcome = start->is_layered ? layers_build(start, error, capacity) : system_build(error, capacity);
    if (outcome == 0) outcome = step(make_devices(), "/dev", error, capacity);
    if (outcome < 0) return outcome;
    outcome = step(mount_proc(start), "/proc", error, capacity);
    if (outcome < 0) return outcome;
    for (size_t index = 0; index < start->file_count; index++) {
        const struct file *file = &start->files[index];
        if (start->is_layered) {
            outcome = step(put_file(index, file), file->path, error, capacity);
        } else {
            char path[600];
            snprintf(path, sizeof path, "/newroot%s", file->path);
            outcome = step(make_file(path, file->content, file->length), file->path, error, capacity);
        }
        if (outcome < 0) return outcome;
    }
    for (size_t index = 0; index < start->mount_count; index++) {
        outcome = step(put_mount(&start->mounts[index]), start->mounts[index].target, error, capacity);
        if (outcome < 0) return outcome;
    }
    if (start->has_read_only_root) {
        outcome = step(protect_root(start), "the root cannot be made read-only", error, capacity);
        if (outcome < 0) return outcome;
    }
    if (chdir("/newroot") != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) {
        return complain(error, capacity, "the root cannot be changed");
    }
    return 0;
}
