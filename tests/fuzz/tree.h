/* Messages beside the line that they stand for, as a second parser (jansson) reads it. */
#ifndef TREE_H
#define TREE_H

#include "message.h"
#include "schema.h"

#include <jansson.h>

/** tree_load() - @text by jansson, duplicate keys refused, every number a double. Return: NULL if it refuses; for
 * json_decref(). */
json_t *tree_load(struct hbk_text text);

/** tree_is_text() - @value is a string of just these bytes. */
bool tree_is_text(const json_t *value, struct hbk_text text);
/** tree_is_id() - @value is what @id says; NULL and null are an id of no kind. */
bool tree_is_id(const json_t *value, const struct hbk_id *id);

/**
 * tree_check() - every field of the struct at @base must have the value that @object gives it; or, where @object
 * says nothing, that of an absent one
 * @object: NULL: an object without members
 * @strict: and @object may have no member that @schema does not know
 */
void tree_check(const struct hbk_schema *schema, const json_t *object, const void *base,
                bool strict);

#endif
