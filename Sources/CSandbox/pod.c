// Pods: the namespaces that a first process keeps, from its start to the end of all that is in them.
#define _GNU_SOURCE 1
#include "cgroups.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// Sets one `net.ipv4.x=1` in the namespaces that this process is in; returns 0 or an errno.
static int set_kernel(const char *setting) {
    char path[160];
    const char *value = strchr(setting, '=');
    if (!value || snprintf(path, sizeof path, "/proc/sys/%.*s", (int)(value - setting), setting) >= (int)sizeof path) return EINVAL;
    for (char *point = strchr(path, '.'); point; point = strchr(point, '.')) *point = '/';
    return -write_file(path, value + 1);
}

/// What a pod's first process is told when it is known whose it is: texts that end in zero, the host name first, then settings.
struct wishes {
    char bytes[8192];
    size_t length;
};

static bool wish(struct wishes *wishes, const char *text) {
    size_t count = strlen(text) + 1;
    if (count > sizeof wishes->bytes - wishes->length) return false;
    memcpy(wishes->bytes + wishes->length, text, count);
    wishes->length += count;
    return true;
}

/// Calls this process by the name that others know it by, in what `ps` shows.
static void rename_command(const char *name) {
    char words[256];
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, words, sizeof words);
    if (file >= 0) close(file);
    if (length <= (ssize_t)strlen(name)) return;
    memset(program_invocation_name, 0, (size_t)length);
    memcpy(program_invocation_name, name, strlen(name));
}

/// The first process of a pod: keeps its namespaces and reaps what is orphaned in it.
static void keep_pod(int told) {
    struct wishes wishes;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "pause");
    // Where the pod's processes are shared, containers see this one.
    rename_command("/pause");
    setsid();
    close_range(0, (unsigned)told - 1, 0);
    close_range((unsigned)told + 1, ~0U, 0);
    // Ports are everybody's, unless the pod says otherwise.
    int failure = -write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
    ssize_t length = recv(told, wishes.bytes, sizeof wishes.bytes, 0);
    if (length <= 0) _exit(1);
    const char *text = wishes.bytes, *end = text + length;
    sethostname(text, strlen(text));
    while (failure == 0 && (text += strlen(text) + 1) < end) failure = set_kernel(text);
    if (send(told, &failure, sizeof failure, MSG_NOSIGNAL) != sizeof failure || failure) _exit(1);
    close(told);
    sigset_t mask;
    sigfillset(&mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    signal(SIGCHLD, SIG_DFL);
    for (;;) {
        int number;
        if (sigwait(&mask, &number) != 0) continue;
        if (number == SIGTERM) _exit(0);
        while (waitpid(-1, NULL, WNOHANG) > 0) {}
    }
}

struct pod *pod_begin(bool has_network, char *error, size_t capacity) {
    int ends[2];
    char path[64];
    struct pod *pod = calloc(1, sizeof *pod);
    if (!pod || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        complain(error, capacity, "a pod cannot be made");
        free(pod);
        return NULL;
    }
    long flags = CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD | (has_network ? CLONE_NEWNET : 0);
    pid_t init = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (init == 0) keep_pod(ends[1]);
    int outcome = init < 0 ? complain(error, capacity, "the pod's namespaces are refused") : 0;
    close(ends[1]);
    *pod = (struct pod){.init = init, .init_handle = -1, .told = ends[0], .network = -1, .cgroup = -1};
    if (outcome == 0) {
        snprintf(path, sizeof path, "/proc/%d/ns/net", init);
        pod->init_handle = (int)syscall(SYS_pidfd_open, init, 0);
        pod->network = open(path, O_RDONLY | O_CLOEXEC);
        outcome = pod->network < 0 || pod->init_handle < 0 ? -errno : has_network ? network_link(pod) : 0;
        errno = -outcome;
        if (outcome < 0) complain(error, capacity, "the pod's network cannot be set up");
    }
    if (outcome == 0) return pod;
    pod_end(pod);
    errno = -outcome;
    return NULL;
}

/// Tells a pod whose it is, and what that one wants; ends it if it cannot have that. Returns 0 or -errno.
static int settle_pod(struct pod *pod, const char *uid, uint32_t address, const struct wishes *wishes, char *error, size_t capacity) {
    int failure = EAGAIN;
    snprintf(pod->uid, sizeof pod->uid, "%s", uid);
    pod->address = address;
    bool is_told = send(pod->told, wishes->bytes, wishes->length, MSG_NOSIGNAL) == (ssize_t)wishes->length;
    // Beside it, while it does so.
    int outcome = pod->interface[0] ? network_address(pod) : 0;
    bool has_answered = is_told && recv(pod->told, &failure, sizeof failure, 0) == sizeof failure;
    close(pod->told);
    pod->told = -1;
    errno = outcome < 0 ? -outcome : failure;
    if (errno == 0) return 0;
    outcome = complain(
        error, capacity,
        outcome < 0 ? "the pod's network cannot be set up"
            : has_answered ? "a setting of the kernel is refused"
                           : "the pod's first process was killed");
    pod_end(pod);
    return outcome;
}

bool pod_is_alive(const struct pod *pod) {
    char name[16];
    snprintf(name, sizeof name, "%d", pod->init);
    return pod->init && files_of(name);
}

int pod_create(
    const char *uid, const char *host_name, const char *address, char **settings, struct amounts amounts, char *error,
    size_t capacity) {
    struct in_addr parsed = {0};
    struct wishes wishes = {.length = 0};
    bool has_network = address[0];
    if ((has_network && inet_pton(AF_INET, address, &parsed) != 1) || strlen(uid) >= sizeof ((struct pod *)0)->uid) {
        snprintf(error, capacity, "'%s' is not an address", address);
        return -EINVAL;
    }
    bool fits = wish(&wishes, host_name);
    for (; *settings && fits; settings++) fits = wish(&wishes, *settings);
    if (!fits) {
        snprintf(error, capacity, "there are too many settings of the kernel");
        return -E2BIG;
    }
    struct pod *present = find_pod(uid);
    if (present && pod_is_alive(present)) return 0;
    if (present) pod_remove(present);
    cgroups_settle();
    struct pod *pod = has_network ? standby_take() : NULL;
    // One that stood by may have been killed meanwhile.
    if (pod && settle_pod(pod, uid, parsed.s_addr, &wishes, error, capacity) < 0) pod = NULL;
    if (!pod) {
        pod = pod_begin(has_network, error, capacity);
        int outcome = pod ? settle_pod(pod, uid, parsed.s_addr, &wishes, error, capacity) : -errno;
        if (outcome < 0) return outcome;
    }
    pod->amounts = amounts;
    pod->next = sandboxd.pods;
    sandboxd.pods = pod;
    return 0;
}

void pod_note_end(pid_t process) {
    for (struct pod *pod = sandboxd.pods; pod; pod = pod->next) {
        if (pod->init == process) pod->init = 0;
    }
}

/// All that was in the pod is gone, too.
static bool has_ended(const struct pod *pod) {
    struct pollfd first = {pod->init_handle, POLLIN, 0};
    return poll(&first, 1, 0) > 0;
}

void pod_end(struct pod *pod) {
    // By its number it could be another process by now.
    if (pod->init_handle >= 0) syscall(SYS_pidfd_send_signal, pod->init_handle, SIGKILL, NULL, 0);
    // Its end is the end of every process in the pod. It comes only when those are reaped, and containers are children of this
    // process: waiting for the first process alone would be waiting for ever.
    int status;
    pid_t process;
    while (pod->init_handle >= 0 && !has_ended(pod)) {
        process = waitpid(-1, &status, __WALL);
        if (process > 0) {
            pod_note_end(process);
            report_exit(process, status);
        }
        if (process < 0 && errno != EINTR) break;
    }
    memory_remove(pod->uid);
    cgroup_remove_pod(pod);
    network_leave(pod);
    if (pod->told >= 0) close(pod->told);
    if (pod->network >= 0) close(pod->network);
    if (pod->init_handle >= 0) close(pod->init_handle);
    free(pod);
}

void pod_remove(struct pod *pod) {
    for (struct pod **link = &sandboxd.pods; *link; link = &(*link)->next) {
        if (*link == pod) {
            *link = pod->next;
            break;
        }
    }
    pod_end(pod);
}
