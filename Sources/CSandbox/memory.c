// Volumes in memory: mounted here, over their folders on the host, before a container that has them starts. Only sandboxd and what
// it starts is in this mount namespace; the host sees the empty folders.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

struct memory {
    struct memory *next;
    char pod[64];
    char *path;
};
static struct memory *memories;

static bool is_known(const char *path) {
    for (struct memory *memory = memories; memory; memory = memory->next) {
        if (strcmp(memory->path, path) == 0) return true;
    }
    return false;
}

int memory_prepare(const struct start *start, char *error, size_t capacity) {
    for (size_t index = 0; index < start->mount_count; index++) {
        const struct mount *volume = &start->mounts[index];
        if (!volume->is_memory || is_known(volume->source)) continue;
        char options[96];
        struct stat folder;
        // As the folder is that it lies over: whoever may write there may write here.
        bool is_there = stat(volume->source, &folder) == 0;
        int length = snprintf(options, sizeof options, "mode=%o", is_there ? folder.st_mode & 07777 : 0777);
        if (is_there && sandboxd.is_root) length += snprintf(options + length, sizeof options - (size_t)length, ",gid=%u", folder.st_gid);
        if (volume->kibibytes) snprintf(options + length, sizeof options - (size_t)length, ",size=%uk", volume->kibibytes);
        struct memory *memory = calloc(1, sizeof *memory);
        char *path = strdup(volume->source);
        if (!memory || !path || mount("tmpfs", volume->source, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0) {
            int outcome = complain(error, capacity, "a volume in memory cannot be mounted");
            free(memory);
            free(path);
            return outcome;
        }
        *memory = (struct memory){.next = memories, .path = path};
        snprintf(memory->pod, sizeof memory->pod, "%s", start->pod->uid);
        memories = memory;
    }
    return 0;
}

void memory_remove(const char *pod) {
    for (struct memory **link = &memories; *link;) {
        struct memory *memory = *link;
        if (strcmp(memory->pod, pod) != 0) {
            link = &memory->next;
            continue;
        }
        *link = memory->next;
        umount2(memory->path, MNT_DETACH);
        free(memory->path);
        free(memory);
    }
}
