#include "type.h"

#define READ_CONTROL_BIT 0x00020000u
#define SYNCHRONIZE_BIT 0x00100000u
#define QUERY_STATE_BIT 0x1u /* of Event, Semaphore, Mutant and Timer alike */
#define SECTION_QUERY_BIT 0x1u
#define SECTION_MAP_READ_BIT 0x4u
#define FILE_READ_DATA_BIT 0x1u
#define FILE_GENERIC_READ_BITS 0x00120089u
#define TOKEN_QUERY_BIT 0x8u
#define PROCESS_QUERY_LIMITED_BIT 0x1000u
#define THREAD_QUERY_LIMITED_BIT 0x800u
#define JOB_QUERY_BIT 0x4u
#define KEY_QUERY_VALUE_BIT 0x1u
#define KEY_READ_BITS 0x00020019u

/* "Read" of a semaphore, mutex or auto-reset event includes waiting, and waiting takes something: there is
 * no right that would let a process look at one in vain. */
#define WAIT_AND_LOOK (SYNCHRONIZE_BIT | READ_CONTROL_BIT | QUERY_STATE_BIT)

static const struct hbk_type_info types[HBK_TYPE_COUNT] = {
    [HBK_TYPE_EVENT] = {"Event", WAIT_AND_LOOK, SYNCHRONIZE_BIT, false, false, false},
    [HBK_TYPE_SEMAPHORE] = {"Semaphore", WAIT_AND_LOOK, SYNCHRONIZE_BIT, false, false, false},
    [HBK_TYPE_MUTANT] = {"Mutant", WAIT_AND_LOOK, SYNCHRONIZE_BIT, false, false, false},
    [HBK_TYPE_TIMER] = {"Timer", WAIT_AND_LOOK, SYNCHRONIZE_BIT, false, false, false},
    [HBK_TYPE_SECTION] = {"Section", READ_CONTROL_BIT | SECTION_QUERY_BIT | SECTION_MAP_READ_BIT,
                          SECTION_MAP_READ_BIT, true, false, false},
    [HBK_TYPE_FILE] = {"File", FILE_GENERIC_READ_BITS, FILE_READ_DATA_BIT, true, false, false},
    [HBK_TYPE_TOKEN] = {"Token", READ_CONTROL_BIT | TOKEN_QUERY_BIT, TOKEN_QUERY_BIT, true, true,
                        true},
    [HBK_TYPE_PROCESS] = {"Process", SYNCHRONIZE_BIT | READ_CONTROL_BIT | PROCESS_QUERY_LIMITED_BIT,
                          PROCESS_QUERY_LIMITED_BIT, true, true, true},
    [HBK_TYPE_THREAD] = {"Thread", SYNCHRONIZE_BIT | READ_CONTROL_BIT | THREAD_QUERY_LIMITED_BIT,
                         THREAD_QUERY_LIMITED_BIT, true, true, true},
    [HBK_TYPE_JOB] = {"Job", SYNCHRONIZE_BIT | READ_CONTROL_BIT | JOB_QUERY_BIT, JOB_QUERY_BIT,
                      true, true, true},
    [HBK_TYPE_KEY] = {"Key", KEY_READ_BITS, KEY_QUERY_VALUE_BIT, true, true, true},
    /* It keeps all its rights: there is no reading alone. */
    [HBK_TYPE_SOCKET] = {"Socket", 0, 0, true, false, true},
};

struct advice {
    const char *name, *text;
};

static const struct advice advices[] = {
    {"Token", "tokens are brokered only by a policy rule"},
    {"Process", "processes are brokered only by a policy rule"},
    {"Thread", "threads are brokered only by a policy rule"},
    {"Job", "jobs are brokered only by a policy rule"},
    {"Key", "registry keys are brokered only by a policy rule"},
    {"IoCompletion",
     "a completion port belongs to its process and is never brokered: hand over the "
     "files and let the target make its own port"},
    {"ALPC Port", "ports are never brokered"},
    {"Desktop", "desktops are never brokered"},
    {"WindowStation", "window stations are never brokered"},
    {"Directory", "object directories are never brokered"},
    {"SymbolicLink", "symbolic links are never brokered"},
    {"WmiGuid", "tracing handles are never brokered"},
};

enum hbk_type hbk_type_find(struct hbk_text name)
{
    for (size_t i = 0; i < HBK_TYPE_COUNT; i++) {
        if (hbk_text_is(name, types[i].name)) {
            return (enum hbk_type)i;
        }
    }
    return HBK_TYPE_COUNT;
}

enum hbk_type hbk_type_of_kernel(struct hbk_text name)
{
    enum hbk_type type = hbk_type_find(name);

    return type == HBK_TYPE_SOCKET ? HBK_TYPE_COUNT : type;
}

const struct hbk_type_info *hbk_type_info(enum hbk_type type)
{
    HBK_ASSERT(type < HBK_TYPE_COUNT);
    return &types[type];
}

const char *hbk_type_advice(struct hbk_text name)
{
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++) {
        if (hbk_text_is(name, advices[i].name)) {
            return advices[i].text;
        }
    }
    return NULL;
}
