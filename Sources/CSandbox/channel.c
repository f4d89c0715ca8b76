// The Swift side's end of the socket to sandboxd: the calls that Swift cannot make itself.
#define _GNU_SOURCE 1
#include "include/channel.h"
#include "include/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/// `sandboxd` stands beside this program.
static int find_sandboxd(char *path, size_t capacity) {
    ssize_t length = readlink("/proc/self/exe", path, capacity);
    if (length < 0) return -errno;
    while (length > 0 && path[length - 1] != '/') length--;
    if (length + sizeof "sandboxd" > capacity) return -ENAMETOOLONG;
    memcpy(path + length, "sandboxd", sizeof "sandboxd");
    return 0;
}

pid_t vs_channel_start(const char *role, int *channel) {
    int ends[2];
    char path[4096];
    int known = find_sandboxd(path, sizeof path);
    if (known < 0) return known;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -errno;
    // A descriptor that happened to be 3 already would keep its close-on-exec flag through dup2.
    if (ends[1] == 3) {
        int moved = fcntl(ends[1], F_DUPFD_CLOEXEC, 4);
        close(ends[1]);
        ends[1] = moved;
    }
    int size = 1024 * 1024;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char *arguments[] = {"sandboxd", (char *)role, NULL};
    pid_t process;
    int failure = posix_spawn(&process, path, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(ends[1]);
    if (failure != 0) {
        close(ends[0]);
        return -failure;
    }
    *channel = ends[0];
    return process;
}

int vs_channel_remove(const char *folder) {
    char path[4096];
    int status, known = find_sandboxd(path, sizeof path);
    if (known < 0) return known;
    char *arguments[] = {"sandboxd", "remove", (char *)folder, NULL};
    pid_t process;
    int failure = posix_spawn(&process, path, NULL, NULL, arguments, environ);
    if (failure != 0) return -failure;
    while (waitpid(process, &status, 0) < 0) {
        if (errno != EINTR) return -errno;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EACCES;
}

int vs_channel_send(int channel, const void *bytes, size_t length, const int *descriptors, size_t count) {
    struct iovec part = {(void *)bytes, length};
    char control[CMSG_SPACE(sizeof(int) * 3)];
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 3) return -EINVAL;
    if (count > 0) {
        memset(control, 0, sizeof control);
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
    }
    while (sendmsg(channel, &message, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) return -errno;
    }
    return 0;
}

ssize_t vs_channel_receive(int channel, void *buffer, size_t capacity, int *descriptors, size_t *count) {
    char control[CMSG_SPACE(sizeof(int) * vs_descriptors_max)];
    struct iovec part = {buffer, capacity};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    *count = 0;
    ssize_t length;
    while ((length = recvmsg(channel, &message, MSG_CMSG_CLOEXEC)) < 0) {
        if (errno != EINTR) return -errno;
    }
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        *count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(descriptors, CMSG_DATA(header), *count * sizeof(int));
    }
    return length;
}
