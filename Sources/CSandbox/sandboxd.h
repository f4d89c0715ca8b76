// What the parts of sandboxd share.
#pragma once

#include "include/nft.h"
#include "include/wire.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>

/// What a container, or a pod, may use.
struct amounts {
    /// Bytes and thousandths of a core; 0: no limit.
    uint64_t memory;
    uint32_t millicores;
    /// Its share of the processor beside others, as the kernel weighs control groups; 0: it asks for none.
    uint32_t weight;
};

/// A packet that is read from its start.
struct reader {
    const uint8_t *bytes;
    size_t left;
    bool failed;
};

bool read_raw(struct reader *reader, void *into, size_t count);
uint32_t read_number(struct reader *reader);
/// The next field as text that ends in zero; valid as long as the packet. NULL and `failed` for a packet that is too short.
const char *read_text(struct reader *reader);
const uint8_t *read_bytes(struct reader *reader, size_t *length);
/// A counted list of texts, ended by NULL; to be freed.
char **read_list(struct reader *reader);
struct amounts read_amounts(struct reader *reader);
bool has_any(const struct amounts *amounts);

/// A pod: its first process keeps the namespaces and reaps.
struct pod {
    struct pod *next;
    char uid[64];
    /// 0 when it has ended without having been asked to: all that was in the pod has ended with it.
    pid_t init;
    int init_handle;
    /// The first process is told here whose it is; -1 when it has been.
    int told;
    int network;
    /// Empty for a pod in the node's network, which is that of the cluster's namespace.
    char interface[16];
    uint32_t address;
    struct amounts amounts;
    /// The control group that those of its containers are in; -1: none.
    int cgroup;
};

/// A running container or execution, by the name the other side gave it.
struct program {
    struct program *next;
    char name[192];
    char pod[64];
    /// The container of an execution; empty for a container.
    char container[192];
    pid_t process;
    /// The mount namespace that only its own processes are in, and an open descriptor of it: while that is open, the kernel gives
    /// the number to no other.
    ino_t files;
    int files_handle;
    /// An execution whose process has ended, and one that nobody asks for any more.
    bool has_ended, is_released;
    /// A container whose end the kernel makes the end of everything in it.
    bool is_first;
    /// The control group of a container, which may be that of others, too; -1: none.
    int cgroup;
    bool has_own_cgroup;
    /// It was ended because it used more memory than it may.
    bool is_out_of_memory;
    /// Used while looking for what runs.
    bool is_left;
};

/// Where a program's streams lead.
struct streams {
    int input;
    int output;
    int errors;
    /// A terminal of the container's own instead of the three.
    bool is_terminal;
};

/// What a starting program hands out: its mount namespace, and the other side of its terminal (or -1).
struct born {
    int files;
    int terminal;
};

struct sandboxd {
    int control;
    bool is_root;
    /// Containers that run as root have other users besides, though this one is run by an ordinary user.
    bool has_users;
    /// The cluster's own network namespace.
    int network;
    struct pod *pods;
    struct program *programs;
    /// How many descriptors a program may have open, unless it asks for more; this process has taken as many as it can.
    struct rlimit descriptors;
};

extern struct sandboxd sandboxd;

struct pod *find_pod(const char *uid);
/// Answers a request; `outcome` is 0 or -errno.
void answer(uint32_t id, int outcome, const char *sentence, int32_t number, int descriptor);
int64_t now_milliseconds(void);
/// Tells the other side that a program has ended.
void tell_exit(const struct program *program, int32_t status);

// programs.c
struct program *find_program(const char *name);
/// `files` and `cgroup` are descriptors, which belong to the program from here on.
struct program *add_program(const char *name, const char *pod, const char *container, pid_t process, int files, int cgroup);
/// Tells the other side that a process has ended, if it is one of those it asked for.
void report_exit(pid_t process, int status);
/// The mount namespace of a process (a name in /proc), or 0; the dead have none.
ino_t files_of(const char *process);
/// Kills all that is in a mount namespace; on return nothing of it is alive.
void end_leftovers(ino_t files);
/// Forgets the executions that were let go and have left nothing running.
void forget_executions(void);
void forget_program(struct program *program);

/// Writes a sentence with errno's text; returns -errno.
int complain(char *error, size_t capacity, const char *what);

// files.c
int write_file(const char *path, const char *text);
/// Makes a folder and those above it.
int make_folders(const char *path);
int make_file(const char *path, const void *content, size_t length);

// users.c
int enter_user_namespace(uid_t inside_user, gid_t inside_group, char *error, size_t capacity);
/// As enter_user_namespace, root inside, with the further users that the system lends this one where it does: 1 with them, 0 without.
int enter_users(char *error, size_t capacity);

// probe.c
/// Lets a child process find something out, after which nothing is left of it; `found` stays as it is where that cannot be.
void find_out(void (*look)(void *found), void *found, size_t size);

// netlink.c: all in the network namespace that the caller is in
int netlink_open(void);
int link_up(int netlink, const char *name);
/// Before it is up: how large its packets may be, and flags that it is to have (IFF_NOARP).
int link_prepare(int netlink, const char *name, uint32_t mtu, unsigned flags);
int address_add(int netlink, const char *name, uint32_t address, int prefix);
/// A route over an interface, or over none where nothing is to be reached; `gateway`, `source` and `type` may be 0.
int route_add(int netlink, uint32_t target, int prefix, const char *interface, uint32_t gateway, uint32_t source, int type);
int route_remove(int netlink, uint32_t target);
/// Sends what others send, and what no route leads anywhere, to "lo", where a rule answers that there is no way.
int route_strangers(int netlink);
int veth_create(int netlink, const char *name, const char *peer, int peer_namespace);

// network.c
/// Enters the cluster's namespaces, with further users where they are wanted and to be had.
int network_prepare(bool wants_users, char *error, size_t capacity);
/// Makes the link between the cluster's namespace and the pod's, with all that does not depend on the pod's address.
int network_link(struct pod *pod);
/// Gives the pod its address.
int network_address(const struct pod *pod);
/// Takes the way to the pod's address away: nobody who still knows it is to wait for an answer.
void network_leave(const struct pod *pod);

// pod.c
int pod_create(
    const char *uid, const char *host_name, const char *address, char **settings, struct amounts amounts, char *error,
    size_t capacity);
void pod_remove(struct pod *pod);
/// Whether a pod can be entered: from its first process's end on it cannot, though that is seen only when all in it have ended.
bool pod_is_alive(const struct pod *pod);
/// A process has ended: if it was the first one of a pod, the pod is of no use any more.
void pod_note_end(pid_t process);
/// A pod that is nobody's yet and in no list; NULL, a sentence and errno if there can be none.
struct pod *pod_begin(bool has_network, char *error, size_t capacity);
/// Ends all that is in a pod that is in no list, and frees it.
void pod_end(struct pod *pod);

// standby.c
/// After so many milliseconds without a request one more pod is to be made; -1: none is.
int standby_wait(void);
void standby_make(void);
/// A pod with a network that is there already; NULL if there is none.
struct pod *standby_take(void);
void standby_end(void);

// container.c
struct mount {
    const char *source;
    /// The file or folder in the source that is meant; empty: all of it.
    const char *inside;
    const char *target;
    bool is_read_only;
    /// At the source are files in memory, for all containers of the pod.
    bool is_memory;
    /// What fits into them; 0: as the kernel says.
    uint32_t kibibytes;
};
struct file {
    const char *path;
    const uint8_t *content;
    size_t length;
};
struct start {
    struct pod *pod;
    const char *name;
    const char *directory;
    int user;
    char **arguments;
    char **environment;
    /// -1: none, which is 0.
    int group;
    gid_t *groups;
    size_t group_count;
    /// Bits by their numbers; all that the program or what it starts can ever have.
    uint64_t capabilities;
    bool has_no_new_privileges;
    /// As in /proc/PID/oom_score_adj.
    int out_of_memory_score;
    /// No system call is denied besides those that need a capability.
    bool is_unfiltered;
    struct mount *mounts;
    size_t mount_count;
    struct file *files;
    size_t file_count;
    /// Folders of the host's system that belong to the container's user, with their files; ended by NULL.
    char **owned;
    struct streams streams;
    /// That of the container whose processes a command joins, where it is not sandboxd's own; -1 otherwise.
    int user_namespace;
    bool has_read_only_root;
    /// Nothing of /proc is hidden or read-only.
    bool has_plain_proc;
    struct amounts amounts;
    /// The control group that it is born in; -1: that of this process.
    int cgroup;
    /// The pod's processes are those of all its containers.
    bool shares_processes;
    /// The container whose processes this one sees; NULL for none.
    struct program *neighbour;
    /// The container has an image of its own: what follows counts.
    bool is_layered;
    /// The host's system directories are below the layers.
    bool has_system;
    /// A folder of the host that keeps what the container changes; empty: that goes with the container.
    const char *changes;
    /// Folders of the host, the lowest layer first; ended by NULL.
    char **layers;
};
/// What a new process says before its program runs: a descriptor that comes beside this, or errno and a sentence.
struct report {
    enum { failure, has_files, has_terminal } kind;
    int error;
    char sentence[200];
};
enum heard { nothing_yet, a_report, the_end };
/// The next report, what came with it or -1, and who sent it, as this process numbers it; does not wait. The end comes when the
/// program runs (the socket closes on exec), or never will.
enum heard hear(int report, struct report *said, int *descriptor, pid_t *sender);
/// Begins to start a container; returns the socket on which it reports.
int container_start(const struct start *start, char *error, size_t capacity);
/// Begins to run a command in a container; of `start`, what comes before the mounts and the streams count.
int container_execute(struct program *container, const struct start *start, char *error, size_t capacity);

// identity.c
/// Becomes the user with the rights that the program is to have.
int take_identity(const struct start *start, char *error, size_t capacity);
/// The environment of a program, with its user's HOME where the manifest and the image have none, as container runtimes set it.
char **complete_environment(const struct start *start);

// births.c
/// So many programs come into being at a time; more would only make each of them wait longer.
enum { births_max = 4 };
/// Reads a request, begins to start what it asks for, and answers when that runs, or does not.
void birth_of_container(uint32_t id, struct reader request, const int *descriptors);
void birth_of_execution(uint32_t id, struct reader request, const int *descriptors);
int births_count(void);
/// Adds the sockets of those that are on their way.
void births_watch(struct pollfd *watched);
/// Takes in what they have said.
void births_look(void);
/// Keeps in mind that a process has ended of which nothing is known yet.
void births_note_exit(pid_t process, int status);

// memory.c
/// Puts a file system in memory at the sources that are to have one, unless they have.
int memory_prepare(const struct start *start, char *error, size_t capacity);
/// Takes away those of a pod.
void memory_remove(const char *pod);

// rootfs.c: in the new mount namespace
int rootfs_build(const struct start *start, char *error, size_t capacity);
/// While the new root is at /newroot: binds a file or folder to a place in it; no link there leads out of it.
int bind_inside(const char *from, const char *target, bool is_read_only);
/// Binds a file or folder of the host; `source` is its path there.
int bind_host(const char *source, const char *target, bool is_read_only);
/// Complains about an outcome that is one of failure, and returns it.
int step(int outcome, const char *what, char *error, size_t capacity);

// system.c: the same for a container that has the host's system
int system_build(const struct start *start, char *error, size_t capacity);
/// What the host's system has besides /usr, as an empty tree with its small files.
int make_system_skeleton(const char *root);
extern const char *const system_settings[];
/// Whether something is to be put into a folder of settings, or likely to be written there.
bool is_changed(const struct start *start, const char *folder);
/// Before the host's folder `path` is stacked: makes those in it that the container has to be able to write to.
void adopt_folders(const struct start *start, const char *path, const char *lowest, const char *upper);

// layers.c: the same for an image of its own
int layers_build(const struct start *start, char *error, size_t capacity);
/// Mounts the layers' folders at `path`, the last layer on top, over `lowest`, and above all what the container changes.
int stack_layers(const struct start *start, const char *path, const char *lowest);

// egress.c
/// Makes a link that leads out of the cluster's network; returns a packet socket at its far end.
int egress_open(char *error, size_t capacity);

// seccomp.c
int seccomp_deny(void);

// sockets.c
int socket_listen(int protocol, const char *address, int port, char *error, size_t capacity);
/// A TCP socket of a pod's network, or of the cluster's with an address of its own there.
int socket_make(struct pod *pod, const char *source, char *error, size_t capacity);
/// A socket that is connecting.
int socket_connect(struct pod *pod, const char *address, int port, const char *source, char *error, size_t capacity);
