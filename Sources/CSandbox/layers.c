// The root of a container that has an image of its own: the layers of the image one above the other (overlayfs), on top what the
// container changes. An image that was built on the host's system has that below its layers.
//
// Layers come from others: no link in one may lead out of it, which is why paths are opened with openat2 here.
#define _GNU_SOURCE 1
#include "include/inside.h"
#include "sandboxd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { layers_max = 127 };

static size_t layer_count(const struct start *start) {
    size_t count = 0;
    while (start->layers && start->layers[count]) count++;
    return count;
}

/// Whether a layer has a folder of its own at `path` (`/usr`), which is no link.
static bool has_folder(size_t layer, const char *path) {
    char root[32];
    snprintf(root, sizeof root, "/layers/%zu", layer);
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return false;
    struct open_how how = {
        .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    int found = (int)syscall(SYS_openat2, folder, path + 1, &how, sizeof how);
    if (found >= 0) close(found);
    close(folder);
    return found >= 0;
}

/// A folder for what is changed below `path`: of the host where the changes are to be kept, otherwise one that goes with the
/// container.
static int make_changes(const struct start *start, const char *path, char *folder, size_t capacity) {
    char name[128], inner[700];
    snprintf(name, sizeof name, "%s", path);
    for (char *slash = name; (slash = strchr(slash, '/')); slash++) *slash = '+';
    snprintf(folder, capacity, "%s%s/%s", start->changes[0] ? "/oldroot" : "/changes", start->changes, name);
    static const char *const parts[] = {"", "/upper", "/work"};
    for (int index = 0; index < 3; index++) {
        snprintf(inner, sizeof inner, "%s%s", folder, parts[index]);
        if (mkdir(inner, 0755) != 0 && errno != EEXIST) return -errno;
    }
    return 0;
}

int stack_layers(const struct start *start, const char *path, const char *lowest) {
    char options[4096], changes[600], upper[620], target[256];
    size_t length = (size_t)snprintf(options, sizeof options, "lowerdir=");
    bool is_root = strcmp(path, "/") == 0;
    for (size_t index = layer_count(start); index-- > 0;) {
        if (!is_root && !has_folder(index, path)) continue;
        length += (size_t)snprintf(options + length, sizeof options - length, "/layers/%zu%s:", index, is_root ? "" : path);
        if (length >= sizeof options) return -E2BIG;
    }
    int outcome = make_changes(start, path, changes, sizeof changes);
    if (outcome < 0) return outcome;
    if (start->has_system && !start->changes[0] && !is_root) {
        snprintf(upper, sizeof upper, "%s/upper", changes);
        adopt_folders(start, path, lowest, upper);
    }
    length += (size_t)snprintf(options + length, sizeof options - length, "%s,upperdir=%s/upper,workdir=%s/work,userxattr",
        lowest, changes, changes);
    if (length >= sizeof options) return -E2BIG;
    snprintf(target, sizeof target, "/newroot%s", is_root ? "" : path);
    return mount("overlay", target, "overlay", MS_NOSUID | MS_NODEV, options) != 0 ? -errno : 0;
}

/// A real folder at the top of the new root, whatever the image has there.
static int make_real_folder(const char *path) {
    struct stat information;
    if (lstat(path, &information) == 0) {
        if (S_ISDIR(information.st_mode)) return 0;
        if (unlink(path) != 0) return -errno;
    }
    return mkdir(path, 0755) != 0 ? -errno : 0;
}

/// The host's system below the layers: its /usr, and of /etc what programs read.
static int stack_system(const struct start *start, char *error, size_t capacity) {
    size_t count = layer_count(start);
    int outcome = stack_layers(start, "/usr", "/oldroot/usr");
    if (outcome < 0) {
        errno = -outcome;
        return complain(error, capacity, "the image's layers cannot be put above this machine's /usr");
    }
    for (const char *const *setting = system_settings; *setting; setting++) {
        char from[128];
        struct stat information;
        snprintf(from, sizeof from, "/oldroot%s", *setting);
        if (stat(from, &information) != 0 || !S_ISDIR(information.st_mode)) continue;
        bool is_stacked = start->changes[0] || is_changed(start, *setting);
        for (size_t index = 0; index < count && !is_stacked; index++) is_stacked = has_folder(index, *setting);
        if (is_stacked) {
            outcome = stack_layers(start, *setting, from);
        } else {
            outcome = bind_inside(from, *setting, true);
        }
        if (outcome < 0 && outcome != -EACCES) {
            errno = -outcome;
            return complain(error, capacity, *setting);
        }
    }
    return 0;
}

int layers_build(const struct start *start, char *error, size_t capacity) {
    int outcome = 0;
    size_t count = layer_count(start);
    if (count > layers_max) {
        errno = E2BIG;
        return complain(error, capacity, "the image has more than 127 layers");
    }
    if (mkdir("/layers", 0755) != 0 || mkdir("/changes", 0755) != 0 || mkdir("/lowest", 0755) != 0) {
        return complain(error, capacity, "no room for layers");
    }
    for (size_t index = 0; index < count; index++) {
        char link[32], target[700];
        snprintf(link, sizeof link, "/layers/%zu", index);
        snprintf(target, sizeof target, "/oldroot%s", start->layers[index]);
        // Short names: the options of a mount have to fit into a page.
        if (symlink(target, link) != 0) return complain(error, capacity, "no room for layers");
        if (access(target, X_OK) != 0) return complain(error, capacity, "a layer of the image is missing");
    }
    if (start->has_system) outcome = make_system_skeleton("/lowest");
    if (outcome == 0) outcome = stack_layers(start, "/", "/lowest");
    if (outcome < 0) {
        errno = -outcome;
        return complain(error, capacity, "the image's layers cannot be put together (overlayfs; for ordinary users Linux 5.11 or newer)");
    }
    if (start->has_system) {
        outcome = stack_system(start, error, capacity);
        if (outcome < 0) return outcome;
    }
    outcome = make_real_folder("/newroot/dev");
    if (outcome == 0) outcome = make_real_folder("/newroot/proc");
    // Linux programs expect it, and images without it are rare.
    if (outcome == 0) outcome = make_real_folder("/newroot/etc");
    if (outcome == 0 && mount("tmpfs", "/newroot/dev", "tmpfs", MS_NOSUID, "mode=0755") != 0) outcome = -errno;
    if (outcome < 0) {
        errno = -outcome;
        return complain(error, capacity, "the image's folders cannot be prepared");
    }
    return 0;
}
