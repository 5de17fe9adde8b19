/* proto/codec/frame: lines out of bytes in any fragmentation. */
#include "test_support.h"
#include "alloc_fault.h"
#include "frame.h"

#include <stdlib.h>
#include <string.h>

/* Takes every line that is ready, each followed by a bar. Return: what next() said last. */
static int take_all(struct hbk_framer *framer, char *taken, size_t *size)
{
    struct hbk_text line;
    int result;

    while ((result = hbk_framer_next(framer, &line)) == HBK_FRAME_LINE) {
        memcpy(taken + *size, line.data, line.size);
        *size += line.size;
        taken[(*size)++] = '|';
    }
    return result;
}

static const char stream[] = "one\n\ntwo two\r\nthr\xC3\xA9"
                             "e\n{}\nrest";
static const char expected[] = "one||two two\r|thr\xC3\xA9"
                               "e|{}|";

static void test_any_two_cuts(void **state)
{
    const size_t size = sizeof stream - 1;

    (void)state;
    for (size_t a = 0; a <= size; a++) {
        for (size_t b = a; b <= size; b++) {
            struct hbk_framer framer = {0};
            char taken[64];
            size_t got = 0;

            assert_int_equal(hbk_framer_push(&framer, stream, a), 0);
            assert_int_equal(take_all(&framer, taken, &got), 0);
            assert_int_equal(hbk_framer_push(&framer, stream + a, b - a), 0);
            assert_int_equal(take_all(&framer, taken, &got), 0);
            assert_int_equal(hbk_framer_push(&framer, stream + b, size - b), 0);
            assert_int_equal(take_all(&framer, taken, &got), 0);
            assert_int_equal(got, sizeof expected - 1);
            assert_memory_equal(taken, expected, got);
            assert_int_equal(hbk_framer_size(&framer), 4);
            hbk_framer_deinit(&framer);
        }
    }
}

static void test_lines_may_wait(void **state)
{
    struct hbk_framer framer = {0};
    struct hbk_text line;
    char taken[64];
    size_t got = 0;

    (void)state;
    assert_int_equal(hbk_framer_push(&framer, stream, 9), 0);
    assert_int_equal(hbk_framer_next(&framer, &line), HBK_FRAME_LINE);
    assert_true(hbk_text_is(line, "one"));
    assert_int_equal(hbk_framer_push(&framer, stream + 9, sizeof stream - 10), 0);
    assert_int_equal(take_all(&framer, taken, &got), 0);
    assert_int_equal(got, sizeof expected - 1 - 4);
    assert_memory_equal(taken, expected + 4, got);
    hbk_framer_deinit(&framer);
}

static void test_memory_is_held_with_bytes_only(void **state)
{
    struct hbk_framer framer = {0};
    struct hbk_text line;
    static char big[60000];

    (void)state;
    assert_int_equal(hbk_framer_next(&framer, &line), 0);
    assert_int_equal(hbk_framer_push(&framer, NULL, 0), 0);
    assert_int_equal(hbk_framer_next(&framer, &line), 0);
    assert_null(framer.bytes.data);
    memset(big, 'a', sizeof big);
    big[sizeof big - 2] = '\n';
    assert_int_equal(hbk_framer_push(&framer, big, sizeof big), 0);
    assert_int_equal(hbk_framer_next(&framer, &line), HBK_FRAME_LINE);
    assert_int_equal(line.size, sizeof big - 2);
    assert_int_equal(hbk_framer_next(&framer, &line), 0);
    assert_int_equal(hbk_framer_size(&framer), 1);
    assert_true(framer.bytes.capacity < 1000); /* one byte does not keep 60,000 */
    assert_int_equal(hbk_framer_push(&framer, "\n", 1), 0);
    assert_int_equal(hbk_framer_next(&framer, &line), HBK_FRAME_LINE);
    assert_true(hbk_text_is(line, "a"));
    assert_int_equal(hbk_framer_next(&framer, &line), 0);
    assert_int_equal(hbk_framer_size(&framer), 0);
    assert_null(framer.bytes.data);
    hbk_framer_deinit(&framer);
    hbk_framer_deinit(&framer);
}

/* A line of @size bytes with its LF, in pieces of @piece. Return: what next() said last. */
static int feed_line(struct hbk_framer *framer, size_t size, size_t piece, bool ended,
                     size_t *ret_line)
{
    char *bytes = malloc(size);
    struct hbk_text line = {NULL, 0};
    int result = 0;

    assert_non_null(bytes);
    memset(bytes, 'x', size);
    if (ended)
        bytes[size - 1] = '\n';
    for (size_t at = 0; at < size && result == 0; at += piece) {
        assert_int_equal(hbk_framer_push(framer, bytes + at, piece < size - at ? piece : size - at),
                         0);
        result = hbk_framer_next(framer, &line);
    }
    free(bytes);
    *ret_line = line.size;
    return result;
}

static void test_longest_line(void **state)
{
    static const size_t pieces[] = {1, 7, 4096, HBK_LINE_BYTES_MAX, (size_t)2 * HBK_LINE_BYTES_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct hbk_framer framer = {0};
        size_t size;

        assert_int_equal(feed_line(&framer, HBK_LINE_BYTES_MAX, pieces[i], true, &size),
                         HBK_FRAME_LINE);
        assert_int_equal(size, HBK_LINE_BYTES_MAX - 1);
        hbk_framer_deinit(&framer);
    }
}

static void test_too_long_a_line(void **state)
{
    static const size_t pieces[] = {1, 7, 4096, HBK_LINE_BYTES_MAX, (size_t)2 * HBK_LINE_BYTES_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct hbk_framer framer = {0};
        struct hbk_text line;
        size_t size;

        assert_int_equal(feed_line(&framer, HBK_LINE_BYTES_MAX + 1, pieces[i], true, &size),
                         HBK_FRAME_E_TOO_LONG);
        assert_int_equal(hbk_framer_push(&framer, "\n{}\n", 4), 0);
        assert_int_equal(hbk_framer_next(&framer, &line), HBK_FRAME_E_TOO_LONG);
        hbk_framer_deinit(&framer);

        /* One that never ends is too long once its LF could only come too late. */
        assert_int_equal(feed_line(&framer, HBK_LINE_BYTES_MAX - 1, pieces[i], false, &size), 0);
        assert_int_equal(hbk_framer_push(&framer, "x", 1), 0);
        assert_int_equal(hbk_framer_next(&framer, &line), HBK_FRAME_E_TOO_LONG);
        hbk_framer_deinit(&framer);
    }
}

static void test_lines_before_a_long_one_come_out(void **state)
{
    struct hbk_framer framer = {0};
    struct hbk_text line;
    size_t size;

    (void)state;
    assert_int_equal(hbk_framer_push(&framer, "first\n", 6), 0);
    assert_int_equal(
        feed_line(&framer, HBK_LINE_BYTES_MAX + 1, HBK_LINE_BYTES_MAX + 1, true, &size),
        HBK_FRAME_LINE);
    assert_int_equal(size, 5);
    assert_int_equal(hbk_framer_next(&framer, &line), HBK_FRAME_E_TOO_LONG);
    hbk_framer_deinit(&framer);
}

static void test_push_is_bounded(void **state)
{
    struct hbk_framer framer = {0};
    struct hbk_text line;
    char *bytes = malloc(HBK_FRAMER_BYTES_MAX + 1);

    (void)state;
    assert_non_null(bytes);
    memset(bytes, '\n', HBK_FRAMER_BYTES_MAX + 1);
    assert_int_equal(hbk_framer_push(&framer, bytes, HBK_FRAMER_BYTES_MAX + 1), -1);
    assert_int_equal(hbk_framer_size(&framer), 0);
    assert_int_equal(hbk_framer_push(&framer, bytes, HBK_FRAMER_BYTES_MAX), 0);
    assert_int_equal(hbk_framer_push(&framer, bytes, 1), -1);
    assert_int_equal(hbk_framer_next(&framer, &line), HBK_FRAME_LINE);
    assert_int_equal(hbk_framer_push(&framer, bytes, 1), 0);
    assert_int_equal(hbk_framer_size(&framer), HBK_FRAMER_BYTES_MAX);
    hbk_framer_deinit(&framer);
    free(bytes);
}

static void test_push_without_memory(void **state)
{
    struct hbk_framer framer = {0};
    struct hbk_text line;

    (void)state;
    if (!alloc_fault_works())
        skip();
    alloc_fault_arm(0);
    assert_int_equal(hbk_framer_push(&framer, "a\n", 2), -1);
    (void)alloc_fault_disarm();
    assert_int_equal(hbk_framer_next(&framer, &line), 0);
    assert_int_equal(hbk_framer_push(&framer, "b\n", 2), 0);
    assert_int_equal(hbk_framer_next(&framer, &line), HBK_FRAME_LINE);
    assert_true(hbk_text_is(line, "b"));
    hbk_framer_deinit(&framer);
}

/* Many lines of many sizes in random pieces come out as they went in. */
static void test_random_pieces(void **state)
{
    struct hbk_framer framer = {0};
    uint32_t seed = 20240601;
    size_t sent = 0, received = 0;
    char bytes[4096];

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct hbk_text line;
        size_t size;

        seed = seed * 1664525u + 1013904223u;
        size = (seed >> 16) % sizeof bytes;
        for (size_t i = 0; i < size; i++, sent++)
            bytes[i] = (char)(sent % 1009 == 1008 ? '\n' : 'a' + (int)(sent / 1009 % 26));
        assert_int_equal(hbk_framer_push(&framer, bytes, size), 0);
        if (round % 3 == 0)
            continue;
        while (hbk_framer_next(&framer, &line) == HBK_FRAME_LINE) {
            assert_int_equal(line.size, 1008);
            assert_int_equal(line.data[0], 'a' + (int)(received % 26));
            assert_int_equal(line.data[1007], 'a' + (int)(received % 26));
            received++;
        }
        assert_true(hbk_framer_size(&framer) < 1009);
    }
    assert_int_equal(received, (sent - hbk_framer_size(&framer)) / 1009);
    hbk_framer_deinit(&framer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_two_cuts),
        cmocka_unit_test(test_lines_may_wait),
        cmocka_unit_test(test_memory_is_held_with_bytes_only),
        cmocka_unit_test(test_longest_line),
        cmocka_unit_test(test_too_long_a_line),
        cmocka_unit_test(test_lines_before_a_long_one_come_out),
        cmocka_unit_test(test_push_is_bounded),
        cmocka_unit_test(test_push_without_memory),
        cmocka_unit_test(test_random_pieces),
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
