/* From cJSON's tree to structs, by the tables of schema.h. Private to the codec. */
#ifndef HBK_FIELDS_H
#define HBK_FIELDS_H

#include "message.h"
#include "schema.h"

struct cJSON;

/**
 * hbk_fields_decode() - fill a zeroed struct from the members of @object
 * @message:    its error is filled on refusal; its list memory grows
 * @lenient:    skip what the schema does not know, rather than refuse it
 * @object:     NULL: no members
 * @ret_struct: what @schema describes; borrows texts from the tree. Half filled on failure.
 * @root:       how a refusal calls the whole: "params", "result", "error"
 *
 * Return: 0; HBK_DECODE_E_REFUSED; -1 out of memory.
 */
int hbk_fields_decode(struct hbk_message *message, bool lenient, const struct hbk_schema *schema,
                      const struct cJSON *object, void *ret_struct, const char *root);

/** hbk_fields_free_lists() - free the list memory of @message. */
void hbk_fields_free_lists(struct hbk_message *message);

#endif
