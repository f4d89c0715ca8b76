// The host's system in containers: its programs and libraries, and of its settings what programs read.
//
// What is not listed here does not exist inside: homes, other pods' files, the host's /tmp and /var.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_writable(const char *root) {
    static const char *const folders[] = {
        "/tmp", "/run", "/var/tmp", "/var/log", "/var/lib", "/var/cache", "/var/spool", "/root", "/home", "/srv", "/mnt", "/run/lock",
        "/opt", "/media",
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
    "/etc/python3.11", "/etc/postgresql-common", "/etc/redis", "/etc/pam.d", "/etc/security", "/etc/login.defs", "/etc/shells",
    "/etc/skel",
    NULL,
};

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
    return access(from, F_OK) == 0 ? bind_host(path, path, true) : 0;
}

static bool is_below(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

bool is_changed(const struct start *start, const char *folder) {
    for (size_t index = 0; index < start->mount_count; index++) {
        if (is_below(start->mounts[index].target, folder)) return true;
    }
    for (size_t index = 0; index < start->file_count; index++) {
        if (is_below(start->files[index].path, folder)) return true;
    }
    for (char **owned = start->owned; *owned; owned++) {
        if (is_below(*owned, folder)) return true;
    }
    // A further certificate is what root adds while a container runs.
    return strcmp(folder, "/etc/ssl/certs") == 0 && start->user <= 0 && !start->has_read_only_root;
}

/// Makes the folder `path` of the host again where its changes go, and those above it; stops at what is no folder.
static void adopt_folder(const char *lowest, const char *upper, const char *path) {
    char from[600], to[600];
    for (const char *end = path; *end;) {
        end += strcspn(end + 1, "/") + 1;
        struct stat information;
        int length = (int)(end - path);
        if (snprintf(from, sizeof from, "%s%.*s", lowest, length, path) >= (int)sizeof from) return;
        if (snprintf(to, sizeof to, "%s%.*s", upper, length, path) >= (int)sizeof to) return;
        if (lstat(from, &information) != 0 || !S_ISDIR(information.st_mode)) return;
        if (mkdir(to, 0755) != 0 && errno != EEXIST) return;
    }
}

/// Makes a folder of the host again, with its files, for the container's user.
static void give_folder(const struct start *start, const char *lowest, const char *upper, const char *path) {
    char from[600], to[600];
    uid_t user = sandboxd.is_root && start->user > 0 ? (uid_t)start->user : (uid_t)-1;
    adopt_folder(lowest, upper, path);
    snprintf(from, sizeof from, "%s%s", lowest, path);
    snprintf(to, sizeof to, "%s%s", upper, path);
    // An image's own files are its layers'.
    if (chown(to, user, (gid_t)-1) != 0 || start->is_layered) return;
    DIR *folder = opendir(from);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        if (entry->d_type != DT_REG) continue;
        char source[900], target[900];
        snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        snprintf(target, sizeof target, "%s/%s", to, entry->d_name);
        if (copy_file(source, target) == 0 && chown(target, user, (gid_t)-1) != 0) break;
    }
    if (folder) closedir(folder);
}

void adopt_folders(const struct start *start, const char *path, const char *lowest, const char *upper) {
    // What belongs to the host's root, root can change. For an ordinary user it is nobody's; what is made here is his own.
    static const char *const folders[] = {
        "/bin", "/sbin", "/lib", "/include", "/share/nginx/html", "/local/bin", "/local/sbin", "/local/lib", "/local/share",
        "/local/etc", "/local/include", "/local/src", NULL,
    };
    for (char **owned = start->owned; *owned; owned++) {
        if (is_below(*owned, path)) give_folder(start, lowest, upper, *owned + strlen(path));
    }
    if (sandboxd.is_root) return;
    for (const char *const *folder = folders; *folder && strcmp(path, "/usr") == 0; folder++) {
        adopt_folder(lowest, upper, *folder);
    }
    for (size_t index = 0; index < start->mount_count; index++) {
        const char *target = start->mounts[index].target;
        if (is_below(target, path)) adopt_folder(lowest, upper, target + strlen(path));
    }
}

/// Puts a folder of the host into the new root, and above it what the container changes there.
static int stack_folder(const struct start *start, const char *path) {
    char from[128], to[128];
    struct stat information;
    snprintf(from, sizeof from, "/oldroot%s", path);
    snprintf(to, sizeof to, "/newroot%s", path);
    if (stat(from, &information) != 0 || !S_ISDIR(information.st_mode)) return -ENOTDIR;
    int outcome = make_folders(to);
    return outcome < 0 ? outcome : stack_layers(start, path, from);
}

static int put_settings(const struct start *start) {
    for (const char *const *setting = system_settings; *setting; setting++) {
        if (is_changed(start, *setting) && stack_folder(start, *setting) == 0) continue;
        int outcome = bind_host(*setting, *setting, true);
        // What this machine does not have, or does not let us read, no container can miss.
        if (outcome < 0 && outcome != -ENOENT && outcome != -EACCES) return outcome;
    }
    return 0;
}

int system_build(const struct start *start, char *error, size_t capacity) {
    // The root and all that is changed elsewhere are in one file system, which is the container's writable layer.
    if (mkdir("/changes", 0755) != 0 || mkdir("/root", 0755) != 0 || mount("/root", "/newroot", NULL, MS_BIND, NULL) != 0) {
        return complain(error, capacity, "there is no room for a root");
    }
    for (const char *const *folder = system_folders; *folder; folder++) {
        // Where something is mounted in the host's /usr nothing can be stacked on it, and it stays as it is.
        if (strcmp(*folder, "/usr") == 0 && stack_folder(start, *folder) == 0) continue;
        int outcome = step(bind_system(*folder), *folder, error, capacity);
        if (outcome < 0) return outcome;
    }
    int outcome = step(put_settings(start), "/etc", error, capacity);
    if (outcome == 0) outcome = step(make_writable("/newroot"), "/var", error, capacity);
    mkdir("/newroot/dev", 0755);
    mkdir("/newroot/proc", 0555);
    return outcome;
}
