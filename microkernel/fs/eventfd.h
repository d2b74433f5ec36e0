/* eventfd(2) and timerfd_create(2): counters one can wait for. */
#pragma once

#include "fs/file.h"

struct file *eventfd_open(u64 initial, bool semaphore, u32 flags);

struct itimerspec { struct timespec interval, value; };
struct file *timerfd_open(bool wall_clock, u32 flags);
/* What is left, and the interval; -EINVAL if the file is no timerfd. */
i64 timerfd_get(struct file *f, struct itimerspec *now);
bool timerfd_is_wall(const struct file *f);
/* Deadline 0: never. */
void timerfd_set(struct file *f, u64 deadline, u64 interval);
