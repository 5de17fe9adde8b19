/* What the core keeps its objects in: pools and their ids, tables and their hash, timers. */
#include "pool.h"
#include "table.h"
#include "timer.h"

#include "alloc_fault.h"
#include "test_support.h"

#include <stdlib.h>
#include <string.h>

static void skip_where_nothing_fails(void)
{
    if (alloc_fault_works())
        return;
    print_message("skipped: this build cannot make allocations fail\n");
    skip();
}

/* ---- pools ---- */

struct object {
    struct hbk_slot slot;
    int value;
};

static void an_id_is_used_once(void **state)
{
    (void)state;
    struct hbk_pool pool;
    hbk_pool_init(&pool, sizeof(struct object));
    struct object *kept = hbk_pool_new(&pool);
    assert_non_null(kept);
    uint64_t before = 0;
    for (int i = 0; i < 100; ++i) {
        struct object *object = hbk_pool_new(&pool);
        assert_non_null(object);
        assert_int_equal(object->value, 0);
        object->value = i + 1;
        uint64_t id = object->slot.id;
        assert_true(id != 0 && id != before && id != kept->slot.id);
        assert_ptr_equal(hbk_pool_get(&pool, id), object);
        hbk_pool_free(&pool, object);
        assert_null(hbk_pool_get(&pool, id));
        before = id;
    }
    assert_null(hbk_pool_get(&pool, 0));
    assert_null(hbk_pool_get(&pool, UINT64_MAX));
    assert_int_equal(pool.used_count, 1);
    hbk_pool_free(&pool, kept);
    hbk_pool_deinit(&pool);
}

/* After 2^32 lives of one slot its ids begin anew, and are never 0; each fits a JSON number. */
static void the_generations_of_a_slot_go_round(void **state)
{
    (void)state;
    struct hbk_pool pool;
    hbk_pool_init(&pool, sizeof(struct object));
    struct object *object = hbk_pool_new(&pool);
    assert_non_null(object);
    uint64_t first = object->slot.id;
    object->slot.id = (UINT64_C(1) << 53) - (UINT64_C(1) << 21); /* its last life, at index 0 */
    assert_ptr_equal(hbk_pool_get(&pool, object->slot.id), object);
    hbk_pool_free(&pool, object);
    object = hbk_pool_new(&pool);
    assert_non_null(object);
    assert_int_equal(object->slot.id, first);
    hbk_pool_free(&pool, object);
    hbk_pool_deinit(&pool);
}

static void a_pool_without_memory(void **state)
{
    (void)state;
    skip_where_nothing_fails();
    enum { OBJECTS = 1000 };
    struct hbk_pool pool;
    struct object *objects[OBJECTS];
    size_t failed = 0;
    hbk_pool_init(&pool, sizeof(struct object));
    for (size_t i = 0; i < OBJECTS; ++i) {
        alloc_fault_arm(i % 3);
        objects[i] = hbk_pool_new(&pool);
        (void)alloc_fault_disarm();
        if (!objects[i]) {
            assert_int_equal(pool.used_count, i);
            objects[i] = hbk_pool_new(&pool);
            ++failed;
        }
        assert_non_null(objects[i]);
        objects[i]->value = (int)i;
    }
    assert_true(failed > 10);
    for (size_t i = 0; i < OBJECTS; ++i) {
        assert_int_equal(objects[i]->value, i);
        hbk_pool_free(&pool, objects[i]);
    }
    hbk_pool_deinit(&pool);
}

/* ---- tables ---- */

/* The author's own: key 00 01 … 0f over the bytes 00 01 … of each length, in pieces of any size. */
static void the_hash_is_siphash(void **state)
{
    static const struct {
        size_t size;
        uint64_t hash;
    } vectors[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
        {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)}, {63, UINT64_C(0x958a324ceb064572)},
    };
    const struct hbk_hash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    uint8_t bytes[64];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; ++i)
        bytes[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; ++i)
        for (size_t cut = 0; cut <= vectors[i].size; ++cut)
            assert_true(hbk_hash(&key, bytes, cut, bytes + cut, vectors[i].size - cut) ==
                        vectors[i].hash);
}

/* Where it cannot grow, its chains do: all are found, in the order they came in. */
static void a_table_that_cannot_grow_serves(void **state)
{
    (void)state;
    skip_where_nothing_fails();
    enum { NODES = 500 };
    static struct hbk_node nodes[NODES];
    struct hbk_table table;
    assert_int_equal(hbk_table_init(&table), 0);
    size_t buckets = table.bucket_count;
    alloc_fault_arm_span(0, SIZE_MAX);
    for (size_t i = 0; i < NODES; ++i)
        hbk_table_insert(&table, &nodes[i], i / 2);
    assert_true(alloc_fault_disarm() > 0);
    assert_int_equal(table.bucket_count, buckets);
    for (size_t i = 0; i < NODES; i += 2) {
        assert_ptr_equal(hbk_table_find(&table, i / 2), &nodes[i]);
        assert_ptr_equal(hbk_table_find_next(&nodes[i]), &nodes[i + 1]);
        assert_null(hbk_table_find_next(&nodes[i + 1]));
    }
    hbk_table_remove(&table, &nodes[0]);
    hbk_table_insert(&table, &nodes[0], 0); /* with memory again it grows */
    assert_true(table.bucket_count > buckets);
    assert_ptr_equal(hbk_table_find(&table, 0), &nodes[1]);
    assert_null(hbk_table_find(&table, NODES));
    for (size_t i = 0; i < NODES; ++i)
        hbk_table_remove(&table, &nodes[i]);
    hbk_table_deinit(&table);
}

static void a_table_without_memory_is_none(void **state)
{
    struct hbk_table table;
    (void)state;
    skip_where_nothing_fails();
    alloc_fault_arm(0);
    assert_int_equal(hbk_table_init(&table), -1);
    (void)alloc_fault_disarm();
    hbk_table_deinit(&table);
}

/* ---- timers ---- */

enum { TIMERS = 300 };

static const struct hbk_timer *earliest(const struct hbk_timer *timers)
{
    const struct hbk_timer *first = NULL;
    for (size_t i = 0; i < TIMERS; ++i)
        if (timers[i].place && (!first || timers[i].due_ms < first->due_ms))
            first = &timers[i];
    return first;
}

static void the_earliest_is_next_whatever_is_moved(void **state)
{
    (void)state;
    static struct hbk_timer timers[TIMERS];
    struct hbk_timers heap = {0};
    uint64_t random = 1;
    for (size_t i = 0; i < TIMERS; ++i)
        assert_int_equal(hbk_timers_reserve(&heap), 0);
    assert_null(hbk_timers_next(&heap));
    for (int i = 0; i < 20000; ++i) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        struct hbk_timer *timer = &timers[(random >> 40) % TIMERS];
        uint64_t due = (random >> 33) % 50;
        hbk_timer_set(&heap, timer, due ? due : HBK_NEVER);
        const struct hbk_timer *next = hbk_timers_next(&heap), *first = earliest(timers);
        assert_true(!next == !first);
        if (next)
            assert_int_equal(next->due_ms, first->due_ms);
    }
    for (size_t i = 0; i < TIMERS; ++i) {
        hbk_timer_set(&heap, &timers[i], HBK_NEVER);
        hbk_timers_unreserve(&heap);
    }
    assert_null(hbk_timers_next(&heap));
    hbk_timers_deinit(&heap);
}

static void timers_without_memory(void **state)
{
    (void)state;
    skip_where_nothing_fails();
    struct hbk_timers heap = {0};
    size_t failed = 0;
    for (size_t i = 0; i < TIMERS; ++i) {
        alloc_fault_arm(0);
        int result = hbk_timers_reserve(&heap);
        (void)alloc_fault_disarm();
        if (result != 0) {
            assert_int_equal(heap.reserved, i);
            assert_int_equal(hbk_timers_reserve(&heap), 0);
            ++failed;
        }
    }
    assert_true(failed > 1);
    for (size_t i = 0; i < TIMERS; ++i)
        hbk_timers_unreserve(&heap);
    hbk_timers_deinit(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_used_once),
        cmocka_unit_test(the_generations_of_a_slot_go_round),
        cmocka_unit_test(a_pool_without_memory),
        cmocka_unit_test(the_hash_is_siphash),
        cmocka_unit_test(a_table_that_cannot_grow_serves),
        cmocka_unit_test(a_table_without_memory_is_none),
        cmocka_unit_test(the_earliest_is_next_whatever_is_moved),
        cmocka_unit_test(timers_without_memory),
    };
    return cmocka_run_group_tests_name("core: containers", tests, NULL, NULL);
}
