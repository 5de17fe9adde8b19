#include "null_platform.h"

#include <string.h>

#define PROOF_VALUE 4u
#define PLACED_VALUE 8u
#define EVENT_ALL_ACCESS_BITS 0x001F0003u

static uint64_t now_ms(void *context)
{
    return ((const struct null_kernel *)context)->now_ms;
}

/* A benchmark must be the same each time. */
static void same_bytes(void *context, void *bytes, size_t size)
{
    (void)context;
    memset(bytes, 0x5A, size);
}

static int descriptor_new(void *connection, struct hbk_text sddl,
                          struct hbk_descriptor **ret_descriptor, struct hbk_failure *ret_failure)
{
    (void)sddl;
    (void)ret_failure;
    *ret_descriptor = connection; /* not looked into by anybody */
    return 0;
}

static void descriptor_free(void *context, struct hbk_descriptor *descriptor)
{
    (void)context;
    (void)descriptor;
}

static uint32_t access_check(void *connection, const struct hbk_descriptor *descriptor,
                             uint32_t wanted)
{
    (void)connection;
    (void)descriptor;
    return wanted;
}

static bool may_duplicate(void *caller, void *target)
{
    (void)caller;
    (void)target;
    return true;
}

static enum hbk_widenable widenable(void *party, hbk_pin pin, uint32_t granted, uint32_t given)
{
    (void)party;
    (void)pin;
    (void)granted;
    (void)given;
    return HBK_WIDENABLE_NO;
}

static bool audit_line(void *context, const void *line, size_t size)
{
    (void)context;
    (void)line;
    (void)size;
    return true;
}

static void audit_notice(void *context, const struct hbk_notice *notice)
{
    (void)context;
    (void)notice;
}

static int write_bytes(void *connection, const void *bytes, size_t size)
{
    struct null_kernel *kernel = ((struct null_connection *)connection)->kernel;

    kernel->writes++;
    kernel->bytes += size;
    if (kernel->look != NULL) {
        kernel->look(bytes, size);
    }
    return 0;
}

static void read_pause(void *connection, bool paused)
{
    (void)connection;
    (void)paused;
}

static void read_on(void *connection)
{
    ((struct null_connection *)connection)->kernel->reads++;
}

static void close_pipe(void *connection)
{
    ((struct null_connection *)connection)->closed = true;
}

static void release(void *connection)
{
    ((struct null_connection *)connection)->released = true;
}

static int proof_open(void *connection, uint32_t *ret_value, struct hbk_failure *ret_failure)
{
    (void)connection;
    (void)ret_failure;
    *ret_value = PROOF_VALUE;
    return 0;
}

static bool proof_is_set(void *connection)
{
    (void)connection;
    return true;
}

static int proof_close(void *connection)
{
    (void)connection;
    return 0;
}

/* Every process is that of who asks for it. */
static int process_open(void *caller, uint32_t pid, void **ret_party,
                        struct hbk_failure *ret_failure)
{
    (void)pid;
    (void)ret_failure;
    *ret_party = caller;
    return 0;
}

static void process_close(void *party)
{
    (void)party;
}

static int pin(void *party, uint32_t handle, hbk_pin *ret_pin, struct hbk_failure *ret_failure)
{
    (void)ret_failure;
    ((struct null_connection *)party)->kernel->pins++;
    *ret_pin = handle;
    return 0;
}

static int inspect(void *context, hbk_pin pin_value, struct hbk_object *ret_object,
                   struct hbk_failure *ret_failure)
{
    static const char type[] = "Event";

    (void)context;
    (void)pin_value;
    (void)ret_failure;
    memcpy(ret_object->type, type, sizeof type);
    ret_object->access = EVENT_ALL_ACCESS_BITS;
    return 0;
}

static int place(void *party, hbk_pin pin_value, bool same, uint32_t access, bool inherit,
                 uint32_t *ret_value, struct hbk_failure *ret_failure)
{
    (void)pin_value;
    (void)same;
    (void)access;
    (void)inherit;
    (void)ret_failure;
    ((struct null_connection *)party)->kernel->places++;
    *ret_value = PLACED_VALUE;
    return 0;
}

static bool unplace(void *party, hbk_pin pin_value, uint32_t value)
{
    (void)pin_value;
    (void)value;
    ((struct null_connection *)party)->kernel->places--;
    return true;
}

static struct hbk_closer *closer_ref(void *connection)
{
    return connection; /* not looked into by anybody */
}

static void closer_unref(void *context, struct hbk_closer *closer)
{
    (void)context;
    (void)closer;
}

static int unpin(void *context, struct hbk_closer *closer, hbk_pin pin_value, bool may_block,
                 uint64_t ticket)
{
    (void)closer;
    (void)pin_value;
    (void)may_block;
    (void)ticket;
    ((struct null_kernel *)context)->unpins++;
    return 0;
}

/* Nothing here is a socket, so none is ever made. */
static int sockets_make(void *party, struct hbk_closer *closer, const hbk_pin *pins, size_t count,
                        uint64_t ticket, struct hbk_sockets **ret_sockets,
                        struct hbk_failure *ret_failure)
{
    (void)party;
    (void)closer;
    (void)pins;
    (void)count;
    (void)ticket;
    (void)ret_sockets;
    *ret_failure = (struct hbk_failure){.code = HBK_R_OS_ERROR};
    return HBK_PLATFORM_FAILED;
}

static const char *sockets_info(const struct hbk_sockets *sockets, size_t index)
{
    (void)sockets;
    (void)index;
    return NULL;
}

static bool sockets_undo(struct hbk_sockets *sockets, size_t index, hbk_pin pin_value)
{
    (void)sockets;
    (void)index;
    (void)pin_value;
    return false;
}

static void sockets_free(struct hbk_sockets *sockets)
{
    (void)sockets;
}

/* Nobody looks here. */
static int look(void *party, const struct hbk_look *what, uint64_t ticket,
                struct hbk_failure *ret_failure)
{
    (void)party;
    (void)what;
    (void)ticket;
    *ret_failure = (struct hbk_failure){.code = HBK_R_OS_ERROR};
    return HBK_PLATFORM_FAILED;
}

struct hbk_platform null_platform(struct null_kernel *kernel)
{
    return (struct hbk_platform){
        .context = kernel,
        .now_ms = now_ms,
        .random = same_bytes,
        .unix_ms = now_ms,
        .descriptor_new = descriptor_new,
        .descriptor_free = descriptor_free,
        .access_check = access_check,
        .may_duplicate = may_duplicate,
        .widenable = widenable,
        .audit_line = audit_line,
        .audit_notice = audit_notice,
        .write = write_bytes,
        .read_pause = read_pause,
        .read_on = read_on,
        .close = close_pipe,
        .release = release,
        .proof_open = proof_open,
        .proof_is_set = proof_is_set,
        .proof_close = proof_close,
        .process_open = process_open,
        .process_close = process_close,
        .pin = pin,
        .inspect = inspect,
        .place = place,
        .unplace = unplace,
        .closer_ref = closer_ref,
        .closer_unref = closer_unref,
        .unpin = unpin,
        .sockets_make = sockets_make,
        .sockets_info = sockets_info,
        .sockets_undo = sockets_undo,
        .sockets_free = sockets_free,
        .look = look,
    };
}
