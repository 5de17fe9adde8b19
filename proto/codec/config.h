/* The numbers of a configuration file: one object a section, one integer a field. */
#ifndef HBK_CONFIG_H
#define HBK_CONFIG_H

#include "base.h"

#define HBK_CONFIG_BYTES_MAX 65536

struct hbk_config_field {
    const char *section; /* "limits" */
    const char *name;    /* "hello_ms" */
    uint32_t min, max;
    uint32_t *value; /* left alone if the file does not name it */
};

/* Told of each mistake: where it is ("limits.hello_ms"), what is wrong and what to do. */
typedef void (*hbk_config_report)(void *context, const char *message);

enum { HBK_CONFIG_E_REFUSED = 1 };

/**
 * hbk_config_read() - take the values of @fields from @text
 * @text: JSON of the strict profile over several lines, for example {"limits": {"hello_ms": 5000}}
 *
 * Every mistake is reported, not only the first. Unknown names are mistakes, so that a misspelt one
 * cannot be overlooked.
 * Return: 0; HBK_CONFIG_E_REFUSED, with no value changed; -1 out of memory.
 */
int hbk_config_read(struct hbk_text text, const struct hbk_config_field *fields,
                    size_t fields_count, hbk_config_report report, void *context);

#endif
