/* Connected pairs of local sockets, stream and datagram: two crossed pipes. */
#pragma once

#include "fs/file.h"

enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_SEQPACKET = 5 };

int socketpair_open(int type, u32 flags, struct file *ends[2]);
/* NULL if the file is no socket of ours. */
bool is_socket(const struct file *f);
int socket_type(const struct file *f);
i64 socket_receive(struct file *f, struct span *to, bool nonblocking, bool peek);
i64 socket_send(struct file *f, struct span *from, bool nonblocking, bool quiet);      /* quiet: no SIGPIPE */
int socket_shutdown(struct file *f, int how);
u32 socket_buffer_size(const struct file *f);
