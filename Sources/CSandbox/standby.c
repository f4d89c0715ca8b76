// Pods that are made before anybody asks for them: namespaces and links take the kernel longer than all the rest of a pod's start.
#define _GNU_SOURCE 1
#include "sandboxd.h"

/// So many at a time: what is taken is made again as soon as there is nothing else to do.
enum { standby_max = 4 };

static struct pod *standby;
static int count;
/// There are pods at all on this node, and they can be made.
static bool is_in_use;

int standby_wait(void) {
    // To a pod that was just made soon comes its container, and is not to wait. While one is on its way there is time.
    enum { pause = 5 };
    if (!is_in_use || count >= standby_max) return -1;
    return births_count() > 0 ? 0 : pause;
}

void standby_make(void) {
    char error[256];
    struct pod *pod = pod_begin(true, error, sizeof error);
    // Whoever asks for the next one hears why not.
    is_in_use = pod != NULL;
    if (!pod) return;
    pod->next = standby;
    standby = pod;
    count++;
}

static struct pod *take(void) {
    struct pod *pod = standby;
    if (!pod) return NULL;
    standby = pod->next;
    count--;
    return pod;
}

struct pod *standby_take(void) {
    struct pod *pod;
    while ((pod = take()) && !pod_is_alive(pod)) pod_end(pod);
    is_in_use = true;
    return pod;
}

void standby_end(void) {
    for (struct pod *pod; (pod = take());) pod_end(pod);
}
