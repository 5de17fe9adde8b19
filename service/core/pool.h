/* Pools of equal objects with ids that are never used twice: {generation, index}. An object's address
 * does not change while it lives. */
#ifndef HBK_POOL_H
#define HBK_POOL_H

#include "base.h"

/* The first member of every pooled object. */
struct hbk_slot {
    uint64_t id;        /* 1..HBK_INTEGER_MAX; of a free slot: the id it had last */
    uint32_t next_free; /* index plus one; 0: none */
    bool used;
};

struct hbk_pool {
    size_t object_size;
    char **chunks;
    uint32_t chunk_count, chunk_capacity;
    uint32_t first_free; /* index plus one; 0: none */
    uint32_t used_count;
};

/** hbk_pool_init() - of objects of @object_size bytes, whose first member is their slot; none yet. */
void hbk_pool_init(struct hbk_pool *pool, size_t object_size);
/** hbk_pool_deinit() - only when nothing in it is used. */
void hbk_pool_deinit(struct hbk_pool *pool);
/** hbk_pool_new() - an object, all zero but for its slot. Return: NULL out of memory or of indices. */
void *hbk_pool_new(struct hbk_pool *pool);
/** hbk_pool_free() - @object is used no more; its id is never given out again. */
void hbk_pool_free(struct hbk_pool *pool, void *object);
/** hbk_pool_get() - the object with @id; NULL if there is none, or no more. */
void *hbk_pool_get(const struct hbk_pool *pool, uint64_t id);
/** hbk_pool_at() - the object at @index, below hbk_pool_size(); NULL if there is none. */
void *hbk_pool_at(const struct hbk_pool *pool, uint32_t index);
/** hbk_pool_size() - no object has this index or a higher one. */
uint32_t hbk_pool_size(const struct hbk_pool *pool);

#endif
