/* What every message looks like, as data. Decoder and encoder walk these tables, and so do the tests that
 * send each field every wrong type. Private to the codec and its tests. */
#ifndef HBK_SCHEMA_H
#define HBK_SCHEMA_H

#include "message.h"

enum hbk_field_kind {
    HBK_FIELD_BOOL,
    HBK_FIELD_MODE,      /* "auto" | "ask" <-> enum hbk_mode in a uint8_t */
    HBK_FIELD_LIFETIME,  /* "session" | "broker" <-> enum hbk_lifetime in a uint8_t */
    HBK_FIELD_WIDENABLE, /* true | false | "unknown" <-> enum hbk_widenable in a uint8_t */
    HBK_FIELD_I32,       /* integers, min..max; `absent` is the value of a missing one */
    HBK_FIELD_U32,
    HBK_FIELD_U64,
    HBK_FIELD_HEX64,  /* string of 16 lower-case hex digits <-> uint64_t */
    HBK_FIELD_HANDLE, /* a handle value in a uint32_t; another is HBK_R_BAD_HANDLE */
    HBK_FIELD_ACCESS, /* "same" | "read" | MASK <-> struct hbk_access */
    HBK_FIELD_TEXT,   /* struct hbk_text of min..max bytes that passes `check` */
    HBK_FIELD_OBJECT, /* sub-schema over the part of the struct at `offset`; at least min members */
    HBK_FIELD_TARGET, /* TEXT (as in `check`) at `offset`, or an object by the sub-schema over the same struct */
    HBK_FIELD_NUMBERS, /* array of 1..UINT32_MAX: const uint32_t * at `offset`, size_t at `count` */
    HBK_FIELD_INDICES, /* array of 0..HBK_ITEMS_MAX - 1, otherwise as NUMBERS */
    HBK_FIELD_OBJECTS, /* array of objects: const struct * at `offset`, size_t at `count` */
    HBK_FIELD_TYPE_RULES, /* {TYPE: "any" | "read" | MASK}: const struct hbk_type_rule *, likewise */
    HBK_FIELD_KIND_COUNT
};

enum hbk_field_need {
    HBK_FIELD_REQUIRED,
    HBK_FIELD_OPTIONAL, /* left out where the value is `absent`, or empty */
    HBK_FIELD_NULLABLE, /* always there; null for an absent text */
    HBK_FIELD_EITHER,   /* just one of the two fields of a schema that say so is there */
};

enum hbk_text_check {
    HBK_TEXT_ANY,
    HBK_TEXT_NAME,    /* hbk_name_check() */
    HBK_TEXT_SID,     /* S-1-… */
    HBK_TEXT_ESCAPED, /* max counts bytes as they are escaped */
    HBK_TEXT_HEX,     /* max lower-case hex digits; never quoted: who reads them may use them */
    HBK_TEXT_BASE64,  /* of RFC 4648, with its padding */
};

enum { HBK_FIELD_NO_OFFSET = 0xFFFF };

struct hbk_schema;

struct hbk_field {
    const char *key;
    uint8_t kind;     /* enum hbk_field_kind */
    uint8_t need;     /* enum hbk_field_need */
    uint8_t check;    /* enum hbk_text_check */
    bool items;       /* a fault in element k is reported as error.item = k */
    uint16_t offset;  /* of the value in the struct */
    uint16_t count;   /* of a list's size_t */
    uint16_t present; /* of a bool that says that the list was there, or HBK_FIELD_NO_OFFSET */
    uint16_t size;    /* of a list's element */
    int64_t min, max;
    int64_t absent;
    const char *limit; /* what error.limit says when max is passed; NULL: nothing */
    const struct hbk_schema *sub;
};

struct hbk_schema {
    const struct hbk_field *fields;
    size_t count; /* at most 64 */
};

struct hbk_method_info {
    const char *name;
    bool notification;
    const struct hbk_schema *params;
    const struct hbk_schema *result; /* of a request */
};

/** hbk_method_info() - name and schemas of @method, which must be one. */
const struct hbk_method_info *hbk_method_info(enum hbk_method method);

/* `error` on the wire, as texts that borrow. */
struct hbk_wire_error {
    int32_t code;
    int32_t item; /* -1: absent */
    uint32_t win32;
    struct hbk_text message, detail, limit;
};

extern const struct hbk_schema hbk_schema_error;
extern const struct hbk_schema hbk_schema_event;

/** hbk_text_measure() - the size of @text that min and max of @field bound. */
size_t hbk_text_measure(const struct hbk_field *field, struct hbk_text text);

/** hbk_text_fault() - NULL, or why @text, whatever its size, may not stand in @field. */
const char *hbk_text_fault(const struct hbk_field *field, struct hbk_text text);

/** hbk_mask_fault() - NULL, or why @mask may not stand for access rights on the wire. */
const char *hbk_mask_fault(uint32_t mask);

/** hbk_handle_fault() - NULL, or why @value (a wire number, however large) is no handle of a process. */
const char *hbk_handle_fault(double value);

/* The words of the wire, in the order of their enums. */
extern const char *const hbk_mode_words[2];     /* enum hbk_mode */
extern const char *const hbk_lifetime_words[2]; /* enum hbk_lifetime */
extern const char *const hbk_access_words[2];   /* of enum hbk_access_kind and … */
extern const char *const hbk_rule_words[2]; /* … enum hbk_type_rule_kind: the third is a mask */

#endif
