// plaind: level `plain`, where namespaces are denied. It speaks the protocol of sandboxd (wire.h) over the same socket, but its
// pods are groups of ordinary processes, each container under a supervisor of its own (supervisor.c).
//
// Nothing may be left behind, whoever is killed: the end of the control socket ends plaind; the end of plaind closes the lifelines of
// the supervisors, which end their containers; the end of a supervisor kills its program (PDEATHSIG) and turns what that had
// started into children of plaind (subreaper), which ends them.
#define _GNU_SOURCE 1
#include "plaind.h"
#include "plainchild.h"
#include "include/channel.h"
#include "limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { control = 3 };

struct plain_pod {
    struct plain_pod *next;
    char uid[64];
    uint32_t address;
};

static struct plain_pod *pods;
static char folder[256];

static struct plain_pod *pod_named(const char *uid) {
    struct plain_pod *pod = pods;
    while (pod && strcmp(pod->uid, uid) != 0) pod = pod->next;
    return pod;
}

// Packets

void send_packet(uint32_t type, uint32_t id, const struct field *fields, size_t count, int descriptor) {
    uint8_t bytes[1024];
    size_t length = 8;
    memcpy(bytes, &type, 4);
    memcpy(bytes + 4, &id, 4);
    for (size_t index = 0; index < count; index++) {
        memcpy(bytes + length, &fields[index].length, 4);
        memcpy(bytes + length + 4, fields[index].bytes, fields[index].length);
        length += 4 + fields[index].length;
    }
    vs_channel_send(control, bytes, length, &descriptor, descriptor >= 0);
}

static struct field text_field(const char *text) { return (struct field){text, (uint32_t)strnlen(text, 400)}; }

static struct field number_field(const int32_t *number) { return (struct field){number, sizeof *number}; }

static void reply_with(uint32_t id, int outcome, const char *sentence, int32_t number, int descriptor) {
    int32_t error = outcome < 0 ? -outcome : 0;
    const struct field fields[] = {number_field(&error), text_field(sentence), number_field(&number)};
    send_packet(VS_REPLY, id, fields, 3, descriptor);
}

static void reply(uint32_t id, int outcome, const char *sentence, int32_t number) {
    reply_with(id, outcome, sentence, number, -1);
}

// Requests

static void create_pod(uint32_t id, struct reader *reader) {
    const char *uid = read_text(reader);
    read_text(reader);
    struct in_addr address;
    if (inet_pton(AF_INET, read_text(reader), &address) != 1 || ntohl(address.s_addr) >> 24 != 127 || reader->failed) {
        return reply(id, -EINVAL, "a pod without a network of its own needs an address in 127.0.0.0/8", 0);
    }
    if (pod_named(uid)) return reply(id, -EEXIST, "there is such a pod already", 0);
    struct plain_pod *pod = calloc(1, sizeof *pod);
    if (!pod) return reply(id, -ENOMEM, "out of memory", 0);
    snprintf(pod->uid, sizeof pod->uid, "%s", uid);
    pod->address = ntohl(address.s_addr);
    pod->next = pods;
    pods = pod;
    reply(id, 0, "", 0);
}

static void remove_pod(uint32_t id, struct reader *reader) {
    const char *uid = read_text(reader);
    for (struct plain_pod **link = &pods; *link; link = &(*link)->next) {
        struct plain_pod *pod = *link;
        if (strcmp(pod->uid, uid) != 0) continue;
        *link = pod->next;
        remove_programs(uid);
        free(pod);
        break;
    }
    reply(id, 0, "", 0);
}

/// Opens a terminal: its side for the program becomes the streams. Returns the other side, or a negative errno.
static int open_terminal(struct supervised *start) {
    int unlocked = 0;
    int terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) return -errno;
    int side = ioctl(terminal, TIOCSPTLCK, &unlocked) == 0 ? ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    if (side < 0) {
        close(terminal);
        return -ENODEV;
    }
    start->input = start->output = start->errors = side;
    return terminal;
}

/// Starts what a request asks for, from its directory on.
static void start_in(
    const struct plain_pod *pod, const char *name, const char *container, uint32_t id, struct reader *reader,
    const int *descriptors) {
    struct supervised start = {.address = pod->address, .is_execution = container[0] != 0};
    int terminal = -1;
    start.directory = read_text(reader);
    start.user = (int)read_number(reader);
    start.is_terminal = read_number(reader) != 0;
    start.input = descriptors[0];
    start.output = descriptors[1];
    start.errors = descriptors[2];
    start.arguments = read_list(reader);
    start.environment = read_list(reader);
    struct amounts amounts = start.is_execution ? (struct amounts){0} : read_amounts(reader);
    struct start_report said = {0};
    if (reader->failed || !start.arguments || !start.arguments[0] || !start.environment
        || (!start.is_terminal && start.errors < 0)) {
        reply(id, -EINVAL, "the request is malformed", 0);
    } else if (start.is_terminal && (terminal = open_terminal(&start)) < 0) {
        reply(id, terminal, "a terminal cannot be opened", 0);
    } else {
        int outcome = start_program(&start, name, pod->uid, container, &amounts, &said);
        reply_with(id, outcome, said.sentence, said.process, outcome == 0 ? terminal : -1);
        if (terminal >= 0) {
            close(start.input);
            close(terminal);
        }
    }
    free(start.arguments);
    free(start.environment);
}

static void start_container(uint32_t id, struct reader *reader, const int *descriptors) {
    struct plain_pod *pod = pod_named(read_text(reader));
    const char *name = read_text(reader);
    if (!pod) return reply(id, -ENOENT, "there is no such pod", 0);
    start_in(pod, name, "", id, reader, descriptors);
}

static void execute(uint32_t id, struct reader *reader, const int *descriptors) {
    struct plain_program *container = program_named(read_text(reader));
    const char *name = read_text(reader);
    struct plain_pod *pod = container && !container->has_ended ? pod_named(container->pod) : NULL;
    if (!pod) return reply(id, -ESRCH, "the container does not run", 0);
    start_in(pod, name, container->name, id, reader, descriptors);
}

static void handle(uint8_t *bytes, size_t length, const int *descriptors) {
    uint32_t type, id;
    if (length < 8) return;
    memcpy(&type, bytes, 4);
    memcpy(&id, bytes + 4, 4);
    struct reader reader = {bytes + 8, length - 8, false};
    switch (type) {
    case VS_POD_CREATE: return create_pod(id, &reader);
    case VS_POD_REMOVE: return remove_pod(id, &reader);
    case VS_CONTAINER_START: return start_container(id, &reader, descriptors);
    case VS_EXECUTE: return execute(id, &reader, descriptors);
    case VS_CONTAINER_SIGNAL: {
        struct plain_program *program = program_named(read_text(&reader));
        int number = (int)read_number(&reader);
        if (program && !reader.failed && send(program->lifeline, &number, sizeof number, MSG_NOSIGNAL) < 0) {}
        return reply(id, 0, "", 0);
    }
    case VS_END: {
        struct plain_program *program = program_named(read_text(&reader));
        bool kills = read_number(&reader) != 0;
        if (program && !reader.failed && program->container[0] && kills) end_execution(program);
        return reply(id, 0, "", 0);
    }
    default: return reply(id, -ENOSYS, "there is no such request", 0);
    }
}

/// False when the other side is gone.
static bool receive(void) {
    static uint8_t buffer[vs_packet_bytes_max];
    char ancillary[CMSG_SPACE(sizeof(int) * 3)];
    struct iovec part = {buffer, sizeof buffer};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = ancillary, .msg_controllen = sizeof ancillary};
    ssize_t length = recvmsg(control, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
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

static void loop(void) {
    for (;;) {
        size_t count = 1;
        for (struct plain_program *program = programs; program; program = program->next) count++;
        struct pollfd *watched = calloc(count, sizeof *watched);
        if (!watched) return;
        watched[0] = (struct pollfd){control, POLLIN, 0};
        size_t index = 1;
        for (struct plain_program *program = programs; program; program = program->next) {
            watched[index++] = (struct pollfd){program->lifeline, POLLIN, 0};
        }
        if (poll(watched, count, (int)limits_look(now_milliseconds())) < 0 && errno != EINTR) return;
        index = 1;
        // A container takes its commands with it, which are before it on the list.
        for (struct plain_program *program = programs; program && index < count; index++) {
            struct plain_program *next = program->next;
            if (watched[index].revents) finish(program);
            program = next;
        }
        bool goes_on = !watched[0].revents || receive();
        free(watched);
        if (!goes_on) return;
    }
}

static int remove_entry(const char *path, const struct stat *information, int kind, struct FTW *position) {
    (void)information;
    (void)kind;
    (void)position;
    remove(path);
    return 0;
}

static void remove_tree(const char *path) { nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT); }

/// Removes what others of this user have left that were killed together with the cluster's process: those that live hold a lock.
static void sweep(const char *temporary) {
    glob_t found = {0};
    char pattern[300];
    struct stat information;
    snprintf(pattern, sizeof pattern, "%s/velocity-plain-??????", temporary);
    if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0) return;
    for (size_t index = 0; index < found.gl_pathc; index++) {
        int left = open(found.gl_pathv[index], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        bool is_own = left >= 0 && fstat(left, &information) == 0 && information.st_uid == geteuid();
        if (is_own && flock(left, LOCK_EX | LOCK_NB) == 0) remove_tree(found.gl_pathv[index]);
        if (left >= 0) close(left);
    }
    globfree(&found);
}

/// Makes the folder for the pods' files, and holds it; 0 or an errno.
static int make_place(const char *temporary) {
    for (;;) {
        snprintf(folder, sizeof folder, "%s/velocity-plain-XXXXXX", temporary);
        if (!mkdtemp(folder)) return errno;
        int held = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int error = held < 0 || flock(held, LOCK_EX) != 0 || chmod(folder, 0711) != 0 ? errno : 0;
        if (error == 0) return 0;
        if (held >= 0) close(held);
        // Gone where a sweep came between.
        if (error != ENOENT) return error;
    }
}

int vs_serve_plain(void) {
    char sentence[320] = "", *variable = getenv("TMPDIR");
    const char *temporary = variable && variable[0] == '/' && strlen(variable) < 200 ? variable : "/tmp";
    prctl(PR_SET_NAME, "plaind");
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    fcntl(control, F_SETFD, FD_CLOEXEC);
    sweep(temporary);
    int32_t error = -plain_probe();
    if (error != 0) {
        snprintf(sentence, sizeof sentence, "system calls cannot be supervised here: %s", strerror(error));
    } else if ((error = make_place(temporary)) != 0) {
        snprintf(sentence, sizeof sentence, "a folder for the pods' files cannot be made (%s): %s", folder, strerror(error));
    }
    const struct field greeting[] = {number_field(&error), text_field(error ? sentence : folder)};
    send_packet(VS_STARTED, 0, greeting, 2, -1);
    if (error == 0) {
        loop();
        remove_programs(NULL);
        end_descendants(0, NULL);
        remove_tree(folder);
    }
    return error ? 1 : 0;
}
