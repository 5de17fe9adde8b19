/* The seam on Windows over real processes, without a core: this program is the broker and the source, a child of it
 * the target. What the core would be told is caught here. */
#ifndef HBK_KIT_SEAM_H
#define HBK_KIT_SEAM_H

#include <winsock2.h>

#include "kit.h"
#include "parts.h"

#define SEAM_TICKET 77u
#define SEAM_TEXT "through the broker"

/* What the core was told. */
struct seam_told {
    bool made, failed;
    struct hbk_failure failure;
    size_t item;
    uint64_t ticket, unpinned;
    bool looked;             /* as made, of a look */
    struct hbk_looked found; /* without … */
    struct hbk_looked_handle handles[HBK_PAGE_HANDLES_MAX];
};

enum seam_order {
    SEAM_SOCKET_FROM, /* text: protocol information; value: the socket */
    SEAM_SEND,        /* value: send SEAM_TEXT, here and below */
    SEAM_ACCEPT_AND_SEND,
    SEAM_CLOSE_SOCKET,
    SEAM_FLAGS, /* of value: HANDLE_FLAG_... */
    SEAM_PROTECT,
    SEAM_MAKE_EVENT,
    SEAM_ORDERS,
};

struct seam_talk {
    uint32_t order, value, error;
    char text[HBK_PROTOCOL_INFO_BYTES_MAX + 1];
};

struct seam_child {
    HANDLE process, mapping, go, done;
    struct seam_talk *talk;
    DWORD pid;
};

extern struct seam_told seam_told;
extern struct hbk_win *seam_win;
extern struct hbk_platform seam;
extern struct hbk_connection seam_caller; /* whoever asks, with all that this process may do */
extern struct hbk_win_party seam_source;  /* this process */
extern struct seam_child seam_child;
extern void *seam_party; /* the child */

/** seam_main() - kit_main(), or the child. */
int seam_main(int argc, char **argv, int (*group)(void));

int seam_group_begin(void **state);
int seam_group_end(void **state);
/* A child for each test, and its party. */
int seam_test_begin(void **state);
int seam_test_end(void **state);
#define SEAM_TEST(function) \
    cmocka_unit_test_setup_teardown(function, seam_test_begin, seam_test_end)

/** seam_child_do() - let the child do something. Return: its Windows error. */
uint32_t seam_child_do(enum seam_order order, uint32_t value);
/** seam_child_end() - end it, from outside. */
void seam_child_end(void);

/** seam_asked_of() - a token to ask about, with @less than ours. */
HANDLE seam_asked_of(uint32_t less);
/** seam_pin() - pin @handle of this process. */
hbk_pin seam_pin(HANDLE handle);
hbk_pin seam_pin_event(void);
void seam_unpin(hbk_pin pin);
/** seam_place() - the value in the child. */
uint32_t seam_place(hbk_pin pin, bool inherit);

#endif
