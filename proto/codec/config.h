/* The configuration file, as texts and numbers: what stands where, and on which line. What the
 * texts mean (a pattern, a type, a descriptor) is for the reader to say. */
#ifndef HBK_CONFIG_H
#define HBK_CONFIG_H

#include "message.h"

/* An integer of a section. */
struct hbk_config_field {
    const char *section; /* "limits" */
    const char *name;    /* "hello_ms" */
    uint32_t min, max;
    uint32_t *value; /* left alone if the file does not name it */
};

struct hbk_config_text {
    struct hbk_text text; /* data NULL: absent */
    uint32_t line;
};

/* "any" | "read" | MASK under the name of a type. */
struct hbk_config_type {
    struct hbk_type_rule rule;
    uint32_t line;
};

struct hbk_config_rule {
    uint32_t line;
    struct hbk_config_text name, open, send, put, get;
    size_t types_count; /* 0: absent */
    struct hbk_config_type types[HBK_TYPES_MAX];
    uint32_t access_max; /* 0: absent */
};

struct hbk_config_file {
    struct hbk_config_text audit_file, metrics_file;
    struct hbk_config_text inspect, transfer, revoke;
    size_t rules_count;
    struct hbk_config_rule *rules; /* at most HBK_POLICY_RULES_MAX */
    void *tree;                    /* that the texts point into */
};

enum { HBK_CONFIG_KEY_BYTES = 160 }; /* of a mistake's key with its NUL */

/* A mistake: @line is where it stands; @key which setting ("rules[2].send", "" for the file as a
 * whole); @what says what is wrong and what to do. */
typedef void (*hbk_config_report)(void *context, uint32_t line, const char *key, const char *what);

/** hbk_config_key() - write @parent.@name into @ret_key; @name is of the file, whatever it is made
 * of. */
void hbk_config_key(char ret_key[HBK_CONFIG_KEY_BYTES], const char *parent, struct hbk_text name);

enum { HBK_CONFIG_E_REFUSED = 1 };

/**
 * hbk_config_read() - take the values of @fields, and everything else, from @text
 * @text:     JSON of the strict profile over several lines, for example {"limits": {"hello_ms": 5000}}
 * @ret_file: filled with what could be read, also where the text is refused, so that its reader can
 *            go on and look for more mistakes; for hbk_config_clear()
 *
 * Every mistake is reported, not only the first; of those in the grammar the first, for nothing can
 * be told of what follows. Unknown names are mistakes, so that a misspelt one cannot be overlooked.
 * Return: 0; HBK_CONFIG_E_REFUSED, with no value of @fields changed; -1 out of memory, with
 * @ret_file untouched.
 */
int hbk_config_read(struct hbk_text text, const struct hbk_config_field *fields,
                    size_t fields_count, hbk_config_report report, void *context,
                    struct hbk_config_file *ret_file);

/** hbk_config_clear() - free what @file holds; an all-zero one is accepted, and is left behind. */
void hbk_config_clear(struct hbk_config_file *file);

#endif
