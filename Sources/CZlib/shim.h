#pragma once
#include <zlib.h>

// Swift does not see zlib's macros.
static inline int cz_deflate_init(z_streamp stream, int level, int window_bits) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
}
static inline int cz_inflate_init(z_streamp stream, int window_bits) { return inflateInit2(stream, window_bits); }
