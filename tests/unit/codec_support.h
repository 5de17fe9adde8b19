/* Lines made from the schema tables, and what is asserted of every line that was refused. */
#ifndef CODEC_SUPPORT_H
#define CODEC_SUPPORT_H

#include "message.h"
#include "schema.h"

/* The three directions in which the tables are used. */
enum sample_kind { SAMPLE_REQUEST, SAMPLE_NOTIFICATION, SAMPLE_RESULT };

/* One value of a sample line: a field, or an element of a list. */
struct sample_value {
    const struct hbk_field
        *field;         /* whose schema describes the value; NULL: no value of that number */
    bool element;       /* it is an element of `field`, not the field */
    bool target_member; /* it stands in the object form of `to` or `target` */
};

enum sample_change { SAMPLE_REPLACE, SAMPLE_OMIT, SAMPLE_RENAME };

/* A valid line of all fields, of which the value number `at` may be changed. */
struct sample {
    enum sample_kind kind;
    enum hbk_method method;
    bool
        other; /* the other form: `to` or `target` as an object; the second of two fields of which just one is there */
    size_t at; /* SIZE_MAX: change nothing */
    enum sample_change change;
    const char *with; /* SAMPLE_REPLACE: this text */
};

/** sample_write() - append the line, without LF, to @line. Return: what was changed. */
struct sample_value sample_write(const struct sample *sample, struct hbk_buffer *line);

/** sample_next() - go on to the next kind, method and form. All-zero before the first. False: no more. */
bool sample_next(struct sample *sample);

/** sample_read() - decode as the kind asks, results as the answer to @method. */
int sample_read(enum sample_kind kind, enum hbk_method method, struct hbk_message *message,
                struct hbk_text line);

/** sample_write_back() - encode what sample_read() decoded, with its LF. */
void sample_write_back(enum sample_kind kind, const struct hbk_message *message,
                       struct hbk_buffer *line);

/** buffer_text() - what @buffer holds. */
struct hbk_text buffer_text(const struct hbk_buffer *buffer);

/** assert_nothing_left() - @message was refused, and keeps but id, method and error. */
void assert_nothing_left(const struct hbk_message *message);

/** read_test_file() - a file of the source tree, by its path in it. To be deinitialised. */
struct hbk_buffer read_test_file(const char *path);

#endif
