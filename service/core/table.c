#include "table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 64u

int hbk_table_init(struct hbk_table *table)
{
    memset(table, 0, sizeof *table);
    table->buckets = calloc(FIRST_BUCKETS, sizeof *table->buckets);
    if (table->buckets == NULL) {
        return -1;
    }
    table->bucket_count = FIRST_BUCKETS;
    return 0;
}

void hbk_table_deinit(struct hbk_table *table)
{
    HBK_ASSERT(table->count == 0);
    free(table->buckets);
    memset(table, 0, sizeof *table);
}

static struct hbk_chain *chain_of(const struct hbk_table *table, uint64_t hash)
{
    return &table->buckets[hash & (table->bucket_count - 1)];
}

/* At the end of its chain, so that members of one hash stay in the order they came in. */
static void append(struct hbk_table *table, struct hbk_node *node)
{
    struct hbk_chain *chain = chain_of(table, node->hash);

    node->prev = chain->last;
    node->next = NULL;
    if (chain->last != NULL) {
        chain->last->next = node;
    } else {
        chain->first = node;
    }
    chain->last = node;
}

static void grow(struct hbk_table *table)
{
    struct hbk_chain *old = table->buckets;
    size_t old_count = table->bucket_count;
    struct hbk_chain *bigger = calloc(old_count * 2, sizeof *bigger);

    if (bigger == NULL) {
        return;
    }
    table->buckets = bigger;
    table->bucket_count = old_count * 2;
    for (size_t i = 0; i < old_count; i++) {
        struct hbk_node *node = old[i].first;

        while (node != NULL) {
            struct hbk_node *next = node->next;

            append(table, node);
            node = next;
        }
    }
    free(old);
}

void hbk_table_insert(struct hbk_table *table, struct hbk_node *node, uint64_t hash)
{
    HBK_ASSERT(table->buckets != NULL);
    if (table->count >= table->bucket_count) {
        grow(table);
    }
    node->hash = hash;
    append(table, node);
    table->count++;
}

void hbk_table_remove(struct hbk_table *table, struct hbk_node *node)
{
    struct hbk_chain *chain = chain_of(table, node->hash);

    HBK_ASSERT(table->count > 0);
    if (node->prev != NULL) {
        HBK_ASSERT(node->prev->next == node);
        node->prev->next = node->next;
    } else {
        HBK_ASSERT(chain->first == node);
        chain->first = node->next;
    }
    if (node->next != NULL) {
        HBK_ASSERT(node->next->prev == node);
        node->next->prev = node->prev;
    } else {
        HBK_ASSERT(chain->last == node);
        chain->last = node->prev;
    }
    node->prev = node->next = NULL;
    table->count--;
}

struct hbk_node *hbk_table_find(const struct hbk_table *table, uint64_t hash)
{
    struct hbk_node *node = chain_of(table, hash)->first;

    while (node != NULL && node->hash != hash) {
        node = node->next;
    }
    return node;
}

struct hbk_node *hbk_table_find_next(const struct hbk_node *node)
{
    uint64_t hash = node->hash;

    do {
        node = node->next;
    } while (node != NULL && node->hash != hash);
    return (struct hbk_node *)node;
}

/* ---- SipHash-2-4 (Aumasson and Bernstein, 2012) ---- */

struct sip {
    uint64_t v0, v1, v2, v3;
    uint64_t word;  /* the bytes of an incomplete word, little-endian */
    unsigned bytes; /* taken so far, all pieces together */
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64u - bits));
}

static void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

/* Compilers make one load of this where the machine is little-endian. */
static uint64_t load_word(const uint8_t *bytes)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++) {
        word |= (uint64_t)bytes[i] << (8u * i);
    }
    return word;
}

static void sip_bytes(struct sip *s, const uint8_t *bytes, size_t size)
{
    size_t i = 0;

    for (; (s->bytes & 7u) == 0 && size - i >= 8; i += 8) {
        sip_word(s, load_word(bytes + i));
        s->bytes += 8;
    }
    for (; i < size; i++) {
        s->word |= (uint64_t)bytes[i] << (8u * (s->bytes & 7u));
        s->bytes++;
        if ((s->bytes & 7u) == 0) {
            sip_word(s, s->word);
            s->word = 0;
        }
    }
}

uint64_t hbk_hash(const struct hbk_hash_key *key, const void *first, size_t first_size,
                  const void *second, size_t second_size)
{
    struct sip s = {
        .v0 = key->k0 ^ 0x736f6d6570736575u,
        .v1 = key->k1 ^ 0x646f72616e646f6du,
        .v2 = key->k0 ^ 0x6c7967656e657261u,
        .v3 = key->k1 ^ 0x7465646279746573u,
    };

    sip_bytes(&s, first, first_size);
    sip_bytes(&s, second, second_size);
    sip_word(&s, s.word | ((uint64_t)(s.bytes & 0xffu) << 56));
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
