// plaind: level `plain`, where namespaces are denied. It speaks the protocol of sandboxd (wire.h) over the same socket, but its
// pods are groups of ordinary processes, each container under a supervisor of its own (supervisor.c).
//
// Nothing may be left behind, whoever is killed: the end of the control socket ends plaind; the end of plaind closes the lifelines of
// the supervisors, which end their containers; the end of a supervisor kills its program (PDEATHSIG) and turns what that had
// started into children of plaind (subreaper), which ends them.
#define _GNU_SOURCE 1
#include "plaind.h"
#include "plainchild.h"
#include "sandboxd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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

/// A container, or a command in one.
struct plain_program {
    struct plain_program *next;
    char name[192];
    char pod[64];
    pid_t supervisor;
    int lifeline;
    /// The environment in the words of the request, for commands that join the container.
    char **environment;
};

static struct plain_pod *pods;
static struct plain_program *programs;
static char folder[256];

static struct plain_pod *pod_named(const char *uid) {
    struct plain_pod *pod = pods;
    while (pod && strcmp(pod->uid, uid) != 0) pod = pod->next;
    return pod;
}

static struct plain_program *program_named(const char *name) {
    struct plain_program *program = programs;
    while (program && strcmp(program->name, name) != 0) program = program->next;
    return program;
}

static bool is_supervisor(pid_t process) {
    for (struct plain_program *program = programs; program; program = program->next) {
        if (program->supervisor == process) return true;
    }
    return false;
}

// Packets

static void send_packet(uint32_t type, uint32_t id, const void *first, uint32_t first_length, const char *text, const int32_t *last) {
    uint8_t bytes[1024];
    size_t length = 8;
    const struct {
        const void *bytes;
        uint32_t length;
    } fields[] = {{first, first_length}, {text, text ? (uint32_t)strnlen(text, 400) : 0}, {last, last ? 4 : 0}};
    memcpy(bytes, &type, 4);
    memcpy(bytes + 4, &id, 4);
    for (int index = 0; index < 3; index++) {
        if (!fields[index].bytes) continue;
        memcpy(bytes + length, &fields[index].length, 4);
        memcpy(bytes + length + 4, fields[index].bytes, fields[index].length);
        length += 4 + fields[index].length;
    }
    while (send(control, bytes, length, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
}

static void reply(uint32_t id, int outcome, const char *sentence, int32_t number) {
    int32_t error = outcome < 0 ? -outcome : 0;
    send_packet(VS_REPLY, id, &error, sizeof error, sentence, &number);
}

// Programs

static char **copy_list(char **list) {
    size_t count = 0;
    while (list[count]) count++;
    char **copy = calloc(count + 1, sizeof *copy);
    for (size_t index = 0; copy && index < count; index++) copy[index] = strdup(list[index]);
    return copy;
}

static void free_program(struct plain_program *program) {
    for (char **entry = program->environment; entry && *entry; entry++) free(*entry);
    free(program->environment);
    close(program->lifeline);
    free(program);
}

/// A supervisor has said how its program ended, or has ended without a word.
static void finish(struct plain_program *program) {
    int32_t status = SIGKILL;
    bool has_said = recv(program->lifeline, &status, sizeof status, 0) == sizeof status;
    for (struct plain_program **link = &programs; *link; link = &(*link)->next) {
        if (*link == program) {
            *link = program->next;
            break;
        }
    }
    waitpid(program->supervisor, NULL, 0);
    // What a supervisor that was killed has left is ours now.
    if (!has_said) end_descendants(0, is_supervisor);
    send_packet(VS_EXITED, 0, program->name, (uint32_t)strlen(program->name), NULL, &status);
    free_program(program);
}

/// In the supervisor's process: only what it needs stays open.
static _Noreturn void become_supervisor(struct supervised *program, int lifeline, int report) {
    int wanted[] = {lifeline, report, program->output, program->errors}, moved[4];
    for (int index = 0; index < 4; index++) moved[index] = fcntl(wanted[index], F_DUPFD_CLOEXEC, 20);
    for (int index = 0; index < 4; index++) {
        dup2(moved[index], control + index);
        fcntl(control + index, F_SETFD, FD_CLOEXEC);
    }
    syscall(SYS_close_range, (unsigned)(control + 4), ~0u, 0u);
    program->output = control + 2;
    program->errors = control + 3;
    supervise(program, control, control + 1);
}

static int start_program(struct supervised *start, const char *name, const char *pod, struct start_report *said) {
    int report[2], lifeline[2];
    if (pipe2(report, O_CLOEXEC) != 0) return -errno;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, lifeline) != 0) {
        close(report[0]);
        close(report[1]);
        return -ENFILE;
    }
    pid_t supervisor = fork();
    if (supervisor == 0) become_supervisor(start, lifeline[1], report[1]);
    close(report[1]);
    close(lifeline[1]);
    struct start_report part;
    memset(said, 0, sizeof *said);
    // Ends when the program runs: the pipe closes on exec.
    while (supervisor > 0 && read(report[0], &part, sizeof part) == sizeof part) {
        if (said->error == 0) *said = part;
    }
    close(report[0]);
    struct plain_program *program = said->error || supervisor < 0 ? NULL : calloc(1, sizeof *program);
    if (!program) {
        close(lifeline[0]);
        if (supervisor > 0) waitpid(supervisor, NULL, 0);
        said->sentence[sizeof said->sentence - 1] = 0;
        return said->error ? -said->error : -EAGAIN;
    }
    *program = (struct plain_program){.next = programs, .supervisor = supervisor, .lifeline = lifeline[0]};
    snprintf(program->name, sizeof program->name, "%s", name);
    snprintf(program->pod, sizeof program->pod, "%s", pod);
    program->environment = copy_list(start->environment);
    programs = program;
    return 0;
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

static void remove_programs(const char *pod) {
    for (struct plain_program *program = programs; program; program = program->next) {
        // Its end of the lifeline sees the end; ours still receives the status.
        if (!pod || strcmp(program->pod, pod) == 0) shutdown(program->lifeline, SHUT_WR);
    }
    for (struct plain_program *program = programs; program;) {
        struct plain_program *next = program->next;
        if (!pod || strcmp(program->pod, pod) == 0) finish(program);
        program = next;
    }
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

static void start_container(uint32_t id, struct reader *reader, const int *descriptors) {
    const char *uid = read_text(reader), *name = read_text(reader);
    struct plain_pod *pod = pod_named(uid);
    struct supervised start = {.directory = read_text(reader), .output = descriptors[0], .errors = descriptors[1]};
    start.user = (int)read_number(reader);
    start.arguments = read_list(reader);
    start.environment = read_list(reader);
    struct start_report said = {0};
    if (reader->failed || !start.arguments || !start.arguments[0] || !start.environment) {
        reply(id, -EINVAL, "the request is malformed", 0);
    } else if (!pod) {
        reply(id, -ENOENT, "there is no such pod", 0);
    } else {
        start.address = pod->address;
        int outcome = start_program(&start, name, uid, &said);
        reply(id, outcome, said.sentence, said.process);
    }
    free(start.arguments);
    free(start.environment);
}

static void execute(uint32_t id, struct reader *reader, const int *descriptors) {
    struct plain_program *container = program_named(read_text(reader));
    const char *name = read_text(reader);
    struct plain_pod *pod = container ? pod_named(container->pod) : NULL;
    struct supervised start = {.directory = "/", .user = -1, .output = descriptors[0], .errors = descriptors[1]};
    start.arguments = read_list(reader);
    struct start_report said = {0};
    if (reader->failed || !start.arguments || !start.arguments[0]) {
        reply(id, -EINVAL, "the request is malformed", 0);
    } else if (!pod) {
        reply(id, -ESRCH, "the container does not run", 0);
    } else {
        start.address = pod->address;
        start.environment = container->environment;
        int outcome = start_program(&start, name, pod->uid, &said);
        reply(id, outcome, said.sentence, said.process);
    }
    free(start.arguments);
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
    default: return reply(id, -ENOSYS, "there is no such request", 0);
    }
}

/// False when the other side is gone.
static bool receive(void) {
    static uint8_t buffer[vs_packet_bytes_max];
    char ancillary[CMSG_SPACE(sizeof(int) * 2)];
    struct iovec part = {buffer, sizeof buffer};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = ancillary, .msg_controllen = sizeof ancillary};
    ssize_t length = recvmsg(control, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    if (length == 0) return false;
    int descriptors[2] = {-1, -1};
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(descriptors, CMSG_DATA(header), (count > 2 ? 2 : count) * sizeof(int));
    }
    handle(buffer, (size_t)length, descriptors);
    for (int index = 0; index < 2; index++) {
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
        if (poll(watched, count, -1) < 0 && errno != EINTR) return;
        index = 1;
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

static int run(void) {
    char sentence[320] = "";
    prctl(PR_SET_NAME, "plaind");
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    fcntl(control, F_SETFD, FD_CLOEXEC);
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/velocity-plain-XXXXXX", temporary && temporary[0] == '/' ? temporary : "/tmp");
    int32_t error = -plain_probe();
    if (error != 0) {
        snprintf(sentence, sizeof sentence, "system calls cannot be supervised here: %s", strerror(error));
    } else if (!mkdtemp(folder) || chmod(folder, 0711) != 0) {
        error = errno;
        snprintf(sentence, sizeof sentence, "a folder for the pods' files cannot be made (%s): %s", folder, strerror(error));
    }
    send_packet(VS_STARTED, 0, &error, sizeof error, error ? sentence : folder, NULL);
    if (error == 0) {
        loop();
        remove_programs(NULL);
        end_descendants(0, NULL);
        nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    }
    return error ? 1 : 0;
}

/// Runs before Swift starts: one thread, which may fork as it likes.
__attribute__((constructor)) static void start_as_plaind(int count, char **arguments, char **environment) {
    (void)environment;
    if (count >= 2 && strcmp(arguments[1], "__plaind") == 0) _exit(run());
}
