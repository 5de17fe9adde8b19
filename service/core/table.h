/* Hash table threaded through its members, and the keyed hash for names that strangers choose. */
#ifndef HBK_TABLE_H
#define HBK_TABLE_H

#include "base.h"

struct hbk_node {
    struct hbk_node *prev, *next; /* NULL at either end of its chain */
    uint64_t hash;
};

struct hbk_chain {
    struct hbk_node *first, *last;
};

/* Several members may have one hash: the caller compares. However many they are, one comes and goes at the
 * same cost. */
struct hbk_table {
    struct hbk_chain *buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
};

/** hbk_table_init() - an empty table. Return: 0; -1 out of memory. */
int hbk_table_init(struct hbk_table *table);
/** hbk_table_deinit() - only of an empty table; all-zero is accepted. */
void hbk_table_deinit(struct hbk_table *table);
/** hbk_table_insert() - cannot fail: where it cannot grow, its chains do. */
void hbk_table_insert(struct hbk_table *table, struct hbk_node *node, uint64_t hash);
/** hbk_table_remove() - take @node out; it must be in. */
void hbk_table_remove(struct hbk_table *table, struct hbk_node *node);
/** hbk_table_find() - first member with @hash, oldest first; NULL if none. */
struct hbk_node *hbk_table_find(const struct hbk_table *table, uint64_t hash);
/** hbk_table_find_next() - the next one with the same hash; NULL if none. */
struct hbk_node *hbk_table_find_next(const struct hbk_node *node);

struct hbk_hash_key {
    uint64_t k0, k1;
};

/** hbk_hash() - SipHash-2-4 of two pieces in a row: without @key nobody can make names collide. */
uint64_t hbk_hash(const struct hbk_hash_key *key, const void *first, size_t first_size,
                  const void *second, size_t second_size);

#endif
