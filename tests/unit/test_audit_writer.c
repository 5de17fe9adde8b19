/* The audit file's writer over a disk that fills up in the middle of a line, writes less than it was given, fails to
 * cut, to rename and to open, and loses the file: what stands in the files is whole lines, each once. */
#include "auditwriter.h"
#include "test_support.h"

#include <stdio.h>
#include <string.h>

enum { FILES = 8, BYTES = 81920, DISK_FULL = 112, IO_FAULT = 1117, DENIED = 5, SHARED = 32 };

static struct disk {
    bool there[FILES];
    bool open;
    uint32_t size[FILES];
    char bytes[FILES][BYTES];
    uint32_t room;       /* for all files together */
    uint32_t piece;      /* the most that one write takes; 0: all */
    uint32_t open_error; /* each: nonzero: that operation fails so */
    uint32_t write_error;
    uint32_t write_before; /* bytes that get there before write_error */
    uint32_t cut_error;
    uint32_t rename_error;
    uint32_t rename_from; /* of this file alone */
    bool stubborn;        /* rename says yes and does nothing */
    bool idle;            /* write takes nothing and says yes */
    uint32_t idle_writes;
    bool lost; /* the open file has no name any more */
} disk;

static uint32_t used(void)
{
    uint32_t sum = 0;
    for (int i = 0; i < FILES; i++)
        sum += disk.there[i] ? disk.size[i] : 0;
    return sum;
}

static uint32_t disk_open(void *context, uint64_t *ret_size)
{
    assert_ptr_equal(context, &disk);
    assert_false(disk.open);
    if (disk.open_error != 0)
        return disk.open_error;
    if (!disk.there[0]) {
        disk.there[0] = true;
        disk.size[0] = 0;
    }
    disk.open = true;
    *ret_size = disk.size[0];
    return 0;
}

static bool disk_still_there(void *context)
{
    assert_ptr_equal(context, &disk);
    assert_true(disk.open);
    return !disk.lost;
}

static uint32_t disk_read(void *context, uint64_t offset, void *bytes, uint32_t size, uint32_t *ret)
{
    assert_ptr_equal(context, &disk);
    assert_true(disk.open && offset + size <= disk.size[0]);
    memcpy(bytes, disk.bytes[0] + offset, size);
    *ret = size;
    return 0;
}

static uint32_t disk_write(void *context, uint64_t offset, const void *bytes, uint32_t size,
                           uint32_t *ret)
{
    uint32_t error = 0;
    assert_ptr_equal(context, &disk);
    assert_true(disk.open && size > 0);
    /* Never over what is there, never behind a gap. */
    assert_int_equal(offset, disk.size[0]);
    if (disk.idle) {
        assert_true(++disk.idle_writes < 100); /* nobody asks for ever */
        *ret = 0;
        return 0;
    }
    if (disk.piece != 0 && size > disk.piece)
        size = disk.piece;
    if (disk.write_error != 0) {
        size = size < disk.write_before ? size : disk.write_before;
        error = disk.write_error;
    }
    if (used() + size > disk.room) {
        size = disk.room - used();
        error = DISK_FULL;
    }
    assert_true(offset + size <= BYTES);
    memcpy(disk.bytes[0] + offset, bytes, size);
    disk.size[0] += size;
    *ret = size;
    return error;
}

static uint32_t disk_cut(void *context, uint64_t size)
{
    assert_ptr_equal(context, &disk);
    assert_true(disk.open && size <= disk.size[0]);
    if (disk.cut_error != 0)
        return disk.cut_error;
    disk.size[0] = (uint32_t)size;
    return 0;
}

static void disk_close(void *context)
{
    assert_ptr_equal(context, &disk);
    assert_true(disk.open);
    disk.open = false;
    if (disk.lost)
        disk.there[0] = disk.lost = false;
}

static uint32_t disk_rename(void *context, uint32_t from, uint32_t to)
{
    assert_ptr_equal(context, &disk);
    assert_true(!disk.open && to == from + 1 && to < FILES);
    if (disk.rename_error != 0 && from == disk.rename_from)
        return disk.rename_error;
    if (!disk.there[from])
        return HBK_AUDIT_ERROR_ABSENT;
    if (disk.stubborn)
        return 0;
    memcpy(disk.bytes[to], disk.bytes[from], disk.size[from]);
    disk.size[to] = disk.size[from];
    disk.there[to] = true;
    disk.there[from] = false;
    return 0;
}

static struct hbk_audit_writer writer;
static uint32_t next_line;

static void begin(uint64_t file_bytes, uint32_t files)
{
    static const struct hbk_audit_io io = {&disk,      disk_open, disk_still_there, disk_read,
                                           disk_write, disk_cut,  disk_close,       disk_rename};
    memset(&disk, 0, sizeof disk);
    disk.room = FILES * BYTES;
    next_line = 0;
    hbk_audit_writer_init(&writer, &io, file_bytes, files);
}

static int end(void **state)
{
    (void)state;
    hbk_audit_writer_deinit(&writer);
    assert_false(disk.open);
    return 0;
}

static void put(int number, const char *text)
{
    disk.there[number] = true;
    disk.size[number] = (uint32_t)strlen(text);
    memcpy(disk.bytes[number], text, strlen(text));
}

static void holds(int number, const char *text)
{
    assert_true(disk.there[number]);
    assert_int_equal(disk.size[number], strlen(text));
    assert_memory_equal(disk.bytes[number], text, strlen(text));
}

static uint32_t write(const char *text, size_t *ret_done)
{
    *ret_done = 9999;
    return hbk_audit_writer_write(&writer, text, strlen(text), ret_done);
}

static void writes(const char *text)
{
    size_t done;
    assert_int_equal(write(text, &done), 0);
    assert_int_equal(done, strlen(text));
}

/* ---- one matter each ---- */

static void appended(void **state)
{
    (void)state;
    begin(1000, 3);
    put(0, "{0}\n");
    writes("{1}\n{2}\n");
    writes("{3}\n");
    holds(0, "{0}\n{1}\n{2}\n{3}\n");
    assert_false(disk.there[1]);
    size_t done;
    assert_int_equal(write("", &done), 0);
    assert_int_equal(done, 0);
}

static void rotated_by_size(void **state)
{
    (void)state;
    begin(8, 3);
    writes("{1}\n");
    writes("{2}\n");
    assert_false(disk.there[1]); /* just full */
    writes("{3}\n");
    holds(0, "{3}\n");
    holds(1, "{1}\n{2}\n");
    writes("{4}\n{5}\n{6}\n{7}\n");
    holds(0, "{7}\n");
    holds(1, "{5}\n{6}\n");
    holds(2, "{3}\n{4}\n");
    assert_false(disk.there[3]); /* "files" in all */
    assert_int_equal(writer.rotate_error, 0);
}

static void a_single_file_is_emptied(void **state)
{
    (void)state;
    begin(8, 1);
    writes("{1}\n{2}\n{3}\n");
    holds(0, "{3}\n");
    assert_false(disk.there[1]);
}

static void a_line_longer_than_a_file(void **state)
{
    (void)state;
    begin(8, 2);
    writes("{1}\n{0123456789}\n{2}\n");
    holds(0, "{2}\n");
    holds(1, "{0123456789}\n");
}

static void a_full_disk_in_the_middle_of_a_line(void **state)
{
    (void)state;
    size_t done;
    begin(1000, 3);
    writes("{1}\n");
    disk.room = 10;
    assert_int_equal(write("{2}\n{3}\n{4}\n", &done), DISK_FULL);
    assert_int_equal(done, 4);
    holds(0, "{1}\n{2}\n"); /* cut back */
    assert_int_equal(write("{3}\n{4}\n", &done), DISK_FULL);
    assert_int_equal(done, 0);
    holds(0, "{1}\n{2}\n");
    disk.room = 1000;
    writes("{3}\n{4}\n");
    holds(0, "{1}\n{2}\n{3}\n{4}\n");
}

static void a_torn_line_that_cannot_be_cut_at_once(void **state)
{
    (void)state;
    size_t done;
    begin(1000, 3);
    disk.room = 6;
    disk.cut_error = IO_FAULT;
    assert_int_equal(write("{1}\n{2}\n", &done), DISK_FULL);
    assert_int_equal(done, 4);
    holds(0, "{1}\n{2"); /* torn, and nothing more may be written until it is not */
    disk.room = 1000;
    assert_int_equal(write("{2}\n", &done), IO_FAULT);
    assert_int_equal(done, 0);
    holds(0, "{1}\n{2");
    disk.cut_error = 0;
    writes("{2}\n");
    holds(0, "{1}\n{2}\n");
}

static void a_crash_in_a_line(void **state)
{
    (void)state;
    begin(1000, 3);
    put(0, "{1}\n{2");
    writes("{3}\n");
    holds(0, "{1}\n{3}\n");
    begin(1000, 3);
    put(0, "{1"); /* nothing but a torn line */
    writes("{3}\n");
    holds(0, "{3}\n");
}

static void short_writes(void **state)
{
    (void)state;
    size_t done;
    begin(1000, 3);
    disk.piece = 3;
    writes("{1}\n{2}\n{3}\n");
    holds(0, "{1}\n{2}\n{3}\n");
    disk.room = used();
    assert_int_equal(write("{4}\n", &done), DISK_FULL);
    assert_int_equal(done, 0);
    /* One of nothing, with success, is no progress either. */
    disk.room = FILES * BYTES;
    disk.idle = true;
    assert_int_equal(write("{4}\n", &done), HBK_AUDIT_ERROR_NO_PROGRESS);
    assert_int_equal(done, 0);
    holds(0, "{1}\n{2}\n{3}\n");
    disk.idle = false;
    writes("{4}\n");
    holds(0, "{1}\n{2}\n{3}\n{4}\n");
}

static void an_error_behind_some_bytes(void **state)
{
    (void)state;
    size_t done;
    begin(1000, 3);
    disk.write_error = IO_FAULT;
    disk.write_before = 5;
    assert_int_equal(write("{1}\n{2}\n", &done), IO_FAULT);
    assert_int_equal(done, 4);
    holds(0, "{1}\n");
    assert_false(disk.open); /* tried anew from the open on */
}

static void what_is_no_audit_file(void **state)
{
    (void)state;
    static char wide[HBK_LINE_BYTES_MAX - 1], wider[HBK_LINE_BYTES_MAX + 8192];
    size_t done;
    begin(1000, 3);
    put(0, "My dear diary\n");
    assert_int_equal(write("{1}\n", &done), HBK_AUDIT_ERROR_NOT_AUDIT);
    assert_int_equal(done, 0);
    holds(0, "My dear diary\n");
    /* A torn line as long as a line can be is ours. */
    begin(1000, 3);
    memset(wide, 'x', sizeof wide - 1);
    wide[0] = '{';
    put(0, wide);
    writes("{1}\n");
    holds(0, "{1}\n");
    /* A much longer one is somebody else's. */
    begin(1000, 3);
    memset(wider, 'x', sizeof wider - 1);
    wider[0] = '{';
    put(0, wider);
    assert_int_equal(write("{1}\n", &done), HBK_AUDIT_ERROR_NOT_AUDIT);
    assert_int_equal(done, 0);
    holds(0, wider);
}

static void a_file_that_is_taken_away(void **state)
{
    (void)state;
    begin(1000, 3);
    writes("{1}\n");
    disk.lost = true;
    writes("{2}\n");
    holds(0, "{2}\n");
}

static void a_file_that_cannot_be_opened(void **state)
{
    (void)state;
    size_t done;
    begin(1000, 3);
    disk.open_error = DENIED;
    assert_int_equal(write("{1}\n", &done), DENIED);
    assert_int_equal(done, 0);
    disk.open_error = 0;
    writes("{1}\n");
    holds(0, "{1}\n");
}

static void a_rotation_that_is_refused(void **state)
{
    (void)state;
    begin(4, 3);
    put(1, "{a}\n");
    writes("{1}\n");
    disk.rename_error = SHARED;
    disk.rename_from = 0;
    writes("{2}\n{3}\n"); /* nothing is lost: the file grows */
    holds(0, "{1}\n{2}\n{3}\n");
    assert_int_equal(writer.rotate_error, SHARED);
    writer.rotate_error = 0;
    disk.rename_error = 0;
    writes("{4}\n");
    holds(0, "{4}\n");
    holds(1, "{1}\n{2}\n{3}\n");
    holds(2, "{a}\n");
    assert_int_equal(writer.rotate_error, 0);
}

static void a_rotation_that_only_claims_to_be(void **state)
{
    (void)state;
    begin(4, 3);
    writes("{1}\n");
    disk.stubborn = true;
    writes("{2}\n{3}\n");
    holds(0, "{1}\n{2}\n{3}\n");
}

/* ---- all of it at random ---- */

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* The files from the oldest to the newest are whole lines with numbers that rise. Return: the newest, plus 1. */
static uint32_t check_files(void)
{
    uint32_t last = 0;
    bool any = false;
    for (int file = FILES - 1; file >= 0; file--) {
        const char *at = disk.bytes[file], *stop = at + disk.size[file];
        while (disk.there[file] && at < stop) {
            unsigned long long number = 0;
            const char *lf = memchr(at, '\n', (size_t)(stop - at));
            assert_non_null(lf);
            assert_true(at[0] == '{' && lf[-1] == '}');
            for (const char *digit = at + 1; digit < lf - 1; digit++) {
                assert_in_range(*digit, '0', '9');
                number = number * 10 + (unsigned)(*digit - '0');
            }
            assert_true(!any || number == last + 1);
            any = true;
            last = (uint32_t)number;
            at = lf + 1;
        }
    }
    return any ? last + 1 : 0;
}

static void at_random(void **state)
{
    (void)state;
    static char text[4096];
    for (uint32_t run = 1; run <= 300; run++) {
        seed = run;
        begin(20 + draw(200), 1 + draw(5));
        uint32_t written = 0; /* numbers below are in the files, or were rotated away */
        for (int step = 0; step < 60; step++) {
            disk.room = draw(3) == 0 ? used() + draw(40) : FILES * BYTES;
            disk.piece = draw(3) == 0 ? 1 + draw(9) : 0;
            disk.write_error = draw(6) == 0 ? IO_FAULT : 0;
            disk.write_before = draw(30);
            disk.cut_error = draw(6) == 0 ? IO_FAULT : 0;
            disk.open_error = draw(8) == 0 ? DENIED : 0;
            disk.rename_error = draw(4) == 0 ? SHARED : 0;
            disk.rename_from = draw(4);
            size_t size = 0, done = 0;
            uint32_t lines = draw(20);
            for (uint32_t i = 0; i < lines; i++)
                size += (size_t)snprintf(text + size, sizeof text - size, "{%u}\n", written + i);
            uint32_t error = hbk_audit_writer_write(&writer, text, size, &done);
            assert_true(done <= size && (error != 0 || done == size));
            assert_true(done == 0 || text[done - 1] == '\n');
            for (size_t i = 0; i < done; i++)
                written += text[i] == '\n';
            if (error == 0 && size > 0)
                assert_int_equal(check_files(), written);
        }
        disk.room = FILES * BYTES;
        disk.piece = disk.write_error = disk.cut_error = disk.open_error = disk.rename_error = 0;
        size_t size = (size_t)snprintf(text, sizeof text, "{%u}\n", written), done = 0;
        assert_int_equal(hbk_audit_writer_write(&writer, text, size, &done), 0);
        assert_int_equal(check_files(), written + 1);
        hbk_audit_writer_deinit(&writer);
    }
}

#define TEST(function) cmocka_unit_test_teardown(function, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(appended),
        TEST(rotated_by_size),
        TEST(a_single_file_is_emptied),
        TEST(a_line_longer_than_a_file),
        TEST(a_full_disk_in_the_middle_of_a_line),
        TEST(a_torn_line_that_cannot_be_cut_at_once),
        TEST(a_crash_in_a_line),
        TEST(short_writes),
        TEST(an_error_behind_some_bytes),
        TEST(what_is_no_audit_file),
        TEST(a_file_that_is_taken_away),
        TEST(a_file_that_cannot_be_opened),
        TEST(a_rotation_that_is_refused),
        TEST(a_rotation_that_only_claims_to_be),
        TEST(at_random),
    };
    return cmocka_run_group_tests_name("audit writer", tests, NULL, NULL);
}
