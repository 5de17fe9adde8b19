/* The hash table: order among equal hashes, whatever comes, goes and fails to grow; and its keyed hash. */
#include "table.h"

#include "alloc_fault.h"
#include "test_support.h"

#include <string.h>

enum { NODES = 2000, HASHES = 7, OF_ONE = 400 };

static struct hbk_node nodes[NODES];
static bool there[NODES];

/* Those of each hash that are there, oldest first, and no others. */
static void check(const struct hbk_table *table)
{
    size_t count = 0;
    for (uint64_t hash = 0; hash < HASHES; ++hash) {
        struct hbk_node *node = hbk_table_find(table, hash);
        for (size_t i = (size_t)hash; i < NODES; i += HASHES) {
            if (!there[i])
                continue;
            assert_ptr_equal(node, &nodes[i]);
            node = hbk_table_find_next(node);
            ++count;
        }
        assert_null(node);
    }
    assert_int_equal(table->count, count);
}

static void insert(struct hbk_table *table, size_t i)
{
    hbk_table_insert(table, &nodes[i], i % HASHES);
    there[i] = true;
}

static void take(struct hbk_table *table, size_t i)
{
    hbk_table_remove(table, &nodes[i]);
    there[i] = false;
}

static void order_of_equal_hashes(void **state)
{
    (void)state;
    struct hbk_table table;
    assert_int_equal(hbk_table_init(&table), 0);
    check(&table);
    for (size_t i = 0; i < NODES; ++i)
        insert(&table, i);
    check(&table);
    take(&table, 0); /* the oldest of a hash, the newest, some in between */
    take(&table, NODES - 1);
    for (size_t i = 1; i < NODES - 1; i += 3)
        take(&table, i);
    check(&table);
    for (size_t i = 0; i < NODES; ++i)
        if (there[i])
            take(&table, i);
    check(&table);
    insert(&table, 5); /* of a chain that was emptied */
    check(&table);
    take(&table, 5);
    hbk_table_deinit(&table);
    hbk_table_deinit(&table);
}

static void without_memory_chains_grow(void **state)
{
    (void)state;
    struct hbk_table table;
    if (!alloc_fault_works()) {
        print_message("skipped: allocations cannot be made to fail in this build\n");
        skip();
    }
    alloc_fault_arm(0);
    assert_int_equal(hbk_table_init(&table), -1);
    alloc_fault_disarm();
    assert_int_equal(hbk_table_init(&table), 0);
    size_t before = table.bucket_count;
    alloc_fault_arm_span(0, SIZE_MAX);
    for (size_t i = 0; i < OF_ONE; ++i)
        insert(&table, i);
    assert_true(alloc_fault_disarm() > 0);
    assert_int_equal(table.bucket_count, before);
    check(&table);
    for (size_t i = 0; i < OF_ONE; ++i)
        take(&table, i);
    hbk_table_deinit(&table);
}

/* The vectors of SipHash's authors: key 00 … 0f, of 00 01 02 … the first 0, 1, 7, 8, 15, 16 and 63 bytes. */
static void hash_is_siphash(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint64_t hash;
    } vectors[] = {
        {0, 0x726fdb47dd0e0e31u},  {1, 0x74f839c593dc67fdu},  {7, 0xab0200f58b01d137u},
        {8, 0x93f5f5799a932462u},  {15, 0xa129ca6149be45e5u}, {16, 0x3f2acc7f57c29bdbu},
        {63, 0x958a324ceb064572u},
    };
    const struct hbk_hash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    uint8_t bytes[63];
    for (size_t i = 0; i < sizeof bytes; ++i)
        bytes[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; ++i)
        /* In two pieces of whatever sizes. */
        for (size_t first = 0; first <= vectors[i].size; ++first)
            assert_true(hbk_hash(&key, bytes, first, bytes + first, vectors[i].size - first) ==
                        vectors[i].hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_equal_hashes),
        cmocka_unit_test(without_memory_chains_grow),
        cmocka_unit_test(hash_is_siphash),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
