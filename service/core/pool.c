#include "pool.h"

#include <stdlib.h>
#include <string.h>

#define INDEX_BITS 21u
#define INDEX_MASK ((1u << INDEX_BITS) - 1)
#define CHUNK_OBJECTS 32u
#define GENERATION_MAX 0xffffffffu /* 32 + 21 bits: exact in a JSON number */

void hbk_pool_init(struct hbk_pool *pool, size_t object_size)
{
    memset(pool, 0, sizeof *pool);
    pool->object_size = object_size;
}

void hbk_pool_deinit(struct hbk_pool *pool)
{
    HBK_ASSERT(pool->used_count == 0);
    for (uint32_t i = 0; i < pool->chunk_count; i++) {
        free(pool->chunks[i]);
    }
    free(pool->chunks);
    hbk_pool_init(pool, pool->object_size);
}

static struct hbk_slot *slot_at(const struct hbk_pool *pool, uint32_t index)
{
    char *chunk = pool->chunks[index / CHUNK_OBJECTS];

    return (struct hbk_slot *)(void *)(chunk + (index % CHUNK_OBJECTS) * pool->object_size);
}

/* Last out, first in: a busy broker stays within few cache lines, and generations keep ids unique. */
static void push_free(struct hbk_pool *pool, struct hbk_slot *slot)
{
    slot->next_free = pool->first_free;
    pool->first_free = (uint32_t)(slot->id & INDEX_MASK) + 1;
}

static int add_chunk(struct hbk_pool *pool)
{
    uint32_t first = pool->chunk_count * CHUNK_OBJECTS;
    char *chunk;

    if (first + CHUNK_OBJECTS > INDEX_MASK) {
        return -1;
    }
    if (pool->chunk_count == pool->chunk_capacity) {
        uint32_t capacity = pool->chunk_capacity == 0 ? 8 : pool->chunk_capacity * 2;
        char **chunks = realloc(pool->chunks, capacity * sizeof *chunks);

        if (chunks == NULL) {
            return -1;
        }
        pool->chunks = chunks;
        pool->chunk_capacity = capacity;
    }
    chunk = calloc(CHUNK_OBJECTS, pool->object_size);
    if (chunk == NULL) {
        return -1;
    }
    pool->chunks[pool->chunk_count] = chunk;
    pool->chunk_count++;
    for (uint32_t i = CHUNK_OBJECTS; i-- > 0;) {
        struct hbk_slot *slot = slot_at(pool, first + i);

        slot->id = first + i;
        push_free(pool, slot);
    }
    return 0;
}

void *hbk_pool_new(struct hbk_pool *pool)
{
    struct hbk_slot *slot;
    uint64_t index, generation;

    if (pool->first_free == 0 && add_chunk(pool) != 0) {
        return NULL;
    }
    slot = slot_at(pool, pool->first_free - 1);
    HBK_ASSERT(!slot->used);
    pool->first_free = slot->next_free;
    index = slot->id & INDEX_MASK;
    generation = slot->id >> INDEX_BITS;
    generation = generation == GENERATION_MAX ? 1 : generation + 1;
    memset(slot, 0, pool->object_size);
    slot->id = (generation << INDEX_BITS) | index;
    slot->used = true;
    pool->used_count++;
    return slot;
}

void hbk_pool_free(struct hbk_pool *pool, void *object)
{
    struct hbk_slot *slot = object;

    HBK_ASSERT(slot->used && pool->used_count > 0);
    slot->used = false;
    pool->used_count--;
    push_free(pool, slot);
}

void *hbk_pool_get(const struct hbk_pool *pool, uint64_t id)
{
    uint64_t index = id & INDEX_MASK;
    struct hbk_slot *slot;

    if (index >= (uint64_t)pool->chunk_count * CHUNK_OBJECTS) {
        return NULL;
    }
    slot = slot_at(pool, (uint32_t)index);
    return slot->used && slot->id == id ? slot : NULL;
}

void *hbk_pool_at(const struct hbk_pool *pool, uint32_t index)
{
    struct hbk_slot *slot;

    HBK_ASSERT(index < hbk_pool_size(pool));
    slot = slot_at(pool, index);
    return slot->used ? slot : NULL;
}

uint32_t hbk_pool_size(const struct hbk_pool *pool)
{
    return pool->chunk_count * CHUNK_OBJECTS;
}
