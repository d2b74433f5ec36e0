/* epoll(7): interest in many files, and the list of those that may be ready. */
#pragma once

#include "fs/file.h"

struct file *epoll_open(u32 flags);
i64 epoll_control(struct file *epoll, int operation, int fd, struct file *target, u64 event);
/* Waits; deadline as in thread_block. Number of events stored at the user address. */
i64 epoll_wait_events(struct file *epoll, u64 events, int limit, u64 deadline);
/* Drops every registration of a file that goes away. */
void epoll_forget_file(struct file *f);
