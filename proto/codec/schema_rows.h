/* How the tables of schema.h are written down: shorthands for their rows, and the schemas that stand in one file and
 * are named in another. Private to schema.c and schema_handles.c. */
#ifndef HBK_SCHEMA_ROWS_H
#define HBK_SCHEMA_ROWS_H

#include "schema.h"

/* S is the struct, M its member. What is not named in a row is zero. */
#define FIELD(S, M, KEY, KIND, NEED)                                  \
    .key = (KEY), .kind = HBK_FIELD_##KIND, .need = HBK_FIELD_##NEED, \
    .offset = (uint16_t)offsetof(struct S, M), .present = HBK_FIELD_NO_OFFSET
#define LIST(S, COUNT, TYPE) \
    .count = (uint16_t)offsetof(struct S, COUNT), .size = (uint16_t)sizeof(TYPE)
#define RANGE(MIN, MAX) .min = (MIN), .max = (MAX)
#define ANY_U32 RANGE(0, UINT32_MAX)
#define ID RANGE(1, HBK_INTEGER_MAX)
#define COUNTER RANGE(0, HBK_INTEGER_MAX)
#define NAME RANGE(1, HBK_NAME_BYTES_MAX), .check = HBK_TEXT_NAME, .limit = "name_bytes"
#define SID RANGE(1, HBK_SID_BYTES_MAX), .check = HBK_TEXT_SID
#define PID RANGE(1, UINT32_MAX)
#define DATA RANGE(0, HBK_DATA_BYTES_MAX), .check = HBK_TEXT_ESCAPED, .limit = "data_bytes"
#define ITEMS RANGE(1, HBK_ITEMS_MAX), .items = true, .limit = "items"
#define SCHEMA(WHAT)                                                  \
    {                                                                 \
        WHAT##_fields, sizeof WHAT##_fields / sizeof WHAT##_fields[0] \
    }

/* What carries handles. */
extern const struct hbk_schema hbk_schema_sent_item, hbk_schema_send, hbk_schema_send_result,
    hbk_schema_delivery_accept, hbk_schema_delivery_accept_result, hbk_schema_delivery_reject,
    hbk_schema_delivered, hbk_schema_offered, hbk_schema_delivery_revoke_result,
    hbk_schema_delivery_revoked, hbk_schema_delivery_list_result, hbk_schema_transfer,
    hbk_schema_transfer_result, hbk_schema_store_put, hbk_schema_store_put_result,
    hbk_schema_store_get, hbk_schema_store_get_result, hbk_schema_store_remove,
    hbk_schema_store_list_result;

#endif
