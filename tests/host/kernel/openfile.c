/* fs/file.c and the open files of fs/pipe.c: descriptors, references, FIFOs, what poll says. */
#include <string.h>

#include "check.h"
#include "core/errno.h"
#include "fs/inode.h"
#include "fs/pipe.h"
#include "shim/heap.h"
#include "shim/program.h"
#include "sys/signal.h"

#define FDS 300

static unsigned released;
static void count_release(struct file *f) { released += f->data == NULL; }
static const struct file_ops plain_ops = {.name = "plain", .release = count_release};

static struct file *plain(void) {
    struct file *f = file_new(&plain_ops, O_RDWR, NULL);
    CHECK(f && f->refs == 1);
    return f;
}

static u8 buffer[8192];

static i64 read_from(struct file *f, size_t n) {
    struct span to = program_span(buffer, n);
    u64 position = 0;
    return file_read(f, &to, &position);
}

static i64 write_to(struct file *f, size_t n) {
    struct span from = program_span(buffer, n);
    u64 position = 0;
    return file_write(f, &from, &position);
}

static u32 events_of(struct file *f) {
    struct waitqueue *queues[2];
    return file_poll(f, queues);
}

/* ---- descriptors ---- */

TEST(the_lowest_free_descriptor_is_given) {
    struct file *model[FDS] = {0};
    unsigned open = 0;
    CHECK_EQUAL(fd_install_at(plain(), FDS, false), FDS);
    for (int round = 0; round < 20000; round++) {
        int fd = (int)random_below(FDS), from = random_below(3) ? 0 : fd;
        if (random_below(2)) {
            int wanted = from;
            while (wanted < FDS && model[wanted])
                wanted++;
            if (wanted == FDS)
                continue;
            struct file *f = plain();
            CHECK_EQUAL(fd_install(f, from, round % 2), wanted);
            model[wanted] = f;
            open++;
        } else if (random_below(6)) {
            CHECK_EQUAL(fd_close(fd), model[fd] ? 0 : -EBADF);
            open -= model[fd] != NULL;
            model[fd] = NULL;
        } else {
            open += model[fd] == NULL;
            model[fd] = plain();
            CHECK_EQUAL(fd_install_at(model[fd], fd, false), fd);
        }
        CHECK(fd_file(fd) == model[fd]);
        CHECK_EQUAL(heap_objects, open + 2);    /* the table, and the file that made it large */
    }
    for (int fd = 0; fd < FDS; fd++)
        CHECK(fd_file(fd) == model[fd]);
    CHECK(!fd_file(-1) && !fd_file(FD_LIMIT) && fd_close(-1) == -EBADF && fd_close(FD_LIMIT) == -EBADF);
}

TEST(there_are_as_many_descriptors_as_allowed) {
    CHECK_EQUAL(fd_install(plain(), (int)fd_limit - 1, false), fd_limit - 1);
    CHECK_EQUAL(fd_install(plain(), (int)fd_limit - 1, false), -EMFILE);
    CHECK_EQUAL(fd_install_at(plain(), (int)fd_limit, false), -EBADF);
    CHECK_EQUAL(fd_install_at(plain(), -1, false), -EBADF);
    CHECK_EQUAL(released, 3);
    fd_limit = FD_LIMIT;
    CHECK_EQUAL(fd_install(plain(), FD_LIMIT - 1, false), FD_LIMIT - 1);
    CHECK_EQUAL(fd_install_at(plain(), FD_LIMIT, false), -EBADF);
    CHECK_EQUAL(fd_install(plain(), 0, false), 0);
}

TEST(a_lower_limit_takes_no_descriptor_away) {
    CHECK_EQUAL(fd_install_at(plain(), 100, false), 100);
    fd_limit = 2;
    CHECK_EQUAL(fd_install(plain(), 0, false), 0);
    CHECK_EQUAL(fd_install(plain(), 0, false), 1);
    CHECK_EQUAL(fd_install(plain(), 0, false), -EMFILE);
    CHECK(fd_file(100));
    CHECK_EQUAL(fd_close(100), 0);
}

TEST(a_pair_of_descriptors_is_given_whole_or_not_at_all) {
    struct file *files[2];
    i32 fds[2] = {-1, -1};
    files[0] = plain(), files[1] = plain();
    CHECK_EQUAL(fd_install_pair(files, true, (u64)fds), 0);
    CHECK(fds[0] == 0 && fds[1] == 1 && fd_file(0) == files[0] && fd_file(1) == files[1] && fd_close_on_exec(1));
    files[0] = plain(), files[1] = plain();
    program_fault = (u64)&fds[1];
    CHECK_EQUAL(fd_install_pair(files, false, (u64)fds), -EFAULT);
    program_fault = 0;
    CHECK(released == 2 && !fd_file(2) && !fd_file(3));
    for (fd_limit = 2; fd_limit <= 3; fd_limit++) {
        files[0] = plain(), files[1] = plain();
        CHECK_EQUAL(fd_install_pair(files, false, (u64)fds), -EMFILE);
        CHECK_EQUAL(released, 2 * fd_limit);
        CHECK(!fd_file(2));
    }
}

TEST(without_memory_for_the_table_the_file_is_given_back) {
    struct file *f = plain();
    heap_left = 0;
    CHECK_EQUAL(fd_install(f, 0, false), -ENOMEM);
    CHECK(released == 1 && !heap_objects);
}

TEST(a_descriptor_remembers_whether_it_survives_exec) {
    CHECK_EQUAL(fd_install(plain(), 0, true), 0);
    CHECK_EQUAL(fd_install(plain(), 0, false), 1);
    CHECK(fd_close_on_exec(0) && !fd_close_on_exec(1));
    fd_set_close_on_exec(0, false);
    fd_set_close_on_exec(1, true);
    CHECK(!fd_close_on_exec(0) && fd_close_on_exec(1));
    CHECK_EQUAL(fd_install_at(plain(), 1, false), 1);
    CHECK(!fd_close_on_exec(1));
}

TEST(the_last_descriptor_of_a_file_releases_it) {
    struct file *f = plain();
    CHECK_EQUAL(fd_install(f, 0, false), 0);
    CHECK_EQUAL(fd_install(file_get(f), 0, false), 1);
    CHECK_EQUAL(fd_close(0), 0);
    CHECK_EQUAL(released, 0);
    CHECK_EQUAL(fd_install_at(plain(), 1, false), 1);
    CHECK_EQUAL(released, 1);
}

/* ---- pipes as files ---- */

static struct file *ends[2];

static void open_pipe(void) {
    CHECK_EQUAL(pipe_open(&ends[0], &ends[1], O_NONBLOCK), 0);
    random_fill(buffer, sizeof buffer);
}

TEST(a_pipe_has_a_direction) {
    open_pipe();
    CHECK_EQUAL(write_to(ends[0], 1), -EBADF);
    CHECK_EQUAL(read_from(ends[1], 1), -EBADF);
    CHECK_EQUAL(write_to(ends[1], 5), 5);
    CHECK_EQUAL(read_from(ends[0], 10), 5);
    CHECK_EQUAL(read_from(ends[0], 10), -EAGAIN);
    file_put(ends[0]);
    file_put(ends[1]);
    CHECK_EQUAL(heap_objects, 0);
}

TEST(writing_without_a_reader_raises_a_signal) {
    program_enter();
    open_pipe();
    file_put(ends[0]);
    CHECK_EQUAL(write_to(ends[1], 5), -EPIPE);
    CHECK_EQUAL(program_signal, SIGPIPE);
}

TEST(poll_tells_what_can_be_done) {
    open_pipe();
    CHECK_EQUAL(events_of(ends[0]), 0);
    CHECK_EQUAL(events_of(ends[1]), POLLOUT | POLLWRNORM);
    CHECK_EQUAL(write_to(ends[1], 1), 1);
    CHECK_EQUAL(events_of(ends[0]), POLLIN | POLLRDNORM);
    while (write_to(ends[1], sizeof buffer) > 0)
        ;
    CHECK_EQUAL(events_of(ends[1]), 0);
    CHECK_EQUAL(read_from(ends[0], 4096), 4096);
    CHECK_EQUAL(events_of(ends[1]), POLLOUT | POLLWRNORM);
    file_put(ends[1]);
    CHECK_EQUAL(events_of(ends[0]), POLLIN | POLLRDNORM | POLLHUP);
    open_pipe();
    file_put(ends[0]);
    CHECK_EQUAL(events_of(ends[1]), POLLOUT | POLLWRNORM | POLLERR);
}

TEST(the_size_of_a_pipe_can_be_changed) {
    open_pipe();
    CHECK_EQUAL(pipe_size(ends[0], 0), PIPE_CAPACITY);
    CHECK_EQUAL(pipe_size(ends[0], 1), 4096);
    CHECK_EQUAL(write_to(ends[1], sizeof buffer), 4096);
    CHECK_EQUAL(pipe_size(ends[1], 5000), 8192);
    CHECK_EQUAL(write_to(ends[1], sizeof buffer), 4096);
    CHECK_EQUAL(pipe_size(ends[1], 4096), -EBUSY);
    CHECK_EQUAL(pipe_size(ends[1], 1 << 20), 1 << 20);
    CHECK_EQUAL(pipe_size(ends[1], (1 << 20) + 1), -EPERM);
    CHECK_EQUAL(pipe_size(plain(), 0), -EBADF);
}

TEST(a_pipe_without_memory_is_an_error_and_nothing_else) {
    for (long left = 0; left < 3; left++) {
        heap_left = left;
        CHECK_EQUAL(pipe_open(&ends[0], &ends[1], 0), -ENOMEM);
        CHECK_EQUAL(heap_objects, 0);
    }
}

/* ---- FIFOs ---- */

static struct inode *fifo;
static struct file *reader;

static bool reader_opens(void) { return !fifo_open(fifo, O_RDONLY | O_NONBLOCK, &reader); }

TEST(a_fifo_joins_those_who_open_it) {
    struct file *writer;
    fifo = inode_get(inode_new(S_IFIFO | 0644));
    CHECK_EQUAL(fifo_open(fifo, O_WRONLY | O_NONBLOCK, &writer), -ENXIO);
    program_meanwhile = reader_opens;
    CHECK_EQUAL(fifo_open(fifo, O_WRONLY, &writer), 0);
    CHECK(program_sleeps == 1 && reader);
    CHECK_EQUAL(write_to(writer, 3), 3);
    CHECK_EQUAL(read_from(reader, 10), 3);
    file_put(writer);
    CHECK_EQUAL(read_from(reader, 10), 0);
    file_put(reader);
    CHECK(!fifo->pipe && fifo->refs == 1);
    inode_put(fifo);
    CHECK_EQUAL(heap_objects, 0);
}

TEST(a_fifo_forgets_its_content_with_its_last_user) {
    struct file *both;
    fifo = inode_get(inode_new(S_IFIFO | 0644));
    CHECK_EQUAL(fifo_open(fifo, O_RDWR | O_NONBLOCK, &both), 0);
    CHECK_EQUAL(write_to(both, 3), 3);
    file_put(both);
    CHECK_EQUAL(fifo_open(fifo, O_RDWR | O_NONBLOCK, &both), 0);
    CHECK_EQUAL(read_from(both, 3), -EAGAIN);
    file_put(both);
}

TEST(a_signal_ends_the_opening_of_a_fifo_without_a_trace) {
    fifo = inode_get(inode_new(S_IFIFO | 0644));
    CHECK_EQUAL(fifo_open(fifo, O_WRONLY, &reader), -ERESTARTSYS);
    CHECK_EQUAL(fifo_open(fifo, O_RDONLY, &reader), -ERESTARTSYS);
    CHECK(!fifo->pipe && fifo->refs == 1 && heap_objects == 1);
}
