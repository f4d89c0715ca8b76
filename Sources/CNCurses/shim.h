#pragma once
#define _GNU_SOURCE 1
#define NCURSES_WIDECHAR 1
#include <locale.h>
#include <langinfo.h>
#include <ncurses.h>
#include <string.h>

// Swift does not see ncurses' macros.
static inline attr_t cn_bold(void) { return WA_BOLD; }
static inline attr_t cn_dim(void) { return WA_DIM; }
static inline attr_t cn_reverse(void) { return WA_REVERSE; }
static inline attr_t cn_underline(void) { return WA_UNDERLINE; }
static inline void cn_style(WINDOW *window, attr_t attributes, short pair) { (void)wattr_set(window, attributes, pair, NULL); }
static inline void cn_text(WINDOW *window, int row, int column, const char *text) { (void)mvwaddstr(window, row, column, text); }
static inline int cn_rows(WINDOW *window) { return getmaxy(window); }
static inline int cn_columns(WINDOW *window) { return getmaxx(window); }
static inline bool cn_is_utf8(void) { return strcmp(nl_langinfo(CODESET), "UTF-8") == 0; }
static inline void cn_set_locale(void) { setlocale(LC_ALL, ""); }
static inline void cn_set_utf8_locale(void) { setlocale(LC_CTYPE, "C.UTF-8"); }
