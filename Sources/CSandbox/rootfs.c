// The root of a container: an empty one, into which come the host's system or an image's layers, devices, /proc, files of the
// container's own and its volumes.
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

int bind_host(const char *source, const char *target, bool is_read_only) {
    char from[600], to[600];
    struct stat information;
    snprintf(from, sizeof from, "/oldroot%s", source);
    snprintf(to, sizeof to, "/newroot%s", target);
    if (stat(from, &information) != 0) return -errno;
    int outcome = S_ISDIR(information.st_mode) ? make_folders(to) : access(to, F_OK) == 0 ? 0 : make_file(to, NULL, 0);
    if (outcome < 0) return outcome;
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

static int make_devices(void) {
    static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
    for (size_t index = 0; index < sizeof devices / sizeof *devices; index++) {
        char path[64];
        snprintf(path, sizeof path, "/dev/%s", devices[index]);
        int outcome = bind_host(path, path, false);
        if (outcome < 0 && index < 2) return outcome;
    }
    if (symlink("/proc/self/fd", "/newroot/dev/fd") != 0 || symlink("/proc/self/fd/0", "/newroot/dev/stdin") != 0
        || symlink("/proc/self/fd/1", "/newroot/dev/stdout") != 0 || symlink("/proc/self/fd/2", "/newroot/dev/stderr") != 0) {
        return -errno;
    }
    // A mount of its own: shared memory works also where the root is read-only.
    mkdir("/newroot/dev/shm", 01777);
    if (mount("shm", "/newroot/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k") != 0) return -errno;
    // Message queues and shared memory work without; what looks for them here does not.
    mkdir("/newroot/dev/mqueue", 01777);
    mount("mqueue", "/newroot/dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mkdir("/newroot/dev/pts", 0755);
    // Terminals are for `exec -it`; a container without them still runs.
    if (mount("devpts", "/newroot/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620") == 0) {
        if (symlink("pts/ptmx", "/newroot/dev/ptmx") != 0) return -errno;
    }
    return 0;
}

/// What container runtimes hide of /proc by default, and what they make read-only: it is the machine's, not the container's.
static const char *const hidden[] = {
    "/acpi", "/kcore", "/keys", "/latency_stats", "/timer_list", "/timer_stats", "/sched_debug", "/scsi", NULL,
};
static const char *const protected[] = {"/asound", "/bus", "/fs", "/irq", "/sys", "/sysrq-trigger", NULL};

/// Puts nothing in the place of a file or folder, if there is one.
static int hide(const char *path) {
    struct stat information;
    if (stat(path, &information) != 0) return 0;
    int outcome = S_ISDIR(information.st_mode)
        ? mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, "mode=0555,size=0")
        : mount("/oldroot/dev/null", path, NULL, MS_BIND, NULL);
    return outcome != 0 ? -errno : 0;
}

static int mount_proc(const struct start *start) {
    char path[64];
    if (mount("proc", "/newroot/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) != 0) return -errno;
    if (start->has_plain_proc) return 0;
    for (const char *const *name = hidden; *name; name++) {
        snprintf(path, sizeof path, "/newroot/proc%s", *name);
        int outcome = hide(path);
        if (outcome < 0) return outcome;
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

/// The container's own control group, for programs that look up their limits there (Java, Go).
static int mount_cgroup(void) {
    const char *path = "/newroot/sys/fs/cgroup";
    struct attributes attributes = {.set = read_only};
    int outcome = make_folders(path);
    if (outcome < 0) return outcome;
    if (mount("cgroup", path, "cgroup2", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) != 0) return -errno;
    // Of this mount only: the file system is the same for all.
    return syscall(SYS_mount_setattr, AT_FDCWD, path, 0, &attributes, sizeof attributes) != 0 ? -errno : 0;
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
    for (const char *const *setting = system_settings; start->has_system; setting++) {
        // Not each of them is a mount.
        if (syscall(SYS_mount_setattr, AT_FDCWD, path, 0, &attributes, sizeof attributes) != 0 && errno != EINVAL && errno != ENOENT) {
            return -errno;
        }
        if (!*setting) break;
        snprintf(path, sizeof path, "/newroot%s", *setting);
    }
    return 0;
}

/// The devices as the kernel shows them, with the pod's own network, for looking only. Where the machine hides parts of it the kernel
/// refuses; then there is none.
static int mount_sys(const struct start *start) {
    const unsigned long flags = MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY;
    struct stat place;
    // An image may have a link here, which leads out of the new root.
    if (mkdir("/newroot/sys", 0755) != 0 && (lstat("/newroot/sys", &place) != 0 || !S_ISDIR(place.st_mode))) return 0;
    if (mount("sysfs", "/newroot/sys", "sysfs", flags, NULL) != 0 || start->has_plain_proc) return 0;
    int outcome = hide("/newroot/sys/firmware");
    return outcome < 0 ? outcome : hide("/newroot/sys/devices/virtual/powercap");
}

int step(int outcome, const char *what, char *error, size_t capacity) {
    if (outcome < 0) {
        errno = -outcome;
        return complain(error, capacity, what);
    }
    return 0;
}

int rootfs_build(const struct start *start, char *error, size_t capacity) {
    // Two steps, so that the new root hides no source: first a base that holds the old root, then the root proper.
    if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) return complain(error, capacity, "no tmpfs");
    if (mkdir("/tmp/newroot", 0755) != 0 || mkdir("/tmp/oldroot", 0755) != 0 || syscall(SYS_pivot_root, "/tmp", "/tmp/oldroot") != 0
        || chdir("/") != 0) {
        return complain(error, capacity, "the root cannot be changed");
    }
    int outcome = start->is_layered ? layers_build(start, error, capacity) : system_build(start, error, capacity);
    if (outcome == 0) outcome = step(make_devices(), "/dev", error, capacity);
    if (outcome < 0) return outcome;
    outcome = step(mount_proc(start), "/proc", error, capacity);
    if (outcome == 0) outcome = step(mount_sys(start), "/sys", error, capacity);
    if (outcome < 0) return outcome;
    if (start->cgroup >= 0 && has_any(&start->amounts)) outcome = step(mount_cgroup(), "/sys/fs/cgroup", error, capacity);
    if (outcome < 0) return outcome;
    for (size_t index = 0; index < start->file_count; index++) {
        const struct file *file = &start->files[index];
        if (start->is_layered) {
            outcome = step(put_file(index, file), file->path, error, capacity);
        } else {
            char path[600];
            snprintf(path, sizeof path, "/newroot%s", file->path);
            // The host's own file there may be nobody's to change.
            unlink(path);
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
