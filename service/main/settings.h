/* The configuration file: where it is, whether it is believed, and what it says. */
#ifndef HBK_SETTINGS_H
#define HBK_SETTINGS_H

#include "core.h"
#include "findings.h"
#include "policy.h"

#include <wchar.h>
#include <windows.h>

enum { HBK_SETTINGS_E_REFUSED = 1 };

enum {
    HBK_SETTINGS_NAME_BYTES = 520,
    HBK_SETTINGS_NOTES_BYTES = 131072, /* of what there is to say of one file */
};

struct hbk_settings {
    struct hbk_config config;
    struct hbk_policy *policy;            /* never NULL; who hands it to the core sets it to NULL */
    wchar_t *audit_path;                  /* of the audit file; NULL: none */
    uint32_t audit_file_bytes;            /* at which it is begun anew … */
    uint32_t audit_files;                 /* … and how many are kept */
    wchar_t *metrics_path;                /* of the metrics' file; NULL: none */
    uint32_t metrics_interval_ms;         /* between two writes of it */
    bool own_verbs[HBK_VERB_COUNT];       /* their descriptor is the file's, not the built-in one */
    char source[HBK_SETTINGS_NAME_BYTES]; /* the file, as UTF-8; "": none, all is built in */
};

/**
 * hbk_settings_read() - what is in force with the file that an administrator named, or the
 * service's own
 * @named:   of --config; NULL: the service's own file where @service, else none
 * @service: run by the Service Control Manager
 * @notes:   gets a line (with LF) for everything that should be said of the file, also on success
 *
 * A file that was named must be there and be trusted (trust.h), or is refused. The service's own
 * may be missing; one that somebody else may have written is told of and ignored, and the built-in
 * rules hold. A mistake in a file that is believed refuses it; every mistake is told with its line,
 * its key and what to do.
 *
 * Reads a file and may ask the account database: any thread but the broker's. No globals.
 * Return: 0; HBK_SETTINGS_E_REFUSED; -1 out of memory. *ret_settings is for hbk_settings_free().
 */
int hbk_settings_read(const wchar_t *named, bool service, struct hbk_settings *ret_settings,
                      struct hbk_buffer *notes);

/**
 * hbk_settings_judge() - what @file would put in force, whoever can have written it: not to be obeyed
 * @findings: gets every mistake
 *
 * Return: as hbk_settings_read(), with nothing for hbk_settings_free() but on 0.
 */
int hbk_settings_judge(HANDLE file, struct hbk_findings *findings,
                       struct hbk_settings *ret_settings);

/** hbk_settings_free() - what @settings holds; an all-zero one is accepted, and is left behind. */
void hbk_settings_free(struct hbk_settings *settings);

/** hbk_settings_start() - hbk_settings_read() for a start: makes the service's folder if need be,
 * and logs. */
int hbk_settings_start(const wchar_t *named, bool service, struct hbk_settings *ret_settings);

/** hbk_settings_log() - each line of @notes into the log. */
void hbk_settings_log(const struct hbk_buffer *notes);

/**
 * hbk_settings_check() - --check-config: print every mistake in the file at @path, or what it puts
 * in force
 *
 * Return: enum hbk_exit.
 */
int hbk_settings_check(const wchar_t *path);

/* What an operator may set in `limits` of the file. */
struct hbk_settings_limit {
    const char *name;
    uint32_t min, max;
    size_t offset; /* of the uint32_t in struct hbk_config */
};

enum { HBK_SETTINGS_LIMITS = 18 };

extern const struct hbk_settings_limit hbk_settings_limits[HBK_SETTINGS_LIMITS];

/** hbk_settings_value() - the value of @limit in @config. */
uint32_t *hbk_settings_value(struct hbk_config *config, const struct hbk_settings_limit *limit);

/** hbk_settings_print() - what @settings puts in force, for people, on standard output. */
void hbk_settings_print(struct hbk_settings *settings);

#endif
