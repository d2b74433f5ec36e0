/* fs/pipe.c: bytes come out as they went in, whatever the ring's size and position. */
#include "fs/pipe.h"

#include <string.h>

#include "check.h"
#include "core/errno.h"
#include "shim/heap.h"
#include "shim/program.h"

#define LARGEST (1 << 20)

static struct pipe *pipe;
#define PERIOD 99991                            /* no multiple of any ring's size */
static u8 source[PERIOD + LARGEST], target[LARGEST];
static u64 written, taken;                      /* positions in the source, which repeats for ever */

static void start(void) {
    pipe = pipe_new();
    CHECK(pipe && pipe->ring.limit == PIPE_CAPACITY);
    pipe->readers = pipe->writers = 1;
    random_fill(source, PERIOD);
    for (size_t k = PERIOD; k < sizeof source; k++)
        source[k] = source[k - PERIOD];
}

static void end(void) {
    pipe_put(pipe);
    CHECK_EQUAL(heap_objects, 0);
}

static i64 put(size_t n) {
    struct span from = program_span(source + written % PERIOD, n);
    i64 got = pipe_write(pipe, &from, true);
    CHECK(got < 0 || from.left == n - (size_t)got);
    written += got < 0 ? 0 : (u64)got;
    return got;
}

static i64 get(size_t n) {
    struct span to = program_span(target, n);
    i64 got = pipe_read(pipe, &to, true);
    CHECK_IN(got <= 0 || !memcmp(target, source + taken % PERIOD, (size_t)got), "%ld bytes at %lu", got, taken);
    taken += got < 0 ? 0 : (u64)got;
    return got;
}

/* ---- bytes ---- */

TEST(bytes_come_out_in_the_order_they_went_in) {
    start();
    for (int round = 0; round < 20000; round++) {
        u64 fill = written - taken, n = random_below(random_below(4) ? 300 : 30000);
        if (random_below(2)) {
            i64 wanted = n <= 4096 ? (n <= PIPE_CAPACITY - fill ? (i64)n : -EAGAIN) : (i64)min_u64(n, PIPE_CAPACITY - fill);
            CHECK_EQUAL(put(n), wanted ? wanted : n ? -EAGAIN : 0);
        } else {
            CHECK_EQUAL(get(n), n ? (fill ? (i64)min_u64(n, fill) : -EAGAIN) : 0);
        }
        CHECK_EQUAL(pipe_fill(pipe), written - taken);
    }
    end();
}

TEST(the_ring_grows_with_its_content_and_no_further_than_allowed) {
    start();
    CHECK_EQUAL(pipe->ring.allocated, 0);
    CHECK_EQUAL(put(1), 1);
    u32 first = pipe->ring.allocated;
    CHECK(first && first < PIPE_CAPACITY);
    CHECK_EQUAL(put(first - 10), first - 10);
    CHECK_EQUAL(get(first - 100), first - 100);
    /* The content lies across the ring's end when it grows. */
    CHECK_EQUAL(put(first), first);
    CHECK_EQUAL(pipe->ring.allocated, 2 * first);
    CHECK_EQUAL(put(PIPE_CAPACITY), PIPE_CAPACITY - first - 91);
    CHECK_EQUAL(pipe->ring.allocated, PIPE_CAPACITY);
    CHECK_EQUAL(put(1), -EAGAIN);
    CHECK_EQUAL(get(2 * PIPE_CAPACITY), PIPE_CAPACITY);
    end();
}

TEST(positions_wrap_around) {
    start();
    CHECK_EQUAL(put(1000), 1000);
    CHECK_EQUAL(get(1000), 1000);
    pipe->ring.head = pipe->ring.tail = UINT32_MAX - 100;
    for (int round = 0; round < 50; round++) {
        CHECK_EQUAL(put(1500), 1500);
        CHECK_EQUAL(pipe_fill(pipe), 1500);
        CHECK_EQUAL(get(2000), 1500);
    }
    end();
}

TEST(small_writes_are_not_torn) {
    start();
    CHECK_EQUAL(put(PIPE_CAPACITY - 4095), PIPE_CAPACITY - 4095);
    CHECK_EQUAL(put(4096), -EAGAIN);
    CHECK_EQUAL(put(4097), 4095);
    CHECK_EQUAL(get(1), 1);
    CHECK_EQUAL(put(2), -EAGAIN);
    CHECK_EQUAL(put(1), 1);
    end();
}

TEST(without_a_writer_a_read_ends_and_without_a_reader_a_write_fails) {
    start();
    CHECK_EQUAL(put(5), 5);
    pipe_close_writer(pipe);
    CHECK_EQUAL(get(10), 5);
    CHECK_EQUAL(get(10), 0);
    pipe->writers = 1;
    pipe_close_reader(pipe);
    CHECK_EQUAL(put(5), -EPIPE);
    CHECK_EQUAL(put(0), 0);
    end();
}

TEST(a_bad_pointer_moves_nothing) {
    start();
    /* The ring's end lies in the middle, so that there are two pieces. */
    CHECK_EQUAL(put(1500), 1500);
    CHECK_EQUAL(get(1400), 1400);
    program_fault = (u64)source + written + 900;
    CHECK_EQUAL(put(1000), -EFAULT);
    program_fault = 0;
    CHECK_EQUAL(pipe_fill(pipe), 100);
    CHECK_EQUAL(put(1000), 1000);
    program_fault = (u64)target + 900;
    CHECK_EQUAL(get(1100), -EFAULT);
    program_fault = 0;
    CHECK_EQUAL(pipe_fill(pipe), 1100);
    CHECK_EQUAL(get(2000), 1100);
    end();
}

TEST(a_ring_that_cannot_grow_is_an_error) {
    start();
    heap_left = 0;
    CHECK_EQUAL(put(10), -ENOMEM);
    heap_left = 1;
    CHECK_EQUAL(put(10), 10);
    CHECK_EQUAL(put(30000), -ENOMEM);
    CHECK_EQUAL(get(100), 10);
    end();
}

/* ---- waiting ---- */

static bool reader_runs(void) {
    return get(5000) > 0;
}

TEST(a_writer_sleeps_until_there_is_room) {
    start();
    program_meanwhile = reader_runs;
    struct span from = program_span(source, 300000);
    CHECK_EQUAL(pipe_write(pipe, &from, false), 300000);
    CHECK(program_sleeps >= (300000 - PIPE_CAPACITY) / 5000 && program_wakes == program_sleeps);
    written = 300000;
    while (taken < written)
        CHECK(get(7000) > 0);
    end();
}

static bool writer_runs(void) { return put(3) == 3; }

TEST(a_reader_sleeps_until_there_is_something) {
    start();
    program_meanwhile = writer_runs;
    struct span to = program_span(target, 100);
    CHECK_EQUAL(pipe_read(pipe, &to, false), 3);
    CHECK(program_sleeps == 1 && program_wakes == 1);
    end();
}

TEST(a_signal_ends_the_sleep_and_what_was_written_counts) {
    start();
    struct span to = program_span(target, 100), from = program_span(source, 100000);
    CHECK_EQUAL(pipe_read(pipe, &to, false), -ERESTARTSYS);
    CHECK_EQUAL(pipe_write(pipe, &from, false), PIPE_CAPACITY);
    from = program_span(source, 100);
    CHECK_EQUAL(pipe_write(pipe, &from, false), -ERESTARTSYS);
    end();
}

static bool writer_leaves(void) {
    pipe_close_writer(pipe);
    return true;
}

TEST(a_sleeping_reader_sees_the_end) {
    start();
    program_meanwhile = writer_leaves;
    struct span to = program_span(target, 100);
    CHECK_EQUAL(pipe_read(pipe, &to, false), 0);
    CHECK_EQUAL(program_wakes, 1);
    end();
}
