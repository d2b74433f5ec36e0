/* eventfd(2) and timerfd_create(2): counters one can wait for. */
#pragma once

#include "fs/file.h"

struct file *eventfd_open(u64 initial, bool semaphore, u32 flags);

struct itimerspec { struct timespec interval, value; };
struct file *timerfd_open(bool wall_clock, u32 flags);
/* -EINVAL if the file is no timerfd. Times are relative unless `absolute`. */
i64 timerfd_set(struct file *f, bool absolute, const struct itimerspec *new, struct itimerspec *old);
i64 timerfd_get(struct file *f, struct itimerspec *now);
