// Reading packets: see wire.h.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <stdlib.h>
#include <string.h>

bool read_raw(struct reader *reader, void *into, size_t count) {
    if (reader->failed || reader->left < count) {
        reader->failed = true;
        return false;
    }
    memcpy(into, reader->bytes, count);
    reader->bytes += count;
    reader->left -= count;
    return true;
}

const uint8_t *read_bytes(struct reader *reader, size_t *length) {
    uint32_t count = 0;
    *length = 0;
    if (!read_raw(reader, &count, sizeof count) || count > reader->left) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *start = reader->bytes;
    reader->bytes += count;
    reader->left -= count;
    *length = count;
    return start;
}

uint32_t read_number(struct reader *reader) {
    size_t length;
    uint32_t number = 0;
    const uint8_t *bytes = read_bytes(reader, &length);
    if (!bytes || length != sizeof number) {
        reader->failed = true;
        return 0;
    }
    memcpy(&number, bytes, sizeof number);
    return number;
}

const char *read_text(struct reader *reader) {
    size_t length;
    const uint8_t *bytes = read_bytes(reader, &length);
    // Texts travel with their zero.
    if (!bytes || length == 0 || bytes[length - 1] != 0) {
        reader->failed = true;
        return "";
    }
    return (const char *)bytes;
}

struct amounts read_amounts(struct reader *reader) {
    struct amounts amounts = {.memory = read_number(reader)};
    amounts.memory |= (uint64_t)read_number(reader) << 32;
    amounts.millicores = read_number(reader);
    amounts.weight = read_number(reader);
    return amounts;
}

bool has_any(const struct amounts *amounts) { return amounts->memory || amounts->millicores || amounts->weight; }

char **read_list(struct reader *reader) {
    uint32_t count = read_number(reader);
    if (reader->failed || count > reader->left / 5) count = 0;
    char **list = calloc(count + 1, sizeof *list);
    if (!list) {
        reader->failed = true;
        return NULL;
    }
    for (uint32_t index = 0; index < count; index++) list[index] = (char *)read_text(reader);
    return list;
}
