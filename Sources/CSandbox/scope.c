// Asking systemd for a scope: a control group that it leaves to us, with the controllers that it lets this user have.
//
// One call over the manager's own socket, as systemctl and systemd-run make it, without their start and without libraries: they
// would cost more than the rest of the start. The form of the messages is the D-Bus specification's.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { wait_milliseconds_max = 2000 };

struct message {
    uint8_t bytes[1024];
    size_t length;
};

static void pad(struct message *message, size_t alignment) {
    while (message->length % alignment) message->bytes[message->length++] = 0;
}

static void put(struct message *message, const void *bytes, size_t length) {
    memcpy(message->bytes + message->length, bytes, length);
    message->length += length;
}

static void put_byte(struct message *message, uint8_t byte) { put(message, &byte, 1); }

static void put_number(struct message *message, uint32_t number) {
    pad(message, 4);
    put(message, &number, sizeof number);
}

static void put_text(struct message *message, const char *text) {
    put_number(message, (uint32_t)strlen(text));
    put(message, text, strlen(text) + 1);
}

static void put_signature(struct message *message, const char *signature) {
    put_byte(message, (uint8_t)strlen(signature));
    put(message, signature, strlen(signature) + 1);
}

/// Begins an array of structures; `end_array` fills in its length, which is counted from the first of them on.
static size_t begin_array(struct message *message) {
    put_number(message, 0);
    size_t place = message->length - 4;
    pad(message, 8);
    return place;
}

static void end_array(struct message *message, size_t place) {
    uint32_t length = (uint32_t)(message->length - (place + 4 + 7) / 8 * 8);
    memcpy(message->bytes + place, &length, sizeof length);
}

static void put_field(struct message *message, uint8_t code, const char *type, const char *value) {
    pad(message, 8);
    put_byte(message, code);
    put_signature(message, type);
    if (type[0] == 'g') put_signature(message, value); else put_text(message, value);
}

static void begin_property(struct message *message, const char *name, const char *type) {
    pad(message, 8);
    put_text(message, name);
    put_signature(message, type);
}

/// StartTransientUnit(name, mode, properties, further units).
static struct message make_request(const char *unit, pid_t process) {
    struct message body = {.length = 0}, message = {.length = 0};
    put_text(&body, unit);
    put_text(&body, "fail");
    size_t properties = begin_array(&body);
    begin_property(&body, "Description", "s");
    put_text(&body, "Pods of VelocityLab");
    begin_property(&body, "Delegate", "b");
    put_number(&body, 1);
    begin_property(&body, "CollectMode", "s");
    put_text(&body, "inactive-or-failed");
    begin_property(&body, "PIDs", "au");
    put_number(&body, 4);
    put_number(&body, (uint32_t)process);
    end_array(&body, properties);
    end_array(&body, begin_array(&body));

    // In this machine's byte order, a call, without flags, of the protocol's version 1.
    put(&message, (const uint8_t[]){__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 'l' : 'B', 1, 0, 1}, 4);
    put_number(&message, (uint32_t)body.length);
    put_number(&message, 1);
    size_t fields = begin_array(&message);
    put_field(&message, 1, "o", "/org/freedesktop/systemd1");
    put_field(&message, 2, "s", "org.freedesktop.systemd1.Manager");
    put_field(&message, 3, "s", "StartTransientUnit");
    put_field(&message, 6, "s", "org.freedesktop.systemd1");
    put_field(&message, 8, "g", "ssa(sv)a(sa(sv))");
    end_array(&message, fields);
    pad(&message, 8);
    put(&message, body.bytes, body.length);
    return message;
}

static void name_unit(char *unit, size_t capacity, pid_t process) {
    snprintf(unit, capacity, "velocitylab-%d.scope", process);
}

int scope_ask(pid_t process) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *own = getenv("XDG_RUNTIME_DIR");
    if (geteuid() == 0) {
        snprintf(address.sun_path, sizeof address.sun_path, "/run/systemd/private");
    } else if (own && own[0] == '/') {
        snprintf(address.sun_path, sizeof address.sun_path, "%s/systemd/private", own);
    } else {
        snprintf(address.sun_path, sizeof address.sun_path, "/run/user/%u/systemd/private", geteuid());
    }
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connection < 0) return -errno;
    char unit[64], user[16], greeting[64] = "";
    name_unit(unit, sizeof unit, process);
    struct message request = make_request(unit, process);
    // A zero, and who this is: the digits of the user's number as hexadecimal numbers.
    int length = 1 + snprintf(greeting + 1, sizeof greeting - 1, "AUTH EXTERNAL ");
    snprintf(user, sizeof user, "%u", geteuid());
    for (const char *digit = user; *digit; digit++) length += snprintf(greeting + length, sizeof greeting - (size_t)length, "%02x", *digit);
    length += snprintf(greeting + length, sizeof greeting - (size_t)length, "\r\nBEGIN\r\n");
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0
        || send(connection, greeting, (size_t)length, MSG_NOSIGNAL) != length
        || send(connection, request.bytes, request.length, MSG_NOSIGNAL) != (ssize_t)request.length) {
        int error = errno;
        close(connection);
        return -error;
    }
    return connection;
}

/// The length of the message that begins here, or 0 while too little of it is known.
static size_t message_length(const uint8_t *bytes, size_t known) {
    uint32_t body, fields;
    if (known < 16) return 0;
    memcpy(&body, bytes + 4, sizeof body);
    memcpy(&fields, bytes + 12, sizeof fields);
    return 16 + ((size_t)fields + 7) / 8 * 8 + body;
}

/// Whether a message ends the waiting: an error, or the end of the job that makes the unit.
static bool is_last(const uint8_t *bytes, size_t length, const char *unit) {
    enum { error = 3, signal = 4 };
    if (bytes[1] == error) return true;
    return bytes[1] == signal && memmem(bytes, length, "JobRemoved", 10) && memmem(bytes, length, unit, strlen(unit));
}

/// Takes whole messages off the front; true when the last one was among them.
static bool take_messages(uint8_t *bytes, size_t *known, const char *unit) {
    for (size_t length; (length = message_length(bytes, *known)) > 0 && length <= *known;) {
        if (is_last(bytes, length, unit)) return true;
        *known -= length;
        memmove(bytes, bytes + length, *known);
    }
    return false;
}

void scope_wait(int connection, pid_t process) {
    static uint8_t bytes[16384];
    size_t known = 0;
    bool is_greeted = false, is_over = false;
    char unit[64];
    name_unit(unit, sizeof unit, process);
    int64_t deadline = now_milliseconds() + wait_milliseconds_max;
    for (int64_t now; !is_over && (now = now_milliseconds()) < deadline;) {
        struct pollfd ready = {connection, POLLIN, 0};
        if (poll(&ready, 1, (int)(deadline - now)) <= 0) continue;
        ssize_t count = recv(connection, bytes + known, sizeof bytes - known, 0);
        if (count <= 0) break;
        known += (size_t)count;
        uint8_t *end = is_greeted ? NULL : memmem(bytes, known, "\r\n", 2);
        if (end) {
            is_greeted = true;
            is_over = memcmp(bytes, "OK ", 3) != 0;
            known -= (size_t)(end + 2 - bytes);
            memmove(bytes, end + 2, known);
        }
        if (is_greeted && !is_over) is_over = take_messages(bytes, &known, unit) || known == sizeof bytes;
    }
    close(connection);
}
