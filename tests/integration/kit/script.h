/* A server that says what a test has written for it, to one client: for what the library and hbctl make of
 * answers that a real broker gives only under rules, limits or loads that a test cannot set. */
#ifndef HBK_KIT_SCRIPT_H
#define HBK_KIT_SCRIPT_H

#include "kit.h"

#define KIT_SCRIPT_STEPS_MAX 8

/* What is answered to one request. hello, prove, endpoint.close and delivery.reject need none. */
struct kit_step {
    const char *method;
    const char *result; /* JSON; NULL: … */
    const char *error;  /* … the JSON of an error */
    const char *after;  /* lines that follow the answer; NULL: none */
    HANDLE go;          /* waited for before the answer; NULL: nothing is */
    bool last;          /* when the answer was read, the connection is closed */
};

struct kit_script {
    const wchar_t *pipe;
    const struct kit_step *steps;
    size_t count;
    /* The last line that each step has answered; "": none. Read them after kit_script_end(). */
    char asked[KIT_SCRIPT_STEPS_MAX][1024];
    bool said_hello;
    /* private */
    HANDLE server, thread, proof;
    bool used[KIT_SCRIPT_STEPS_MAX];
    char bytes[16384];
    size_t size;
};

/** kit_script_begin() - listen; the first step that fits a request and is not used up answers it, else the
 * last one that fits, else method_not_found. */
void kit_script_begin(struct kit_script *script, const struct kit_step *steps, size_t count);
/** kit_script_client() - a client of it, for hbk_close(). */
hbk_client *kit_script_client(const struct kit_script *script);
/** kit_script_again() - when the last of its steps has ended the connection: listen for the next one. */
void kit_script_again(struct kit_script *script, const struct kit_step *steps, size_t count);
/** kit_script_end() - wait until its client has gone. */
void kit_script_end(struct kit_script *script);

#endif
