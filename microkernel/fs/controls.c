/* Control messages of sockets, cmsg(3): what comes beside the data. */
#include "core/errno.h"
#include "core/string.h"
#include "fs/socket.h"

struct control_header { u64 length; u32 level, type; };


void message_put_control(struct message *m, u32 level, u32 type, const void *data, size_t n) {
    struct control_header h = {sizeof h + n, level, type};
    if (h.length > m->control_size) {
        m->told |= MSG_CTRUNC;
        if (m->control_size < sizeof h)
            return;
        h.length = m->control_size;
    }
    if (copy_to_user(m->control, &h, sizeof h) || copy_to_user(m->control + sizeof h, data, h.length - sizeof h)) {
        m->told |= MSG_CTRUNC;
        return;
    }
    u64 space = min_u64(ALIGN_UP(h.length, 8), m->control_size);
    m->control += space;
    m->control_size -= space;
}

/* Those that services have delivered with a datagram. */
void message_put_controls(struct message *m, const u8 *bytes, u32 n) {
    struct control_header h;
    for (u32 at = 0; at + sizeof h <= n; at += (u32)ALIGN_UP(h.length, 8)) {
        memcpy(&h, bytes + at, sizeof h);
        if (h.length < sizeof h || h.length > n - at)
            break;
        message_put_control(m, h.level, h.type, bytes + at + sizeof h, h.length - sizeof h);
    }
}

/* ---- those that are sent ---- */

enum { SOL_IP = 0, SOL_UDP = 17, SOL_IPV6 = 41 };
#define ANY_VALUE (-0x7fffffff - 1), 0x7fffffff

/* What services take beside a datagram (net/socket/cmsg.py). */
static const struct { u32 level, type, size, shorter; i32 lowest, highest; } allowed[] = {
    {SOL_IP, 1, 4, 1, ANY_VALUE},               /* IP_TOS */
    {SOL_IP, 2, 4, 4, 1, 255},                  /* IP_TTL */
    {SOL_IP, 8, 12, 12, ANY_VALUE},             /* IP_PKTINFO */
    {SOL_UDP, 103, 2, 2, ANY_VALUE},            /* UDP_SEGMENT */
    {SOL_IPV6, 2, 20, 20, ANY_VALUE},           /* IPV6_2292PKTINFO */
    {SOL_IPV6, 50, 20, 20, ANY_VALUE},          /* IPV6_PKTINFO */
    {SOL_IPV6, 52, 4, 4, -1, 255},              /* IPV6_HOPLIMIT */
    {SOL_IPV6, 67, 4, 4, -1, 255},              /* IPV6_TCLASS */
};

static bool is_allowed(const struct control_header *h, i32 value) {
    for (u32 i = 0; i < ARRAY_SIZE(allowed); i++) {
        if (h->level == allowed[i].level && h->type == allowed[i].type) {
            u64 size = h->length - sizeof *h;
            return (size == allowed[i].size || size == allowed[i].shorter) && value >= allowed[i].lowest && value <= allowed[i].highest;
        }
    }
    return h->level == SOL_SOCKET;
}

i64 message_check_controls(const struct message *m) {
    struct control_header h;
    for (u64 at = 0; at + sizeof h <= m->control_size; at += ALIGN_UP(h.length, 8)) {
        i32 value = 0;
        if (copy_from_user(&h, m->control + at, sizeof h))
            return -EFAULT;
        if (h.length < sizeof h || h.length > m->control_size - at)
            return -EINVAL;
        if (copy_from_user(&value, m->control + at + sizeof h, min_u64(h.length - sizeof h, sizeof value)))
            return -EFAULT;
        if (!is_allowed(&h, value))
            return -EINVAL;
    }
    return 0;
}
