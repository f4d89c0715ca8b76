// The loop of sandboxd: one packet in, one call, one packet out; programs come into being beside it (births.c). See wire.h.
#define _GNU_SOURCE 1
#include "cgroups.h"
#include "limits.h"

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

static void packet_send(const struct packet *packet, const int *descriptors, size_t count) {
    struct iovec part = {(void *)packet->bytes, packet->length};
    char control[CMSG_SPACE(sizeof(int) * vs_descriptors_max)];
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
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
    while (sendmsg(sandboxd.control, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
}

static void answer_with(uint32_t id, int outcome, const char *sentence, int32_t number, const int *descriptors, size_t count) {
    struct packet packet;
    int32_t error = outcome < 0 ? -outcome : 0;
    packet_begin(&packet, VS_REPLY, id);
    packet_add(&packet, &error, sizeof error);
    packet_add(&packet, sentence, (uint32_t)strlen(sentence));
    packet_add(&packet, &number, sizeof number);
    packet_send(&packet, descriptors, count);
}

void answer(uint32_t id, int outcome, const char *sentence, int32_t number, int descriptor) {
    answer_with(id, outcome, sentence, number, &descriptor, descriptor >= 0);
}

static void report_started(int outcome, const char *sentence) {
    struct packet packet;
    int32_t error = outcome < 0 ? -outcome : 0;
    packet_begin(&packet, VS_STARTED, 0);
    packet_add(&packet, &error, sizeof error);
    packet_add(&packet, sentence, (uint32_t)strlen(sentence));
    packet_send(&packet, NULL, 0);
}

void tell_exit(const struct program *program, int32_t status) {
    struct packet packet;
    packet_begin(&packet, VS_EXITED, 0);
    packet_add(&packet, program->name, (uint32_t)strlen(program->name));
    packet_add(&packet, &status, sizeof status);
    int32_t is_out_of_memory = program->is_out_of_memory;
    packet_add(&packet, &is_out_of_memory, sizeof is_out_of_memory);
    packet_send(&packet, NULL, 0);
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

int64_t now_milliseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void finish_connecting(struct connecting **link, int error) {
    struct connecting *done = *link;
    *link = done->next;
    answer(done->id, -error, error ? strerror(error) : "", 0, error ? -1 : done->socket);
    close(done->socket);
    free(done);
}

// Requests

static void end_execution(uint32_t id, struct reader *reader) {
    static unsigned count;
    struct program *program = find_program(read_text(reader));
    bool kills = read_number(reader) != 0;
    if (reader->failed || !program || !program->container[0]) return answer(id, 0, "", 0, -1);
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
    answer(id, 0, "", 0, -1);
}

/// What has become of a connection that was being made: 0 or an errno.
static int outcome_of(int socket) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

static void begin_connecting(uint32_t id, struct reader *reader) {
    char error[256] = "";
    const char *uid = read_text(reader);
    const char *address = read_text(reader);
    int port = (int)read_number(reader);
    int64_t timeout = read_number(reader);
    const char *source = read_text(reader);
    if (reader->failed) return answer(id, -EINVAL, "the request is malformed", 0, -1);
    struct pod *pod = uid[0] ? find_pod(uid) : NULL;
    if (uid[0] && !pod) return answer(id, -ENOENT, "there is no such pod", 0, -1);
    int socket = socket_connect(pod, address, port, source[0] ? source : "169.254.1.1", error, sizeof error);
    if (socket < 0) return answer(id, socket, error, 0, -1);
    struct connecting *entry = calloc(1, sizeof *entry);
    if (!entry) {
        close(socket);
        return answer(id, -ENOMEM, "out of memory", 0, -1);
    }
    *entry = (struct connecting){.next = connecting, .id = id, .socket = socket, .deadline = now_milliseconds() + timeout};
    connecting = entry;
    // On one machine, most connections are there as soon as they are asked for.
    struct pollfd ready = {socket, POLLOUT, 0};
    if (poll(&ready, 1, 0) > 0) finish_connecting(&connecting, outcome_of(socket));
}

/// A folder that never reaches a disk, mounted where only this process and the pods find it; the descriptor stays ours.
static int memory_folder(const char *path, char *error, size_t capacity) {
    static int folder = -1;
    if (folder >= 0) return folder;
    if (mount("memory", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) return complain(error, capacity, "no tmpfs");
    folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return folder < 0 ? complain(error, capacity, path) : folder;
}

static void make_sockets(uint32_t id, struct reader *reader) {
    char error[256] = "";
    int sockets[vs_descriptors_max];
    size_t wanted = read_number(reader), count = 0;
    if (reader->failed || wanted > vs_descriptors_max) return answer(id, -EINVAL, "the request is malformed", 0, -1);
    while (count < wanted && (sockets[count] = socket_make(NULL, "169.254.1.1", error, sizeof error)) >= 0) count++;
    answer_with(id, count < wanted ? sockets[count] : 0, error, 0, sockets, count < wanted ? 0 : count);
    while (count > 0) close(sockets[--count]);
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
        struct amounts amounts = read_amounts(&reader);
        if (!reader.failed) outcome = pod_create(uid, host, address, settings, amounts, error, sizeof error);
        free(settings);
        return answer(id, outcome, error, 0, -1);
    }
    case VS_POD_REMOVE: {
        struct pod *pod = find_pod(read_text(&reader));
        if (pod) pod_remove(pod);
        reap();
        return answer(id, 0, "", 0, -1);
    }
    case VS_CONTAINER_START: return birth_of_container(id, reader, descriptors);
    case VS_CONTAINER_SIGNAL: {
        struct program *program = find_program(read_text(&reader));
        int number = (int)read_number(&reader);
        if (program && !reader.failed) kill(program->process, number);
        return answer(id, 0, "", 0, -1);
    }
    case VS_EXECUTE: return birth_of_execution(id, reader, descriptors);
    case VS_END: return end_execution(id, &reader);
    case VS_LISTEN: {
        int protocol = (int)read_number(&reader);
        const char *address = read_text(&reader);
        int port = (int)read_number(&reader);
        if (!reader.failed) outcome = socket_listen(protocol, address, port, error, sizeof error);
        answer(id, outcome < 0 ? outcome : 0, error, 0, outcome);
        if (outcome >= 0) close(outcome);
        return;
    }
    case VS_CONNECT: return begin_connecting(id, &reader);
    case VS_MEMORY_FOLDER: {
        const char *path = read_text(&reader);
        if (!reader.failed) outcome = memory_folder(path, error, sizeof error);
        return answer(id, outcome < 0 ? outcome : 0, error, 0, outcome);
    }
    case VS_EGRESS: {
        size_t count;
        const uint8_t *table = read_bytes(&reader, &count);
        if (reader.failed) return answer(id, -EINVAL, "the request is malformed", 0, -1);
        outcome = vs_nft_divert(table, count, error, sizeof error);
        // Where there can be none, connections have their way nevertheless.
        int way = outcome < 0 ? -1 : egress_open(error, sizeof error);
        answer(id, outcome, error, 0, way);
        if (way >= 0) close(way);
        return;
    }
    case VS_RULES:
    case VS_POLICY: {
        size_t count;
        const uint8_t *rules = read_bytes(&reader, &count);
        if (reader.failed) return answer(id, -EINVAL, "the request is malformed", 0, -1);
        outcome = (type == VS_RULES ? vs_nft_apply : vs_nft_apply_policy)(rules, count, error, sizeof error);
        return answer(id, outcome, error, 0, -1);
    }
    case VS_SOCKETS: return make_sockets(id, &reader);
    case VS_RULES_SUM: {
        snprintf(error, sizeof error, "%016llx", (unsigned long long)vs_nft_sum());
        return answer(id, 0, error, 0, -1);
    }
    default: return answer(id, -ENOSYS, "there is no such request", 0, -1);
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
        // Requests wait while enough is on its way.
        int control = births_count() < births_max ? sandboxd.control : -1;
        struct pollfd watched[3 + births_max + 256] = {{control, POLLIN, 0}, {signals, POLLIN, 0}, {cgroups_watch(), POLLIN, 0}};
        births_watch(watched + 3);
        int count = 3 + births_count(), first = count;
        int64_t now = now_milliseconds(), timeout = limits_look(now);
        for (struct connecting *entry = connecting; entry && count < first + 256; entry = entry->next) {
            watched[count++] = (struct pollfd){entry->socket, POLLOUT, 0};
            int64_t left = entry->deadline > now ? entry->deadline - now : 0;
            if (timeout < 0 || left < timeout) timeout = left;
        }
        int64_t standby = standby_wait();
        bool stands_by = standby >= 0 && (timeout < 0 || standby < timeout);
        int ready = poll(watched, (nfds_t)count, (int)(stands_by ? standby : timeout));
        if (ready < 0 && errno != EINTR) return;
        if (ready == 0 && stands_by) standby_make();
        if (watched[1].revents) {
            struct signalfd_siginfo information;
            while (read(signals, &information, sizeof information) > 0) {}
            reap();
        }
        if (watched[2].revents) cgroups_settle();
        births_look();
        now = now_milliseconds();
        int index = first;
        for (struct connecting **link = &connecting; *link;) {
            short events = index < count && watched[index].fd == (*link)->socket ? watched[index].revents : 0;
            index++;
            if (events) {
                finish_connecting(link, outcome_of((*link)->socket));
            } else if ((*link)->deadline <= now) {
                finish_connecting(link, ETIMEDOUT);
            } else {
                link = &(*link)->next;
            }
        }
        if (watched[0].revents && !receive(buffer)) return;
    }
}

/// Several for each pod and each container: the usual 1,024 would be few.
static void take_descriptors(void) {
    if (getrlimit(RLIMIT_NOFILE, &sandboxd.descriptors) != 0) return;
    struct rlimit all = {sandboxd.descriptors.rlim_max, sandboxd.descriptors.rlim_max};
    setrlimit(RLIMIT_NOFILE, &all);
}

int vs_serve_sandboxes(bool has_users) {
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
    take_descriptors();
    cgroups_begin();
    int outcome = network_prepare(has_users, error, sizeof error);
    report_started(outcome, error);
    if (outcome < 0) return 1;
    loop(signals);
    // The other side is gone: the pods' first processes follow this one, and everything in the pods follows them.
    while (sandboxd.pods) pod_remove(sandboxd.pods);
    standby_end();
    cgroups_end();
    return 0;
}
