// The loop of sandboxd: one packet in, one call, one packet out. See wire.h.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct sandboxd sandboxd = {.control = 3};

int complain(char *error, size_t capacity, const char *what) {
    int number = errno;
    snprintf(error, capacity, "%s: %s", what, strerror(number));
    return number ? -number : -EIO;
}

// Packets

struct packet {
    uint8_t bytes[4096];
    size_t length;
};

static void packet_begin(struct packet *packet, uint32_t type, uint32_t id) {
    memcpy(packet->bytes, &type, 4);
    memcpy(packet->bytes + 4, &id, 4);
    packet->length = 8;
}

static void packet_add(struct packet *packet, const void *bytes, uint32_t count) {
    if (packet->length + 4 + count > sizeof packet->bytes) return;
    memcpy(packet->bytes + packet->length, &count, 4);
    memcpy(packet->bytes + packet->length + 4, bytes, count);
    packet->length += 4 + count;
}

static void packet_send(const struct packet *packet, int descriptor) {
    struct iovec part = {(void *)packet->bytes, packet->length};
    char control[CMSG_SPACE(sizeof(int))];
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        memset(control, 0, sizeof control);
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    }
    while (sendmsg(sandboxd.control, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
}

static void reply(uint32_t id, int outcome, const char *sentence, int32_t number, int descriptor) {
    struct packet packet;
    int32_t error = outcome < 0 ? -outcome : 0;
    packet_begin(&packet, VS_REPLY, id);
    packet_add(&packet, &error, sizeof error);
    packet_add(&packet, sentence, (uint32_t)strlen(sentence));
    packet_add(&packet, &number, sizeof number);
    packet_send(&packet, descriptor);
}

static void report_started(int outcome, const char *sentence) {
    struct packet packet;
    int32_t error = outcome < 0 ? -outcome : 0;
    packet_begin(&packet, VS_STARTED, 0);
    packet_add(&packet, &error, sizeof error);
    packet_add(&packet, sentence, (uint32_t)strlen(sentence));
    packet_send(&packet, -1);
}

void tell_exit(const struct program *program, int32_t status) {
    struct packet packet;
    packet_begin(&packet, VS_EXITED, 0);
    packet_add(&packet, program->name, (uint32_t)strlen(program->name));
    packet_add(&packet, &status, sizeof status);
    int32_t is_out_of_memory = program->is_out_of_memory;
    packet_add(&packet, &is_out_of_memory, sizeof is_out_of_memory);
    packet_send(&packet, -1);
}

// What runs

struct pod *find_pod(const char *uid) {
    struct pod *pod = sandboxd.pods;
    while (pod && strcmp(pod->uid, uid) != 0) pod = pod->next;
    return pod;
}

static void reap(void) {
    int status;
    pid_t process;
    while ((process = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        pod_note_end(process);
        report_exit(process, status);
    }
}

// Connections that are being made

struct connecting {
    struct connecting *next;
    uint32_t id;
    int socket;
    int64_t deadline;
};
static struct connecting *connecting;

static int64_t now_milliseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void finish_connecting(struct connecting **link, int error) {
    struct connecting *done = *link;
    *link = done->next;
    reply(done->id, -error, error ? strerror(error) : "", 0, error ? -1 : done->socket);
    close(done->socket);
    free(done);
}

// Requests

/// The part of a request that containers and executions have in common.
static struct start read_start(struct reader *reader, const int *descriptors) {
    struct start start = {.name = read_text(reader)};
    start.directory = read_text(reader);
    start.user = (int)read_number(reader);
    start.streams = (struct streams){descriptors[0], descriptors[1], descriptors[2], read_number(reader) != 0};
    if (!start.streams.is_terminal && descriptors[2] < 0) reader->failed = true;
    start.arguments = read_list(reader);
    start.environment = read_list(reader);
    if (!start.arguments || !start.arguments[0] || !start.environment) reader->failed = true;
    start.group = (int)read_number(reader);
    start.group_count = read_number(reader);
    if (start.group_count > 65536) reader->failed = true;
    start.groups = calloc(reader->failed ? 1 : start.group_count + 1, sizeof *start.groups);
    for (size_t index = 0; index < start.group_count && !reader->failed && start.groups; index++) {
        start.groups[index] = read_number(reader);
    }
    start.capabilities = read_number(reader);
    start.capabilities |= (uint64_t)read_number(reader) << 32;
    uint32_t flags = read_number(reader);
    start.has_no_new_privileges = flags & VS_NO_NEW_PRIVILEGES;
    start.is_unfiltered = flags & VS_UNFILTERED;
    start.has_read_only_root = flags & VS_READ_ONLY_ROOT;
    start.has_plain_proc = flags & VS_PLAIN_PROC;
    start.shares_processes = flags & VS_SHARED_PROCESSES;
    if (!start.groups) reader->failed = true;
    return start;
}

static void free_start(struct start *start) {
    free(start->arguments);
    free(start->environment);
    free(start->groups);
}

static void answer_start(uint32_t id, const struct start *start, const char *pod, const char *container, pid_t process,
    const struct born *born, const char *error) {
    struct program *program = process > 0 ? add_program(start->name, pod, container, process, born->files) : NULL;
    if (program && container[0]) limits_note(container);
    if (program && !container[0]) {
        program->is_first = !start->shares_processes && !start->neighbour;
        limits_add(program, start, now_milliseconds());
    }
    reply(id, process > 0 ? 0 : process, error, process, process > 0 ? born->terminal : -1);
    if (process > 0 && born->terminal >= 0) close(born->terminal);
}

static void start_container(uint32_t id, struct reader *reader, const int *descriptors) {
    char error[256] = "";
    const char *uid = read_text(reader);
    struct start start = read_start(reader, descriptors);
    start.pod = find_pod(uid);
    start.mount_count = read_number(reader);
    if (start.mount_count > 512) reader->failed = true;
    start.mounts = calloc(reader->failed ? 1 : start.mount_count + 1, sizeof *start.mounts);
    for (size_t index = 0; index < start.mount_count && !reader->failed && start.mounts; index++) {
        start.mounts[index].source = read_text(reader);
        start.mounts[index].inside = read_text(reader);
        start.mounts[index].target = read_text(reader);
        start.mounts[index].is_read_only = read_number(reader) != 0;
        start.mounts[index].is_memory = read_number(reader) != 0;
        start.mounts[index].kibibytes = read_number(reader);
    }
    start.file_count = read_number(reader);
    if (start.file_count > 64) reader->failed = true;
    start.files = calloc(reader->failed ? 1 : start.file_count + 1, sizeof *start.files);
    for (size_t index = 0; index < start.file_count && !reader->failed && start.files; index++) {
        start.files[index].path = read_text(reader);
        start.files[index].content = read_bytes(reader, &start.files[index].length);
    }
    start.owned = read_list(reader);
    start.is_layered = read_number(reader) != 0;
    start.has_system = read_number(reader) != 0;
    start.changes = read_text(reader);
    start.layers = read_list(reader);
    const char *neighbour = read_text(reader);
    start.memory = read_number(reader);
    start.memory |= (uint64_t)read_number(reader) << 32;
    start.millicores = read_number(reader);
    start.neighbour = neighbour[0] ? find_program(neighbour) : NULL;
    if (reader->failed || !start.mounts || !start.files || !start.owned || !start.layers) {
        reply(id, -EINVAL, "the request is malformed", 0, -1);
    } else if (!start.pod) {
        reply(id, -ENOENT, "there is no such pod", 0, -1);
    } else if (!start.pod->init) {
        reply(id, -ESTALE, "the pod's first process was killed", 0, -1);
    } else if (neighbour[0] && (!start.neighbour || start.neighbour->has_ended)) {
        reply(id, -ESRCH, "the container whose processes are to be shared does not run", 0, -1);
    } else {
        struct born born;
        pid_t process = memory_prepare(&start, error, sizeof error);
        if (process == 0) process = container_start(&start, &born, error, sizeof error);
        answer_start(id, &start, uid, "", process, &born, error);
    }
    free_start(&start);
    free(start.mounts);
    free(start.files);
    free(start.owned);
    free(start.layers);
}

static void execute(uint32_t id, struct reader *reader, const int *descriptors) {
    char error[256] = "";
    struct program *container = find_program(read_text(reader));
    struct start start = read_start(reader, descriptors);
    if (reader->failed) {
        reply(id, -EINVAL, "the request is malformed", 0, -1);
    } else if (!container || container->has_ended) {
        reply(id, -ESRCH, "the container does not run", 0, -1);
    } else {
        struct born born;
        pid_t process = container_execute(container, &start, &born, error, sizeof error);
        answer_start(id, &start, container->pod, container->name, process, &born, error);
    }
    free_start(&start);
}

static void end_execution(uint32_t id, struct reader *reader) {
    static unsigned count;
    struct program *program = find_program(read_text(reader));
    bool kills = read_number(reader) != 0;
    if (reader->failed || !program || !program->container[0]) return reply(id, 0, "", 0, -1);
    program->is_released = true;
    if (kills) {
        int status;
        if (!program->has_ended) kill(program->process, SIGKILL);
        end_leftovers(program->files);
        if (program->has_ended) {
            forget_program(program);
        } else if (waitpid(program->process, &status, __WALL) == program->process) {
            report_exit(program->process, status);
        }
    } else if (++count % 32 == 0) {
        // It may have left something running. Looking is dear, so one look serves many.
        forget_executions();
    }
    reply(id, 0, "", 0, -1);
}

static void begin_connecting(uint32_t id, struct reader *reader) {
    char error[256] = "";
    const char *uid = read_text(reader);
    const char *address = read_text(reader);
    int port = (int)read_number(reader);
    int64_t timeout = read_number(reader);
    const char *source = read_text(reader);
    if (reader->failed) return reply(id, -EINVAL, "the request is malformed", 0, -1);
    struct pod *pod = uid[0] ? find_pod(uid) : NULL;
    if (uid[0] && !pod) return reply(id, -ENOENT, "there is no such pod", 0, -1);
    int socket = socket_connect(pod, address, port, source[0] ? source : "169.254.1.1", error, sizeof error);
    if (socket < 0) return reply(id, socket, error, 0, -1);
    struct connecting *entry = calloc(1, sizeof *entry);
    if (!entry) {
        close(socket);
        return reply(id, -ENOMEM, "out of memory", 0, -1);
    }
    *entry = (struct connecting){.next = connecting, .id = id, .socket = socket, .deadline = now_milliseconds() + timeout};
    connecting = entry;
}

static void handle(const uint8_t *bytes, size_t length, int *descriptors) {
    struct reader reader = {bytes, length, false};
    uint32_t type = 0, id = 0;
    char error[512] = "";
    int outcome = -EINVAL;
    if (!read_raw(&reader, &type, 4) || !read_raw(&reader, &id, 4)) return;
    switch (type) {
    case VS_POD_CREATE: {
        const char *uid = read_text(&reader), *host = read_text(&reader), *address = read_text(&reader);
        char **settings = read_list(&reader);
        if (!reader.failed) outcome = pod_create(uid, host, address, settings, error, sizeof error);
        free(settings);
        return reply(id, outcome, error, 0, -1);
    }
    case VS_POD_REMOVE: {
        struct pod *pod = find_pod(read_text(&reader));
        if (pod) pod_remove(pod);
        reap();
        return reply(id, 0, "", 0, -1);
    }
    case VS_CONTAINER_START: return start_container(id, &reader, descriptors);
    case VS_CONTAINER_SIGNAL: {
        struct program *program = find_program(read_text(&reader));
        int number = (int)read_number(&reader);
        if (program && !reader.failed) kill(program->process, number);
        return reply(id, 0, "", 0, -1);
    }
    case VS_EXECUTE: return execute(id, &reader, descriptors);
    case VS_END: return end_execution(id, &reader);
    case VS_LISTEN: {
        int protocol = (int)read_number(&reader);
        const char *address = read_text(&reader);
        int port = (int)read_number(&reader);
        if (!reader.failed) outcome = socket_listen(protocol, address, port, error, sizeof error);
        reply(id, outcome < 0 ? outcome : 0, error, 0, outcome);
        if (outcome >= 0) close(outcome);
        return;
    }
    case VS_CONNECT: return begin_connecting(id, &reader);
    case VS_RULES:
    case VS_POLICY:
    case VS_EGRESS: {
        size_t count;
        const uint8_t *rules = read_bytes(&reader, &count);
        if (reader.failed) return reply(id, -EINVAL, "the request is malformed", 0, -1);
        outcome = (type == VS_RULES ? vs_nft_apply : type == VS_POLICY ? vs_nft_apply_policy : vs_nft_divert)(
            rules, count, error, sizeof error);
        return reply(id, outcome, error, 0, -1);
    }
    default: return reply(id, -ENOSYS, "there is no such request", 0, -1);
    }
}

/// False when the other side is gone.
static bool receive(uint8_t *buffer) {
    char control[CMSG_SPACE(sizeof(int) * 3)];
    struct iovec part = {buffer, vs_packet_bytes_max};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(sandboxd.control, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    if (length == 0) return false;
    int descriptors[3] = {-1, -1, -1};
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(descriptors, CMSG_DATA(header), (count > 3 ? 3 : count) * sizeof(int));
    }
    handle(buffer, (size_t)length, descriptors);
    for (int index = 0; index < 3; index++) {
        if (descriptors[index] >= 0) close(descriptors[index]);
    }
    return true;
}

static void loop(int signals) {
    static uint8_t buffer[vs_packet_bytes_max];
    for (;;) {
        struct pollfd watched[2 + 256] = {{sandboxd.control, POLLIN, 0}, {signals, POLLIN, 0}};
        int count = 2;
        int64_t now = now_milliseconds(), timeout = limits_look(now);
        for (struct connecting *entry = connecting; entry && count < 258; entry = entry->next) {
            watched[count++] = (struct pollfd){entry->socket, POLLOUT, 0};
            int64_t left = entry->deadline > now ? entry->deadline - now : 0;
            if (timeout < 0 || left < timeout) timeout = left;
        }
        if (poll(watched, (nfds_t)count, (int)timeout) < 0 && errno != EINTR) return;
        if (watched[1].revents) {
            struct signalfd_siginfo information;
            while (read(signals, &information, sizeof information) > 0) {}
            reap();
        }
        now = now_milliseconds();
        int index = 2;
        for (struct connecting **link = &connecting; *link;) {
            short events = index < count && watched[index].fd == (*link)->socket ? watched[index].revents : 0;
            index++;
            if (events) {
                int error = 0;
                socklen_t size = sizeof error;
                getsockopt((*link)->socket, SOL_SOCKET, SO_ERROR, &error, &size);
                finish_connecting(link, error);
            } else if ((*link)->deadline <= now) {
                finish_connecting(link, ETIMEDOUT);
            } else {
                link = &(*link)->next;
            }
        }
        if (watched[0].revents && !receive(buffer)) return;
    }
}

static int run(void) {
    char error[256] = "";
    prctl(PR_SET_NAME, "sandboxd");
    // Whatever the program that started this one had open besides the channel is none of its business.
    close_range(4, ~0U, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    int signals = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    sandboxd.is_root = geteuid() == 0;
    int outcome = pods_prepare_network(error, sizeof error);
    report_started(outcome, error);
    if (outcome < 0) return 1;
    loop(signals);
    // The other side is gone: the pods' first processes follow this one, and everything in the pods follows them.
    while (sandboxd.pods) pod_remove(sandboxd.pods);
    return 0;
}

/// Runs before Swift starts, while the process has one thread: only then can it enter a user namespace.
__attribute__((constructor)) static void start_as_sandboxd(int count, char **arguments, char **environment) {
    (void)environment;
    if (count >= 2 && strcmp(arguments[1], "__sandboxd") == 0) _exit(run());
}
