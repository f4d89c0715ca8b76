// Programs on their way: forked, and not yet what they are to become. Several are so side by side, and everything else goes on.
#define _GNU_SOURCE 1
#include "cgroups.h"
#include "limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct birth {
    struct birth *next;
    uint32_t id;
    uint8_t *packet;
    struct start start;
    char pod[64], container[192];
    int report;
    /// Known from its first report on.
    pid_t process;
    struct born born;
};
static struct birth *births;

/// Processes that have ended before anybody knew what they were: a program can be over before it is said to run.
static struct exit {
    struct exit *next;
    pid_t process;
    int status;
} *exits;
enum { exits_max = 16 * births_max };

static void free_start(struct start *start) {
    free(start->arguments);
    free(start->environment);
    free(start->groups);
    free(start->mounts);
    free(start->files);
    free(start->owned);
    free(start->layers);
}

/// Waits, beside everything else, until a program runs or says why not, and then answers the request `id`; all that is given
/// belongs to the birth from here on.
static void add(uint32_t id, uint8_t *packet, struct start start, const char *pod, const char *container, int report) {
    struct birth *birth = calloc(1, sizeof *birth);
    if (!birth) {
        if (!container[0]) cgroup_remove(find_pod(pod), start.name, start.cgroup);
        close(report);
        free_start(&start);
        free(packet);
        return answer(id, -ENOMEM, "out of memory", 0, -1);
    }
    *birth = (struct birth){.id = id, .packet = packet, .start = start, .report = report, .process = -1, .born = {-1, -1}};
    snprintf(birth->pod, sizeof birth->pod, "%s", pod);
    snprintf(birth->container, sizeof birth->container, "%s", container);
    struct birth **last = &births;
    while (*last) last = &(*last)->next;
    *last = birth;
}

int births_count(void) {
    int count = 0;
    for (struct birth *birth = births; birth; birth = birth->next) count++;
    return count;
}

void births_watch(struct pollfd *watched) {
    for (struct birth *birth = births; birth; birth = birth->next) *watched++ = (struct pollfd){birth->report, POLLIN, 0};
}

void births_note_exit(pid_t process, int status) {
    struct exit *entry = births ? calloc(1, sizeof *entry) : NULL;
    if (!entry) return;
    *entry = (struct exit){exits, process, status};
    exits = entry;
    // Most are helpers that nobody asks for.
    int count = 0;
    while (entry->next && ++count < exits_max) entry = entry->next;
    while (entry->next) {
        struct exit *old = entry->next;
        entry->next = old->next;
        free(old);
    }
}

/// Whether a process has ended, and how; forgets it.
static bool take_exit(pid_t process, int *status) {
    for (struct exit **link = &exits; *link; link = &(*link)->next) {
        struct exit *entry = *link;
        if (entry->process != process) continue;
        *status = entry->status;
        *link = entry->next;
        free(entry);
        return true;
    }
    return false;
}

/// Has those limits of a container watched that its control group does not keep.
static void watch_limits(struct program *program, const struct start *start) {
    struct limits_of of = {.name = program->name, .process = program->process, .is_out_of_memory = &program->is_out_of_memory};
    of.amounts = cgroup_leaves(start->cgroup, start->amounts);
    of.has_root_in_memory = !start->is_layered || !start->changes[0];
    char **volumes = of.volumes = calloc(start->mount_count + 1, sizeof *volumes);
    for (size_t index = 0; volumes && index < start->mount_count; index++) {
        if (start->mounts[index].is_memory && (*volumes = strdup(start->mounts[index].source))) volumes++;
    }
    limits_add(&of, now_milliseconds());
}

static void run(const struct birth *birth) {
    const struct start *start = &birth->start;
    struct program *program = add_program(start->name, birth->pod, birth->container, birth->process, birth->born.files,
        birth->container[0] ? -1 : start->cgroup);
    if (program && birth->container[0]) limits_join(birth->container, program->process);
    if (program && !birth->container[0]) {
        program->has_own_cgroup = program->cgroup >= 0 && has_any(&start->amounts);
        program->is_first = !start->shares_processes && !start->neighbour;
        watch_limits(program, start);
    }
    answer(birth->id, 0, "", birth->process, birth->born.terminal);
    int status;
    if (take_exit(birth->process, &status)) report_exit(birth->process, status);
}

static void finish(struct birth **link, int outcome, const char *sentence) {
    struct birth *birth = *link;
    *link = birth->next;
    if (outcome == 0) {
        run(birth);
    } else {
        answer(birth->id, outcome, sentence, 0, -1);
        if (birth->born.files >= 0) close(birth->born.files);
        if (!birth->container[0]) cgroup_remove(find_pod(birth->pod), birth->start.name, birth->start.cgroup);
    }
    if (birth->born.terminal >= 0) close(birth->born.terminal);
    close(birth->report);
    free_start(&birth->start);
    free(birth->packet);
    free(birth);
    while (!births && exits) take_exit(exits->process, &outcome);
}

/// Takes in what one has said; true when it is over.
static bool look(struct birth **link) {
    struct birth *birth = *link;
    struct report said;
    int descriptor;
    enum heard heard;
    while ((heard = hear(birth->report, &said, &descriptor, &birth->process)) == a_report) {
        said.sentence[sizeof said.sentence - 1] = 0;
        if (said.kind == failure) {
            finish(link, -said.error, said.sentence);
            return true;
        }
        *(said.kind == has_files ? &birth->born.files : &birth->born.terminal) = descriptor;
    }
    if (heard == nothing_yet) return false;
    if (birth->born.files >= 0) finish(link, 0, ""); else finish(link, -EAGAIN, "the process cannot be started");
    return true;
}

void births_look(void) {
    for (struct birth **link = &births; *link;) {
        if (!look(link)) link = &(*link)->next;
    }
}

// Requests

/// Lets a request outlive the buffer it came in; NULL without memory.
static uint8_t *keep(struct reader *request) {
    uint8_t *packet = malloc(request->left);
    if (packet) request->bytes = memcpy(packet, request->bytes, request->left);
    return packet;
}

/// The part of a request that containers and executions have in common.
static struct start read_start(struct reader *reader, const int *descriptors, bool is_container) {
    struct start start = {.name = read_text(reader), .user_namespace = -1, .cgroup = -1};
    start.directory = read_text(reader);
    start.user = (int)read_number(reader);
    start.streams = (struct streams){descriptors[0], descriptors[1], descriptors[2], read_number(reader) != 0};
    if (!start.streams.is_terminal && descriptors[2] < 0) reader->failed = true;
    start.arguments = read_list(reader);
    start.environment = read_list(reader);
    if (!start.arguments || !start.arguments[0] || !start.environment) reader->failed = true;
    if (is_container) start.amounts = read_amounts(reader);
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
    start.out_of_memory_score = (int)read_number(reader);
    if (!start.groups) reader->failed = true;
    return start;
}

void birth_of_container(uint32_t id, struct reader request, const int *descriptors) {
    char error[256] = "";
    struct reader *reader = &request;
    uint8_t *packet = keep(reader);
    if (!packet) return answer(id, -ENOMEM, "out of memory", 0, -1);
    const char *uid = read_text(reader);
    struct start start = read_start(reader, descriptors, true);
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
    start.neighbour = neighbour[0] ? find_program(neighbour) : NULL;
    if (reader->failed || !start.mounts || !start.files || !start.owned || !start.layers) {
        answer(id, -EINVAL, "the request is malformed", 0, -1);
    } else if (!start.pod) {
        answer(id, -ENOENT, "there is no such pod", 0, -1);
    } else if (!pod_is_alive(start.pod)) {
        answer(id, -ESTALE, "the pod's first process was killed", 0, -1);
    } else if (neighbour[0] && (!start.neighbour || start.neighbour->has_ended)) {
        answer(id, -ESRCH, "the container whose processes are to be shared does not run", 0, -1);
    } else {
        int report = memory_prepare(&start, error, sizeof error);
        if (report == 0) start.cgroup = cgroup_make(start.pod, start.name, &start.amounts);
        if (report == 0) report = container_start(&start, error, sizeof error);
        if (report >= 0) return add(id, packet, start, uid, "", report);
        cgroup_remove(start.pod, start.name, start.cgroup);
        answer(id, report, error, 0, -1);
    }
    free_start(&start);
    free(packet);
}

void birth_of_execution(uint32_t id, struct reader request, const int *descriptors) {
    char error[256] = "";
    struct reader *reader = &request;
    uint8_t *packet = keep(reader);
    if (!packet) return answer(id, -ENOMEM, "out of memory", 0, -1);
    struct program *container = find_program(read_text(reader));
    struct start start = read_start(reader, descriptors, false);
    if (reader->failed) {
        answer(id, -EINVAL, "the request is malformed", 0, -1);
    } else if (!container || container->has_ended) {
        answer(id, -ESRCH, "the container does not run", 0, -1);
    } else {
        start.cgroup = container->cgroup;
        int report = container_execute(container, &start, error, sizeof error);
        if (report >= 0) return add(id, packet, start, container->pod, container->name, report);
        answer(id, report, error, 0, -1);
    }
    free_start(&start);
    free(packet);
}
