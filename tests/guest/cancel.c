/*
 * pthread_cancel(3), at threads that wait and at threads that do not: part of the checks' shared library,
 * beside native.c; the C library is the interpreter's.
 */
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

static volatile int started, cleaned;
static volatile uint64_t turns;

static void clean(void *unused)
{
    (void)unused;
    cleaned++;
}

static void *wait_for_ever(void *unused)
{
    pthread_cleanup_push(clean, unused);
    started = 1;
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return NULL;
}

static void *spin_for_ever(void *unused)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    pthread_cleanup_push(clean, unused);
    started = 1;
    for (;;)
        turns++;
    pthread_cleanup_pop(0);
    return NULL;
}

/* How many clean-up handlers ran; less than 0 if the thread did not end as a cancelled one. */
int cancel_a_thread(int spinning)
{
    pthread_t thread;
    void *result = NULL;

    started = cleaned = 0;
    if (pthread_create(&thread, NULL, spinning ? spin_for_ever : wait_for_ever, NULL))
        return -1;
    while (!started)
        usleep(1000);
    usleep(5000);                               /* by now it waits, or spins, in earnest */
    if (pthread_cancel(thread) || pthread_join(thread, &result) || result != PTHREAD_CANCELED)
        return -2;
    return cleaned;
}
