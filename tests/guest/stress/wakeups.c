/*
 * Waiting and waking without end: what the C library makes of futexes, and futexes themselves. A wake-up
 * that is lost shows as a thread whose progress stands still.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "native.h"

enum { ROOM = 4, PARTY = 4, RING = 4 };
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_CMP_REQUEUE = 4 };

static struct timespec soon(clockid_t clock, u64 *random)
{
    struct timespec t;

    clock_gettime(clock, &t);
    t.tv_nsec += (long)below(random, 300000);   /* now or a little later: timeouts race with wake-ups */
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

/* ---- a bounded buffer with two conditions ---- */

static pthread_mutex_t buffer_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static u64 buffered, put, taken;

static void wait_for(pthread_cond_t *condition, u64 *random)
{
    if (below(random, 2)) {
        pthread_cond_wait(condition, &buffer_lock);
    } else {
        struct timespec until = soon(CLOCK_REALTIME, random);
        pthread_cond_timedwait(condition, &buffer_lock, &until);
    }
}

/* Under the lock: nobody is then between looking at `stop` and waiting. */
static void tell_all(pthread_cond_t *condition)
{
    pthread_mutex_lock(&buffer_lock);
    pthread_cond_broadcast(condition);
    pthread_mutex_unlock(&buffer_lock);
}

static void produce(u64 *progress, volatile uint8_t *stop, u64 random)
{
    while (!*stop) {
        pthread_mutex_lock(&buffer_lock);
        while (buffered == ROOM && !*stop)
            wait_for(&not_full, &random);
        if (buffered < ROOM) {
            buffered++;
            put++;
        }
        pthread_cond_signal(&not_empty);
        pthread_mutex_unlock(&buffer_lock);
        ++*progress;
    }
    tell_all(&not_empty);
}

static void consume(u64 *progress, volatile uint8_t *stop, u64 random)
{
    while (!*stop) {
        pthread_mutex_lock(&buffer_lock);
        while (!buffered && !*stop)
            wait_for(&not_empty, &random);
        if (buffered) {
            buffered--;
            taken++;
        }
        pthread_cond_signal(&not_full);
        pthread_mutex_unlock(&buffer_lock);
        ++*progress;
    }
    tell_all(&not_full);
}

/* What was put and neither taken nor left: 0. */
u64 lost_items(void) { return put - taken - buffered; }

/* ---- tokens in a ring of semaphores ---- */

static sem_t ring[RING];

static void pass_on(unsigned index, u64 *progress, volatile uint8_t *stop, u64 random)
{
    while (!*stop) {
        if (below(&random, 2)) {
            while (sem_wait(&ring[index]) && errno == EINTR)
                ;
        } else {
            struct timespec until = soon(CLOCK_REALTIME, &random);
            if (sem_timedwait(&ring[index], &until))
                continue;                       /* late or interrupted: the token is still to come */
        }
        sem_post(&ring[(index + 1) % RING]);
        ++*progress;
    }
    sem_post(&ring[(index + 1) % RING]);
}

/* ---- a barrier, and a lock for many readers ---- */

static pthread_barrier_t barrier;
static pthread_rwlock_t readers = PTHREAD_RWLOCK_INITIALIZER;
static volatile u64 written[2];
static u64 torn;
static uint8_t decided;

static void meet(unsigned index, u64 *progress, volatile uint8_t *leave)
{
    for (;;) {
        uint8_t last = *leave;
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            decided = last;                     /* one of them says for all whether this was the last time */
        pthread_barrier_wait(&barrier);
        if (decided)
            return;
        if (index == 0) {
            pthread_rwlock_wrlock(&readers);
            written[0]++;
            written[1]++;
            pthread_rwlock_unlock(&readers);
        } else {
            pthread_rwlock_rdlock(&readers);
            torn += written[0] != written[1];
            pthread_rwlock_unlock(&readers);
        }
        ++*progress;
    }
}

u64 torn_reads(void) { return torn; }

/* ---- futexes as they are: a turn that goes around, handed over by wake or by requeue ---- */

static u32 turn, side;                          /* whose turn; where some wait instead */
static u64 requeued;

static void take_turns(unsigned index, unsigned count, u64 *progress, volatile uint8_t *stop, u64 random)
{
    u64 timeout[2] = {0, 0};

    for (;;) {
        u32 now;
        while ((now = __atomic_load_n(&turn, __ATOMIC_SEQ_CST)) % count != index && !*stop) {
            timeout[1] = below(&random, 500000);
            raw(202, (u64)&turn, FUTEX_WAIT, now, below(&random, 2) ? 0 : (u64)timeout, 0, 0);
        }
        if (*stop)
            break;
        __atomic_store_n(&turn, now + 1, __ATOMIC_SEQ_CST);
        if (below(&random, 2)) {
            raw(202, (u64)&turn, FUTEX_WAKE, INT32_MAX, 0, 0, 0);
        } else {
            /* Those that are not woken wait at the side now, and are woken there. */
            i64 moved = raw(202, (u64)&turn, FUTEX_CMP_REQUEUE, 1, INT32_MAX, (u64)&side, now + 1);
            requeued += moved > 0 ? (u64)moved : 0;
            raw(202, (u64)&side, FUTEX_WAKE, INT32_MAX, 0, 0, 0);
            if (moved < 0)                      /* the turn has gone on already: whoever it is, look again */
                raw(202, (u64)&turn, FUTEX_WAKE, INT32_MAX, 0, 0, 0);
        }
        ++*progress;
    }
    raw(202, (u64)&turn, FUTEX_WAKE, INT32_MAX, 0, 0, 0);
    raw(202, (u64)&side, FUTEX_WAKE, INT32_MAX, 0, 0, 0);
}

u64 times_requeued(void) { return requeued; }

/* ---- threads that come and go ---- */

static void *short_life(void *value) { return (char *)value + 1; }

static void come_and_go(u64 *progress, volatile uint8_t *stop)
{
    while (!*stop) {
        pthread_t threads[8];
        unsigned made = 0;
        while (made < 8 && !pthread_create(&threads[made], NULL, short_life, (void *)(u64)made))
            made++;
        for (unsigned i = 0; i < made; i++) {
            void *result;
            pthread_join(threads[i], &result);
            *progress += result == (void *)(u64)(i + 1);
        }
    }
}

/* ---- the parts above as threads ---- */

void prepare(void)
{
    pthread_barrier_init(&barrier, NULL, PARTY);
    for (unsigned i = 0; i < RING; i++)
        sem_init(&ring[i], 0, i == 0);
}

void take_part(u64 part, u64 index, u64 *progress, volatile uint8_t *stop)
{
    u64 random = (part * 64 + index + 1) * 0x9e3779b97f4a7c15ull;

    switch (part) {
    case 0: produce(progress, stop, random); break;
    case 1: consume(progress, stop, random); break;
    case 2: pass_on((unsigned)index, progress, stop, random); break;
    case 3: meet((unsigned)index, progress, stop); break;
    case 4: take_turns((unsigned)index, PARTY, progress, stop, random); break;
    case 5: come_and_go(progress, stop); break;
    }
}

/* ---- signals at threads that wait ---- */

static u64 interruptions;
static void on_signal(int number) { (void)number; interruptions++; }
__attribute__((naked)) static void restorer(void) { __asm__("mov $15, %eax; syscall; ud2"); }

u64 interrupt_all(u64 number, const u64 *threads, u64 count, volatile uint8_t *stop)
{
    struct kernel_action action = {(u64)on_signal, SA_RESTORER, (u64)restorer, 0};
    u64 pause[2] = {0, 1000000};

    raw(13, number, (u64)&action, 0, 8, 0, 0);
    for (u64 i = 0; !*stop; i++) {
        raw(35, (u64)pause, 0, 0, 0, 0, 0);
        raw(234, 1, threads[i % count], number, 0, 0, 0);
    }
    return interruptions;
}
